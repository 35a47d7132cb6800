"""Errors of chat."""

from dossier.core.errors import (
    ConflictError,
    ForbiddenError,
    InvalidError,
    NotFoundError,
)


class ChatRoomNotFoundError(NotFoundError):
    """No such room, or none where one is a member."""

    title = "Chat room not found"


class RunNotFoundError(NotFoundError):
    """No such run in a room where one is a member."""

    title = "Run not found"


class ChatMessageNotFoundError(NotFoundError):
    """No such message in a room where one is a member."""

    title = "Chat message not found"


class VirtualUserNotFoundError(NotFoundError):
    """No such virtual user of the caller, or none in this room."""

    title = "Virtual user not found"


class ChatMemberNotFoundError(NotFoundError):
    """This person is no member of the room, or of the organisation."""

    title = "Chat member not found"


class ChatShareNotFoundError(NotFoundError):
    """No such link, or one that has ended."""

    title = "Shared link not found"


class RoomOwnerRequiredError(ForbiddenError):
    """Only the room's owner may do this."""

    title = "Room owner required"


class NotYourMessageError(ForbiddenError):
    """Only who wrote a message may change it."""

    title = "Not your message"


class PrivateRoomError(ConflictError):
    """A private room has one member; a group room takes more."""

    title = "Private room"


class RoomArchivedError(ConflictError):
    """The room is archived; bring it back first."""

    title = "Room archived"


class LastRoomOwnerError(ConflictError):
    """The room's owner cannot leave it; delete the room instead."""

    title = "Last owner of the room"


class DefaultVirtualUserError(ConflictError):
    """One's assistant can be changed, not retired."""

    title = "Default virtual user"


class AttachmentNotReadyError(ConflictError):
    """A document to be attached is still being read; nothing was stored."""

    title = "Attachment not ready"


class AnswerPendingError(ConflictError):
    """The answer is still being written: wait for its run, or cancel it."""

    title = "Answer pending"


class NoQuestionError(ConflictError):
    """The message is no answer to a question, so it cannot be given anew."""

    title = "No question"


class NothingToShareError(ConflictError):
    """There is no message to show yet."""

    title = "Nothing to share"


class MessageEmptyError(InvalidError):
    """A message needs words."""

    title = "Message empty"


class QuestionTooLongError(InvalidError):
    """The model's window leaves no room for documents beside this question.

    Shorten it, or set DOSSIER_AI__WINDOW_TOKENS to what the model takes.
    """

    title = "Question too long"


class MessageTooLongError(InvalidError):
    """The message has more characters than are taken in."""

    title = "Message too long"
