"""The text of an answer while it is written; what is shown is what will be stored."""

from collections.abc import Mapping, Sequence
from typing import Any

from dossier.ai.schemas import AnswerLabel
from dossier.chat.answering.events import (
    ANNOTATION,
    DELTA,
    ITEM_ADDED,
    ITEM_DONE,
    TEXT_DONE,
    Replay,
)
from dossier.chat.answering.retrieval import CitedPassage, Emit
from dossier.chat.rules.claims import Claim, without_marks
from dossier.jobs.context import JobContext

SEARCHED_INDEX = 1
"""A search stands before the text."""


class AnswerStream:
    """Emits the events of one answer's text and keeps the text."""

    def __init__(self, emit: Emit, item_id: str, *, is_searched: bool = True) -> None:
        self._emit = emit
        self._item_id = item_id
        self._output_index = SEARCHED_INDEX if is_searched else 0
        self._where = {
            "item_id": item_id,
            "output_index": self._output_index,
            "content_index": 0,
        }
        self.label: AnswerLabel | None = None
        """How the text is made, as far as it is known before its end."""
        self._texts: list[str] = []
        self._added_at = 0
        """Number of the event that announced the text; 0: not announced yet."""
        self.citations: list[dict[str, Any]] = []
        self._sentences: set[str] = set()

    @property
    def text(self) -> str:
        """Return the text so far."""
        return "".join(self._texts)

    @property
    def claims_count(self) -> int:
        """Return how many supported sentences there are."""
        return len(self._sentences)

    @property
    def deltas(self) -> list[tuple[str, list[dict[str, Any]]]]:
        """Return each piece of the text with its citations."""
        return [
            (text, [c for c in self.citations if c["piece"] == number])
            for number, text in enumerate(self._texts)
        ]

    @property
    def is_empty(self) -> bool:
        """Return whether there is no text yet."""
        return not self._texts

    def continue_from(self, earlier: Replay) -> None:
        """Start with the text of an earlier attempt."""
        self._texts = [delta.text for delta in earlier.deltas]
        self.citations = earlier.citations
        self._sentences = {delta.sentence for delta in earlier.deltas}
        self._added_at = earlier.added_through
        self.label = label_from(earlier.label)

    def restart(self, ctx: JobContext) -> None:
        """Drop the text, if readers have any of it; the search before it stays."""
        if not self._added_at:
            return
        ctx.restarted(self._added_at - 1)
        self._texts, self.citations = [], []
        self._sentences = set()
        self._added_at = 0

    def open(self) -> None:
        """Announce the text, once."""
        if not self._added_at:
            item = self._item("in_progress", [])
            data = {"output_index": self._output_index, "item": item}
            data["engine"] = label_data(self.label)
            self._added_at = self._emit(ITEM_ADDED, data)

    def token(self, text: str) -> None:
        """Append a token of a model."""
        text = storable(text)
        self._texts.append(text)
        self._emit(DELTA, self._where | {"delta": text, "annotations": 0})

    def has_claim(self, claim: Claim) -> bool:
        """Return whether the answer holds a sentence already."""
        return without_marks(storable(claim.sentence)) in self._sentences

    def line(self, text: str) -> None:
        """Append a line that no model wrote."""
        self._append_line(without_marks(text), ())

    def append_claim(self, claim: Claim, passages: Mapping[int, CitedPassage]) -> None:
        """Append a supported sentence with its quotes, unless it is there already.

        Each citation says where its mark stands in the whole text.
        """
        if self.has_claim(claim):
            return
        line = without_marks(storable(claim.sentence))
        self._sentences.add(line)
        before = len(self.text) + (1 if self._texts else 0)
        spans: dict[int, dict[str, int]] = {}
        for number in claim.numbers:
            mark = f"[{number}]"
            start = before + len(line) + 1
            spans[number] = {"mark_start": start, "mark_end": start + len(mark)}
            line += f" {mark}"
        citations = [
            passages[quote.number].citation(quote) | spans[quote.number]
            for quote in claim.quotes
        ]
        self._append_line(line, citations)

    def cited(self, text: str, citations: Sequence[dict[str, Any]]) -> None:
        """Append a text with its citations."""
        self.open()
        text = storable(text)
        self._texts.append(text)
        self._emit(DELTA, self._where | {"delta": text, "annotations": len(citations)})
        end = sum(len(each) for each in self._texts)
        for citation in citations:
            annotation = {**citation, "index": end, "piece": len(self._texts) - 1}
            data = {"annotation_index": len(self.citations), "annotation": annotation}
            self.citations.append(annotation)
            self._emit(ANNOTATION, self._where | data)

    def close(self) -> None:
        """Announce that the text is whole."""
        self.open()
        text = self.text
        self._emit(TEXT_DONE, self._where | {"text": text})
        content = [{"type": "output_text", "text": text, "annotations": self.citations}]
        item = self._item("completed", content)
        self._emit(ITEM_DONE, {"output_index": self._output_index, "item": item})

    def _item(self, status: str, content: list[dict[str, Any]]) -> dict[str, Any]:
        kind = {"id": self._item_id, "type": "message", "role": "assistant"}
        return {**kind, "status": status, "content": content}

    def _append_line(self, line: str, citations: Sequence[dict[str, Any]]) -> None:
        self.cited(f"\n{line}" if self._texts else line, citations)


def label_data(label: AnswerLabel | None) -> dict[str, Any] | None:
    """Return a label as events and messages keep it."""
    return None if label is None else label.model_dump(mode="json")


def label_from(data: Mapping[str, Any] | None) -> AnswerLabel | None:
    """Return a label that was kept."""
    return None if data is None else AnswerLabel.model_validate(data)


def storable(text: str) -> str:
    """Return what both a stream and a text column can hold: no NUL, no lone surrogate.

    Models cut characters in two; what is shown must be what is stored.
    """
    if text.isascii() and "\x00" not in text:
        return text
    return text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")
