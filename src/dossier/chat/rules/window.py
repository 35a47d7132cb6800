"""How much of a branch a model is told: whole messages, the newest first."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from dossier.chat.rules.wording import estimated_tokens, speaker_name
from dossier.chat.types import Turn

TURN_TOKENS = 4
"""What a model's format adds to each message."""


def turn_tokens(turn: Turn) -> int:
    """Return how much of a window a turn takes, with the name of who speaks."""
    name = estimated_tokens(speaker_name(turn.name))
    return TURN_TOKENS + name + estimated_tokens(turn.text)


@dataclass(frozen=True, slots=True)
class Window:
    """The turns that fit, the oldest first, and the newest that did not."""

    turns: tuple[Turn, ...]
    cut_at: UUID | None


class WindowFilling:
    """Takes turns, the newest first, until one does not fit."""

    def __init__(self, limit_tokens: int) -> None:
        self._left_tokens = limit_tokens
        self._turns: list[Turn] = []
        self._cut_at: UUID | None = None

    @property
    def is_full(self) -> bool:
        """Tell whether a turn was refused; older ones are not asked for then."""
        return self._cut_at is not None

    def take(self, turns: Iterable[Turn]) -> None:
        """Take what fits of these, which are older than all before."""
        for turn in turns:
            self._take_one(turn)

    def _take_one(self, turn: Turn) -> None:
        if self.is_full:
            return
        price = turn_tokens(turn)
        if price > self._left_tokens:
            self._cut_at = turn.message_id
            return
        self._left_tokens -= price
        self._turns.append(turn)

    def window(self) -> Window:
        """Return what was taken."""
        return Window(tuple(reversed(self._turns)), self._cut_at)
