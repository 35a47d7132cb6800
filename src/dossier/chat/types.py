"""Value objects of chat that several modules share."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Self
from uuid import UUID

from dossier.chat.constants import MessageState


@dataclass(frozen=True, slots=True)
class AnswerOptions:
    """How an answer is made."""

    engine: str = "auto"
    """`auto`, `model` or `extractive`."""
    grounding: str = "papers"
    """`papers` or `none`."""

    def changed(self, engine: str | None, grounding: str | None) -> "AnswerOptions":
        """Return the options for an answer given anew; `None` keeps a value.

        An extractive answer quotes documents, so it does not keep the grounding `none`.
        """
        kept = "papers" if engine == "extractive" else self.grounding
        return AnswerOptions(engine or self.engine, grounding or kept)


@dataclass(frozen=True, slots=True)
class AnswerJobInput:
    """The arguments of a job that answers."""

    room_id: UUID
    question_id: UUID
    answer_id: UUID
    engine: str
    grounding: str
    is_anew: bool = False
    """Not to be taken from the stored answers."""

    @classmethod
    def from_args(cls, args: Mapping[str, Any]) -> Self:
        """Read the stored arguments."""
        return cls(
            room_id=UUID(args["room_id"]),
            question_id=UUID(args["question_id"]),
            answer_id=UUID(args["answer_id"]),
            engine=args["engine"],
            grounding=args["grounding"],
            is_anew=bool(args.get("is_anew")),
        )

    def as_args(self) -> dict[str, Any]:
        """Return the arguments as they are stored."""
        return {
            "room_id": str(self.room_id),
            "question_id": str(self.question_id),
            "answer_id": str(self.answer_id),
            "engine": self.engine,
            "grounding": self.grounding,
            "is_anew": self.is_anew,
        }

    @property
    def is_grounded(self) -> bool:
        """Whether the answer is made from documents."""
        return self.grounding != "none"

    @property
    def options(self) -> AnswerOptions:
        """How the answer is made."""
        return AnswerOptions(self.engine, self.grounding)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedAnswer:
    """The outcome of an answer as its message stores it."""

    state: MessageState
    text: str
    citations: list[dict[str, Any]] = field(default_factory=list)
    engine: dict[str, Any] | None = None
    dropped_claims: int = 0


@dataclass(frozen=True, slots=True)
class Summary:
    """A room's earlier messages in short, up to and with one of them."""

    text: str
    through_id: UUID


@dataclass(frozen=True, slots=True)
class Turn:
    """One message as a prompt contains it."""

    message_id: UUID
    role: str
    """`user` or `assistant`."""
    name: str
    text: str


@dataclass(frozen=True, slots=True)
class History:
    """Earlier messages, the oldest first, and a summary of what came before them."""

    summary: str | None
    turns: tuple[Turn, ...]
    cut_at: UUID | None
    """The newest message that neither the turns nor the summary contains.

    Where set, `chat.summarise` has something to do: up to and with this message.
    """
    replaces_id: UUID | None
    """Where the room's summary ends, be it on another branch: a new one replaces it."""
    limit_tokens: int = 0
    """How many tokens of history would have fitted."""


@dataclass(frozen=True, slots=True)
class AnswerScope:
    """What a virtual user may read in a room: what its owner and the asker both may.

    Documents are the organisation's, so every member may read them. Messages and their
    attachments are the room's.
    """

    product_id: UUID | None
    """Where set, only this product's documents."""
    attached_ids: tuple[UUID, ...]
    """Documents sent with messages of the branch, the latest first."""


@dataclass(frozen=True, slots=True)
class ContextWindow:
    """How many tokens a model takes in, its answer included."""

    window_tokens: int
    output_tokens: int
    """Of these, the most for the answer."""


@dataclass(frozen=True, slots=True)
class AnswerContext:
    """A question with all that its answer depends on, but for the passages."""

    job_input: AnswerJobInput
    question: str
    asker: str
    """The name of the asker, as messages show it."""
    persona: dict[str, Any]
    history: History
    scope: AnswerScope


Readings = tuple[tuple[Decimal, ...], ...]
"""What a number may mean: each reading is the values that it is made of."""


@dataclass(frozen=True, slots=True)
class Number:
    """A number as it was written, and what it may mean."""

    written: str
    start: int
    end: int
    readings: Readings
    is_percent: bool = False
    is_quantity: bool = True
    """Not what is only a word with a number in it: `unique`, `the first`."""
