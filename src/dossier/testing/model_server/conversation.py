"""A prompt and its reply, apart from any vendor's wire format.

The functions read members of request bodies that may hold anything.
"""

from dataclasses import dataclass, field
from typing import Any, Literal

JsonObject = dict[str, Any]
ScriptedFinish = Literal[
    "stop", "length", "tool_calls", "content_filter", "refusal", "abort"
]


class UnreadableRequestError(Exception):
    """The request breaks the rules of its wire format; answered with 400."""


@dataclass(frozen=True, slots=True)
class PromptTurn:
    """The text of one message."""

    role: str
    text: str


@dataclass(frozen=True, slots=True)
class Tool:
    """A function that the model may call."""

    name: str
    schema: JsonObject


@dataclass(frozen=True, slots=True)
class ScriptedPrompt:
    """All that a reply depends on."""

    model: str
    turns: tuple[PromptTurn, ...]
    tools: tuple[Tool, ...] = ()
    called: tuple[str, ...] = ()
    """Tools that were already called in this conversation."""
    must_call: bool = False
    schema: JsonObject | None = None
    """Schema of a reply in JSON."""
    max_tokens: int | None = None
    stop: tuple[str, ...] = ()
    stream: bool = False
    usage_in_stream: bool = True
    identity: str = ""
    """Part of the ids: the same for the same request."""

    @property
    def question(self) -> str:
        """Return the last message of the user."""
        messages = [turn.text for turn in self.turns if turn.role == "user"]
        return messages[-1] if messages else ""

    @property
    def begun(self) -> str:
        """Return the text that the reply continues."""
        last = self.turns[-1] if self.turns else None
        return last.text if last and last.role == "assistant" else ""

    @property
    def text(self) -> str:
        """Return the text of all messages, the oldest first."""
        return "\n\n".join(turn.text for turn in self.turns)


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call of a tool."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Reply:
    """The reply of the model, cut into tokens."""

    pieces: tuple[str, ...] = ()
    call: ToolCall | None = None
    finish: ScriptedFinish = "stop"
    input_tokens: int = 0

    @property
    def text(self) -> str:
        """Return the tokens joined."""
        return "".join(self.pieces)

    @property
    def output_tokens(self) -> int:
        """Return the number of tokens."""
        return max(1, len(self.pieces))


@dataclass(frozen=True, slots=True)
class Frames:
    """A streamed answer as bytes; one member of `tokens` per token."""

    opening: bytes
    tokens: tuple[bytes, ...]
    closing: bytes
    failure: bytes = field(default=b"")
    """Sent where the server fails in the middle of a stream."""


def all_of_type(body: JsonObject, name: str, kind: type) -> list[Any]:
    """Return a required list, or raise."""
    members = body.get(name)
    if not members or not isinstance(members, list):
        message = f"Missing required parameter: '{name}'."
        raise UnreadableRequestError(message)
    if not all(isinstance(member, kind) for member in members):
        message = f"Invalid type for a member of '{name}'."
        raise UnreadableRequestError(message)
    return members


def listed(value: Any) -> list[Any]:
    """Return a list, one value as a list of one, nothing as an empty one."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def integer(body: JsonObject, *names: str) -> int | None:
    """Return the first of several members that is given, or `None`."""
    for name in names:
        value = body.get(name)
        if value is None:
            continue
        if not isinstance(value, int) or value < 1:
            message = f"Invalid value for '{name}': expected a positive integer."
            raise UnreadableRequestError(message)
        return value
    return None


def text_of(content: object) -> str:
    """Return the text of a message, whether whole or in parts."""
    if isinstance(content, str):
        return content
    texts = []
    for part in content if isinstance(content, list) else []:
        if not isinstance(part, dict):
            continue
        if part.get("type") == "tool_result":
            texts.append(text_of(part.get("content")))
        else:
            texts.append(str(part.get("text", "")))
    return "\n".join(texts)
