"""Requests to models, their answers, and the record of each call."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal, Protocol
from uuid import UUID


class Purpose(StrEnum):
    """What a model is used for; the settings may name another model for each."""

    STRONG = "strong"
    CHEAP = "cheap"
    VISION = "vision"
    EMBEDDING = "embedding"


class CallOutcome(StrEnum):
    """How far a call has come, or how it ended."""

    RESERVED = "reserved"
    """Only in the ledger: the call is under way."""
    COMPLETED = "completed"
    REFUSED = "refused"
    CANCELLED = "cancelled"
    RATE_LIMITED = "rate_limited"
    TIMED_OUT = "timed_out"
    FAILED = "failed"
    CUT = "cut"
    LOST = "lost"
    """Only in the ledger: its process ended before it could record the end."""


FinishReason = Literal["stop", "length", "refusal"]


@dataclass(frozen=True, slots=True)
class PromptMessage:
    """One turn of a conversation."""

    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True, slots=True)
class CompletionRequest:
    """A conversation to continue; a last turn of the assistant is continued itself."""

    messages: tuple[PromptMessage, ...]
    purpose: Purpose = Purpose.STRONG
    max_output_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class CallTag:
    """On whose account a call is, and what it is for."""

    org_id: UUID
    user_id: UUID | None
    feature: str
    """Such as `chat.answer`, `knowledge.embed`."""
    key_id: UUID | None = None
    run_id: UUID | None = None
    prompt_hash: str | None = None
    conversation_id: UUID | None = None
    """The chat room, for traces."""
    operation: Literal["chat", "embeddings"] = "chat"


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one call; `None` where the server reported none."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    cached_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class TextDelta:
    """A piece of the answer."""

    text: str


@dataclass(frozen=True, slots=True)
class TextDiscarded:
    """All text before this was the model's thoughts, not its answer."""


@dataclass(frozen=True, slots=True)
class Completed:
    """The end of an answer."""

    model: str
    usage: Usage
    finish_reason: FinishReason
    server: str = ""
    """Host and port of the server that answered."""


StreamEvent = TextDelta | TextDiscarded | Completed


@dataclass(frozen=True, slots=True)
class Completion:
    """A whole answer."""

    text: str
    model: str
    usage: Usage
    finish_reason: FinishReason


@dataclass(frozen=True, slots=True)
class CallRecord:
    """The result of one call of one server, its retries included."""

    provider: str
    """`openai` or `anthropic`: the protocol, not the vendor."""
    server: str
    """Host and port, never a key."""
    model: str
    usage: Usage
    duration_ms: int
    first_token_ms: int | None
    outcome: CallOutcome
    error_code: str | None = None
    is_estimated: bool = False
    """Tokens were estimated where the server reported none."""
    content: Callable[[], tuple[str, str]] | None = field(
        default=None, compare=False, repr=False
    )
    """Returns question and answer as JSON of the GenAI conventions, for traces."""


class Recorder(Protocol):
    """Reserves budgets and keeps the ledger of calls."""

    async def reserve(self, tag: CallTag, model: str, tokens: int, /) -> UUID:
        """Reserve tokens for a call, or raise where a budget forbids it."""
        ...

    async def settle(self, reservation: UUID, record: CallRecord, /) -> None:
        """Replace a reservation by the result; never raises for a budget."""
        ...


class EmbeddingModel(Protocol):
    """Turns texts into vectors: a server's model, or one of this machine."""

    @property
    def name(self) -> str:
        """The model's name; vectors of two names are never compared."""
        ...

    async def embed(self, texts: Sequence[str], tag: CallTag, /) -> list[list[float]]:
        """Return one vector for each text, all of one length."""
        ...


@dataclass(frozen=True, slots=True)
class ServerAbilities:
    """What a probe found a server to support; `None`: not asked, or no answer."""

    reachable: bool
    problem: str | None = None
    models: tuple[str, ...] = ()
    tools: bool | None = None
    json_schema: bool | None = None
    stream_usage: bool | None = None
    continues_text: bool | None = None
    """Continues a last turn of the assistant instead of starting anew."""
    embedding_dimensions: int | None = None
    embedding_languages: tuple[str, ...] = field(default=())
    """Languages whose sentence pairs the embedder separates, of `en`, `zh`."""
