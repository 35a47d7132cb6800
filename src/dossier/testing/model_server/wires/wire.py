"""What the two wires have in common: how to read, to answer and to fail."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from dossier.testing.model_server.conversation import Frames, Json, Prompt, Reply
from dossier.testing.model_server.wires import anthropic, openai


class ErrorBody(Protocol):
    """Words an error."""

    def __call__(self, status: int, message: str, code: str | None = None, /) -> Json:
        """Return the body of an error."""
        ...


@dataclass(frozen=True, slots=True)
class Wire:
    """One vendor's way to put it."""

    read: Callable[[Json, str], Prompt]
    whole: Callable[[Prompt, Reply], Json]
    frames: Callable[[Prompt, Reply], Frames]
    error: ErrorBody
    overloaded: int
    """Status of a server that has too much to do."""


OPENAI = Wire(openai.read, openai.whole, openai.frames, openai.error, 503)
ANTHROPIC = Wire(
    anthropic.read, anthropic.whole, anthropic.frames, anthropic.error, 529
)
