"""Separates `<think>…</think>` from an answer, however the text is cut into pieces."""

from enum import Enum, auto

_OPEN, _CLOSE = "<think>", "</think>"


class _State(Enum):
    START = auto()
    THINKING = auto()
    GAP = auto()
    """After the closing tag, before the first character of the answer."""


class ThinkingSplitter:
    """Splits thoughts at the beginning of an answer from the answer.

    pydantic-ai recognises a tag in a stream only where it is a piece of its own; many
    servers cut it (`<th`, `ink>`).
    """

    def __init__(self) -> None:
        self._held = ""
        self._state = _State.START
        self.is_done = False
        """Everything that still comes belongs to the answer."""

    def feed(self, text: str) -> tuple[str, str]:
        """Return the thoughts and the part of the answer that are certain by now."""
        if self.is_done:
            return "", text
        self._held += text
        thought = ""
        if self._state is _State.START:
            begun = self._held.lstrip()
            if _OPEN.startswith(begun):
                return "", ""
            if not begun.startswith(_OPEN):
                return "", self.flush()
            self._state, self._held = _State.THINKING, begun.removeprefix(_OPEN)
        if self._state is _State.THINKING:
            thought, closing, rest = self._held.partition(_CLOSE)
            if not closing:
                at = len(thought) - _overlap(thought)
                self._held = thought[at:]
                return thought[:at], ""
            self._state, self._held = _State.GAP, rest
        self._held = self._held.lstrip()
        return thought, self.flush() if self._held else ""

    def flush(self) -> str:
        """End the separation; return what was held back of the answer."""
        held, self._held = self._held, ""
        self.is_done = True
        return "" if self._state is _State.THINKING else held


def _overlap(text: str) -> int:
    """Return how many of the last characters may begin a closing tag."""
    lengths = range(min(len(text), len(_CLOSE) - 1), 0, -1)
    return next((n for n in lengths if _CLOSE.startswith(text[-n:])), 0)
