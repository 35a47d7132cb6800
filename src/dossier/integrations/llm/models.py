"""What is asked of a model, what comes back, and who is told about it."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal, Protocol
from uuid import UUID

from dossier.core.reads import Statements


class Purpose(StrEnum):
    """What a model is wanted for; each may name another one."""

    STRONG = "strong"
    CHEAP = "cheap"
    VISION = "vision"
    EMBEDDING = "embedding"


class Outcome(StrEnum):
    """How a call ended."""

    COMPLETED = "completed"
    REFUSED = "refused"
    CANCELLED = "cancelled"
    RATE_LIMITED = "rate_limited"
    TIMED_OUT = "timed_out"
    FAILED = "failed"
    CUT = "cut"


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """One turn of a conversation."""

    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """A conversation to go on with; a last turn of the assistant is continued."""

    messages: tuple[ChatMessage, ...]
    purpose: Purpose = Purpose.STRONG
    max_output_tokens: int | None = None
    temperature: float | None = None


Settle = Callable[[Statements], Awaitable[None]]
"""Writes what a call came to; writing it again changes nothing."""


@dataclass(frozen=True, slots=True)
class CallTag:
    """On whose account a call goes, and what for."""

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
    defer: Callable[[Settle], None] | None = field(
        default=None, compare=False, repr=False
    )
    """Takes the settlement of a whole answer, to be written with what else ends then.

    Whoever takes it writes it, whatever happens. `None`: it is written at once.
    """


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one call; `None` where the server told nothing."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    cached_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class TextDelta:
    """A piece of the answer."""

    text: str


@dataclass(frozen=True, slots=True)
class Completed:
    """The end of an answer."""

    model: str
    usage: Usage
    finish_reason: Literal["stop", "length", "refusal"]
    server: str = ""
    """Host and port of who answered."""


StreamEvent = TextDelta | Completed


@dataclass(frozen=True, slots=True)
class Completion:
    """A whole answer."""

    text: str
    model: str
    usage: Usage
    finish_reason: Literal["stop", "length", "refusal"]


@dataclass(frozen=True, slots=True)
class CallRecord:
    """What one attempt at a server came to."""

    provider: str
    """`openai` or `anthropic`: the wire, not the vendor."""
    server: str
    """Host and port, never a key."""
    model: str
    usage: Usage
    duration_ms: int
    first_token_ms: int | None
    outcome: Outcome
    error_code: str | None = None
    is_estimated: bool = False
    """Tokens were guessed where the server told none."""


class Recorder(Protocol):
    """Keeps the ledger; the callers of models know no more of it."""

    def is_uncounted(self, tag: CallTag, /) -> bool:
        """Tell whether no budget counts a call: then it need not wait for its row."""
        ...

    async def reserve(
        self, tag: CallTag, model: str, tokens: int, /, *, goes_ahead: bool = False
    ) -> UUID:
        """Set tokens aside for a call, or raise where a budget forbids it.

        One that `goes_ahead` is being made already.
        """
        ...

    async def settle(self, reservation: UUID, record: CallRecord, /) -> None:
        """Replace what was set aside by what it came to; never raises for a budget."""
        ...


class ChatModel(Protocol):
    """Anything that goes on with a conversation."""

    def stream(
        self, request: ChatRequest, tag: CallTag, /
    ) -> AsyncIterator[StreamEvent]:
        """Yield the answer piece by piece; closing the iterator stops the model."""
        ...

    async def complete(self, request: ChatRequest, tag: CallTag, /) -> Completion:
        """Return the whole answer."""
        ...

    def model_name(self, purpose: Purpose, /) -> str:
        """Return the model that a purpose is served by first, as far as it is known."""
        ...

    async def find_name(self, purpose: Purpose, /) -> str:
        """Return the same, asking a server that names its model itself."""
        ...

    def server_label(self, purpose: Purpose, /) -> str:
        """Return host and port of the server that a purpose is served by first."""
        ...


class EmbeddingModel(Protocol):
    """Anything that turns texts into vectors."""

    @property
    def name(self) -> str:
        """The model's name; vectors of two names are never compared."""
        ...

    async def embed(self, texts: Sequence[str], tag: CallTag, /) -> list[list[float]]:
        """Return one vector for each text, all of one length."""
        ...


@dataclass(frozen=True, slots=True)
class ServerAbilities:
    """What a probe found out about a server; `None`: not asked or no answer."""

    reachable: bool
    problem: str | None = None
    models: tuple[str, ...] = ()
    tools: bool | None = None
    json_schema: bool | None = None
    stream_usage: bool | None = None
    continues_text: bool | None = None
    """Goes on from a last turn of the assistant instead of starting anew."""
    embedding_dimensions: int | None = None
    embedding_languages: tuple[str, ...] = field(default=())
    """Languages whose pairs the embedder tells apart, of `en`, `zh`."""
