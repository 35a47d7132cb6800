"""Restores an answer from its stored events: text, quotes, passages.

Clients assemble a text by the same rule: deltas in order, and after `run.restarted`
nothing that came after `kept_through`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

RESTARTED: Final = "run.restarted"
CREATED: Final = "response.created"
IN_PROGRESS: Final = "response.in_progress"
SEARCH_STARTED: Final = "response.file_search_call.in_progress"
SEARCHING: Final = "response.file_search_call.searching"
SEARCHED: Final = "response.file_search_call.completed"
ITEM_ADDED: Final = "response.output_item.added"
DELTA: Final = "response.output_text.delta"
ANNOTATION: Final = "response.output_text.annotation.added"
TEXT_DONE: Final = "response.output_text.done"
ITEM_DONE: Final = "response.output_item.done"
COMPLETED: Final = "response.completed"
INCOMPLETE: Final = "response.incomplete"
FAILED: Final = "response.failed"

Event = tuple[int, str, Mapping[str, Any]]
"""Sequence number, type and data."""


@dataclass(slots=True)
class Piece:
    """One delta with the quotes that prove it."""

    text: str
    promised: int
    """How many quotes the delta announced."""
    through: int
    """Number of the last event that belongs to it."""
    quotes: list[dict[str, Any]] = field(default_factory=list)

    @property
    def is_whole(self) -> bool:
        """Return whether all its quotes were stored."""
        return len(self.quotes) == self.promised

    @property
    def sentence(self) -> str:
        """Return the sentence without the numbers of its passages."""
        numbers = dict.fromkeys(quote["number"] for quote in self.quotes)
        marks = "".join(f" [{number}]" for number in numbers)
        return self.text.strip("\n").removesuffix(marks)


@dataclass(slots=True)
class Replay:
    """An answer as far as it was stored."""

    announced_through: int = 0
    """Number of the last event before the search."""
    searched: Mapping[str, Any] | None = None
    searched_through: int = 0
    added_through: int = 0
    """Number of the event that opened the text; 0: there is none."""
    pieces: list[Piece] = field(default_factory=list)
    label: Mapping[str, Any] | None = None
    """How the text was made."""

    @property
    def text(self) -> str:
        """Return the text as clients have it."""
        return "".join(piece.text for piece in self.pieces)

    @property
    def citations(self) -> list[dict[str, Any]]:
        """Return the quotes, in their order."""
        return [quote for piece in self.pieces for quote in piece.quotes]

    def without_torn_end(self) -> "Replay":
        """Return the same without a last piece whose quotes were lost."""
        whole = [piece for piece in self.pieces if piece.is_whole]
        return replace(self, pieces=whole)

    @property
    def through(self) -> int:
        """Return the number of the last event that counts."""
        last = self.pieces[-1].through if self.pieces else 0
        return max(last, self.added_through, self.searched_through)


def surviving(events: Iterable[Event]) -> list[Event]:
    """Return the events that still count after all restarts."""
    kept: list[Event] = []
    for event in events:
        if event[1] == RESTARTED:
            through = event[2]["kept_through"]
            kept = [each for each in kept if each[0] <= through]
        else:
            kept.append(event)
    return kept


def replay(events: Iterable[Event]) -> Replay:
    """Return the answer that stored events describe."""
    answer = Replay()
    for number, kind, data in surviving(events):
        if kind in {CREATED, IN_PROGRESS}:
            answer.announced_through = number
        elif kind == SEARCHED:
            answer.searched, answer.searched_through = data, number
        elif kind == ITEM_ADDED:
            answer.added_through, answer.label = number, data.get("engine")
        else:
            _add_text(answer, number, kind, data)
    return answer


def _add_text(answer: Replay, number: int, kind: str, data: Mapping[str, Any]) -> None:
    if kind == DELTA:
        answer.pieces.append(Piece(data["delta"], data.get("annotations", 0), number))
    elif kind == ANNOTATION and answer.pieces:
        answer.pieces[-1].quotes.append(dict(data["annotation"]))
        answer.pieces[-1].through = number
