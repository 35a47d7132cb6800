"""Words of the chat domain."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final
from uuid import UUID


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
    """What somebody thought of a message."""

    UP = "up"
    DOWN = "down"


class ShareKind(StrEnum):
    """How much a link shows."""

    ROOM = "room"
    MESSAGE = "message"


class ExportFormat(StrEnum):
    """How a conversation is written down."""

    MARKDOWN = "markdown"
    JSON = "json"


SUMMARISE_TASK: Final = "chat.summarise"
"""Name of the job that extends a room's running summary."""

TITLE_CHARACTERS: Final = 60
"""Length of a title that is taken from a first message."""

MAX_PATH: Final = 10_000
"""Messages of one branch that are read at once: to copy, share or write down."""

DEFAULT_PERSONA_NAME: Final = "Dossier"
"""Name of the assistant that every member has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SettledAnswer:
    """What a pending answer came to."""

    state: MessageState
    text: str
    citations: list[dict[str, Any]]
    engine: dict[str, Any] | None
    dropped_claims: int = 0


@dataclass(frozen=True, slots=True)
class Summary:
    """A room's earlier messages in short, up to and with one of them."""

    text: str
    through_id: UUID


@dataclass(frozen=True, slots=True)
class Turn:
    """One message as a model is told of it."""

    message_id: UUID
    role: str
    """`user` or `assistant`."""
    name: str
    text: str


@dataclass(frozen=True, slots=True)
class History:
    """What was said before, the oldest first, and what came before that in short."""

    summary: str | None
    turns: tuple[Turn, ...]
    cut_at: UUID | None
    """The newest message that neither the turns nor the summary tells of.

    Where set, `chat.summarise` has something to do: up to and with this message.
    """
    replaces_id: UUID | None
    """Where the room's summary ends, be it on another branch: a new one replaces it."""
    limit_tokens: int = 0
    """How much of the past would have fitted."""


@dataclass(frozen=True, slots=True)
class AnswerScope:
    """What a virtual user may read in a room: what its owner and the asker both may.

    Papers are the organisation's, so every member may read them. What was said and
    sent in a room is the room's.
    """

    room_id: UUID
    product_id: UUID | None
    """Where set, only this product's papers."""
    attached_ids: tuple[UUID, ...]
    """Documents sent with messages of the branch, the latest first."""
