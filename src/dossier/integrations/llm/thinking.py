"""Separates `<think>…</think>` from an answer, however the text is cut into pieces."""

from enum import Enum, auto

OPENING, CLOSING = "<think>", "</think>"


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

    def __init__(self, *, begins_inside: bool = False) -> None:
        """Take whether the server's answers begin with thoughts without a tag."""
        self._held = ""
        self._begins_inside = begins_inside
        self._state = _State.START
        self.is_done = False
        """Everything that still comes belongs to the answer."""

    def feed(self, text: str) -> tuple[str, str]:
        """Return the thoughts and the part of the answer that are certain by now."""
        if self.is_done:
            return "", text
        self._held += text
        thought = ""
        if self._begins_inside and CLOSING not in self._held:
            return "", ""  # an answer without thoughts is whole in `flush`
        if self._state is _State.START:
            begun = self._held.lstrip()
            if self._begins_inside and not begun.startswith(OPENING):
                begun = OPENING + begun
            if OPENING.startswith(begun):
                return "", ""
            if not begun.startswith(OPENING):
                return "", self.flush()
            self._state, self._held = _State.THINKING, begun.removeprefix(OPENING)
        if self._state is _State.THINKING:
            thought, closing, rest = self._held.partition(CLOSING)
            if not closing:
                # As many of the last characters as may begin a closing tag are held.
                lengths = range(min(len(thought), len(CLOSING) - 1), 0, -1)
                held = (n for n in lengths if CLOSING.startswith(thought[-n:]))
                at = len(thought) - next(held, 0)
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
