"""The answer as it grows: what is shown is what will be stored."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from dossier.chat.rules.claims import Claim
from dossier.chat.rules.replay import (
    ANNOTATION,
    DELTA,
    ITEM_ADDED,
    ITEM_DONE,
    TEXT_DONE,
    Replay,
)
from dossier.chat.service.answers_sources import Cited

Emit = Callable[[str, Mapping[str, Any]], int]

OUTPUT_INDEX = 1
"""The search stands before the text."""


class Reply:
    """Emits the text of one answer and keeps it."""

    def __init__(self, emit: Emit, item_id: str) -> None:
        self._emit = emit
        self._item_id = item_id
        self._texts: list[str] = []
        self._is_open = False
        self.citations: list[dict[str, Any]] = []
        self._sentences: set[str] = set()

    @property
    def text(self) -> str:
        """Return all that was said."""
        return "".join(self._texts)

    @property
    def claims_count(self) -> int:
        """Return how many proven sentences were said."""
        return len(self._sentences)

    @property
    def pieces(self) -> list[tuple[str, list[dict[str, Any]]]]:
        """Return what was said, piece by piece, each with its quotes."""
        return [
            (text, [c for c in self.citations if c["piece"] == number])
            for number, text in enumerate(self._texts)
        ]

    @property
    def is_empty(self) -> bool:
        """Tell whether nothing was said."""
        return not self._texts

    def go_on_from(self, told: Replay) -> None:
        """Take up what an earlier process had said."""
        self._texts = [piece.text for piece in told.pieces]
        self.citations = told.citations
        self._sentences = {piece.sentence for piece in told.pieces}
        self._is_open = told.added_through > 0

    def open(self) -> None:
        """Announce the text, once."""
        if not self._is_open:
            self._is_open = True
            item = {"id": self._item_id, "type": "message", "role": "assistant"}
            self._emit(
                ITEM_ADDED,
                {"output_index": OUTPUT_INDEX, "item": item | {"content": []}},
            )

    def token(self, text: str) -> None:
        """Say what a model just said; nothing stands between."""
        text = storable(text)
        self._texts.append(text)
        self._emit(DELTA, {"item_id": self._item_id, "delta": text})

    def line(self, text: str) -> None:
        """Say a line of our own."""
        self._say(text, ())

    def claim(self, claim: Claim, passages: Mapping[int, Cited]) -> None:
        """Say a sentence that was proven, with its proofs; none twice."""
        if claim.sentence in self._sentences:
            return
        self._sentences.add(claim.sentence)
        quotes = [passages[quote.number].citation(quote) for quote in claim.quotes]
        self._say(claim.shown, quotes)

    def cited(self, text: str, quotes: Sequence[dict[str, Any]]) -> None:
        """Say again what was said and proven before."""
        self.open()
        text = storable(text)
        self._texts.append(text)
        self._announce(text, quotes)

    def close(self) -> None:
        """Announce that the text is whole."""
        self.open()
        where = {"item_id": self._item_id, "output_index": OUTPUT_INDEX}
        text = self.text
        self._emit(TEXT_DONE, where | {"content_index": 0, "text": text})
        content = [{"type": "output_text", "text": text, "annotations": self.citations}]
        item = {"id": self._item_id, "type": "message", "role": "assistant"}
        self._emit(ITEM_DONE, where | {"item": item | {"content": content}})

    def _say(self, line: str, quotes: Sequence[dict[str, Any]]) -> None:
        self.cited(f"\n{line}" if self._texts else line, quotes)

    def _announce(self, text: str, quotes: Sequence[dict[str, Any]]) -> None:
        where = {"item_id": self._item_id, "output_index": OUTPUT_INDEX}
        told = {"content_index": 0, "delta": text, "annotations": len(quotes)}
        self._emit(DELTA, where | told)
        end = sum(len(each) for each in self._texts)
        for quote in quotes:
            annotation = {**quote, "index": end, "piece": len(self._texts) - 1}
            place = {"content_index": 0, "annotation_index": len(self.citations)}
            self.citations.append(annotation)
            self._emit(ANNOTATION, where | place | {"annotation": annotation})


def storable(text: str) -> str:
    """Return what both a stream and a text column can hold: no NUL, no half character.

    Models cut characters in two; what is shown must be what is stored.
    """
    if text.isascii() and "\x00" not in text:
        return text
    return text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")
