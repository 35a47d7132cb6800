"""Constants of the chat domain."""

from enum import StrEnum
from typing import Final


class RoomKind(StrEnum):
    """Who may be in a room."""

    PRIVATE = "private"
    GROUP = "group"


class MemberRole(StrEnum):
    """What a person may do in a room."""

    OWNER = "owner"
    MEMBER = "member"


class MessageState(StrEnum):
    """How far a message has come."""

    PENDING = "pending"
    COMPLETE = "complete"
    INCOMPLETE = "incomplete"
    FAILED = "failed"


class Rating(StrEnum):
    """A reader's opinion of a message."""

    UP = "up"
    DOWN = "down"


class ShareKind(StrEnum):
    """How much a link shows."""

    ROOM = "room"
    MESSAGE = "message"


class ExportFormat(StrEnum):
    """The format of an exported room."""

    MARKDOWN = "markdown"
    JSON = "json"


ANSWER_JOB: Final = "chat.answer"
"""Name of the job that answers a question."""

SUMMARISE_JOB: Final = "chat.summarise"
"""Name of the job that extends a room's running summary."""

ROOM_TITLE_CHARACTERS: Final = 60
"""Length of a title that is taken from a first message."""

MAX_PATH: Final = 10_000
"""Messages of one branch that are read at once: to copy, share or write down."""

DEFAULT_PERSONA_NAME: Final = "Dossier"
"""Name of the assistant that every member has."""

RUNS_PATH: Final = "/api/v1/chat/runs"
