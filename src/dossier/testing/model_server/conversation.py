"""A question and its answer, apart from any wire."""

from dataclasses import dataclass, field
from typing import Any, Literal

Json = dict[str, Any]
FinishReason = Literal[
    "stop", "length", "tool_calls", "content_filter", "refusal", "abort"
]


class UnreadableRequestError(Exception):
    """The request breaks the rules of its wire; told as 400."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One message; what is no text has been left out."""

    role: str
    text: str


@dataclass(frozen=True, slots=True)
class Tool:
    """A function that the model may call."""

    name: str
    schema: Json


@dataclass(frozen=True, slots=True)
class Prompt:
    """All that an answer depends on."""

    model: str
    turns: tuple[Turn, ...]
    tools: tuple[Tool, ...] = ()
    called: tuple[str, ...] = ()
    """Tools that were already called in this conversation."""
    must_call: bool = False
    schema: Json | None = None
    """Shape of the JSON that is wanted instead of prose."""
    max_tokens: int | None = None
    stop: tuple[str, ...] = ()
    stream: bool = False
    usage_in_stream: bool = True
    identity: str = ""
    """Stands in the ids: the same for the same request."""

    @property
    def question(self) -> str:
        """Return what the user said last."""
        said = [turn.text for turn in self.turns if turn.role == "user"]
        return said[-1] if said else ""

    @property
    def begun(self) -> str:
        """Return the text that the answer goes on from."""
        last = self.turns[-1] if self.turns else None
        return last.text if last and last.role == "assistant" else ""

    @property
    def text(self) -> str:
        """Return everything that was said, the oldest first."""
        return "\n\n".join(turn.text for turn in self.turns)


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A tool and what it is called with."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Reply:
    """What the model says, cut into tokens."""

    pieces: tuple[str, ...] = ()
    call: ToolCall | None = None
    finish: FinishReason = "stop"
    input_tokens: int = 0

    @property
    def text(self) -> str:
        """Return the tokens joined."""
        return "".join(self.pieces)

    @property
    def output_tokens(self) -> int:
        """Return how many tokens were written."""
        return max(1, len(self.pieces))


@dataclass(frozen=True, slots=True)
class Frames:
    """A streamed answer as bytes; one member of `tokens` per token."""

    opening: bytes
    tokens: tuple[bytes, ...]
    closing: bytes
    failure: bytes = field(default=b"")
    """What the wire says when the server fails in mid-stream."""
