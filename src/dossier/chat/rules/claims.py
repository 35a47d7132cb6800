"""What a model claims, one claim a line, let through only with its proof.

A line reads `sentence ⟦n|verbatim quote⟧`, with as many marks as it has proofs. It is
released when it is complete, all its marks name a passage that holds their quote, and
its numbers stand in those passages. How the text was cut on its way changes nothing.
"""

# ruff: noqa: RUF001 - models write full-width bars

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from dossier.chat.rules.claims_links import without_foreign_links
from dossier.chat.rules.claims_numbers import unsupported_numbers
from dossier.chat.rules.claims_quotes import Place, is_long_enough, locate
from dossier.chat.rules.claims_relation import is_related
from dossier.core.visible import visible

OPEN, CLOSE = "⟦", "⟧"
NOTHING = f"{OPEN}none{CLOSE}"
"""The line by which a model says that the passages do not answer."""
MAX_MARK = 600
"""A mark that is open for longer was never meant to be closed."""
MAX_LINE = 16_000
"""A line that is longer is no claim; it would be copied with every piece that comes."""

_STRUCTURE = re.compile(rf"[{OPEN}{CLOSE}\n]")
_MARK = re.compile(rf"{OPEN}\s*(\d{{1,4}})\s*[|｜](.*?){CLOSE}", re.DOTALL)
_ANY_MARK = re.compile(rf"\s*{OPEN}[^{CLOSE}]*(?:{CLOSE}|$)|[{OPEN}{CLOSE}]", re.DOTALL)
_LIST_MARK = re.compile(r"^\s*(?:[-*•#>]+|\(?\d{1,2}[.)、])\s+")


class Fault(StrEnum):
    """Why a claim was dropped."""

    NO_CITATION = "no_citation"
    UNKNOWN_CITATION = "unknown_citation"
    FORGED_QUOTE = "forged_quote"
    UNSUPPORTED_NUMBER = "unsupported_number"
    UNRELATED_QUOTE = "unrelated_quote"
    TOO_MANY = "too_many"


@dataclass(frozen=True, slots=True)
class Source:
    """A passage as the model was shown it, and as it stands in the paper."""

    number: int
    shown: str
    text: str


@dataclass(frozen=True, slots=True)
class Quote:
    """A proof: where in which passage the words stand."""

    number: int
    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Claim:
    """A sentence that may be shown, with its proofs."""

    sentence: str
    quotes: tuple[Quote, ...]

    @property
    def shown(self) -> str:
        """Return the sentence with the numbers of its passages."""
        numbers = dict.fromkeys(quote.number for quote in self.quotes)
        return self.sentence + "".join(f" [{number}]" for number in numbers)


def written_again(sentence: str, quotes: Iterable[tuple[int, str]]) -> str:
    """Return a released claim as the model had written it."""
    marks = "".join(f" {OPEN}{number}|{quote}{CLOSE}" for number, quote in quotes)
    return f"{sentence}{marks}"


@dataclass
class ClaimReader:
    """Takes a model's text piece by piece; gives the claims that hold."""

    sources: Mapping[int, Source]
    dropped: Counter[Fault] = field(default_factory=Counter)
    said_nothing: bool = False
    """The model said that the passages do not answer."""
    _buffer: str = ""
    _scanned: int = 0
    _opened_at: int | None = None

    def feed(self, delta: str) -> list[Claim]:
        """Take a piece; return the claims whose lines it completes."""
        self._buffer += delta
        found = [claim for line in self._lines() for claim in self._judged(line)]
        if len(self._buffer) > MAX_LINE:
            self._give_up_line()
        return found

    def restart(self) -> None:
        """Forget the text so far: it was not the answer."""
        self.dropped.clear()
        self.said_nothing = False
        self._buffer, self._scanned, self._opened_at = "", 0, None

    def _give_up_line(self) -> None:
        """Drop a line that does not end, as far as it came."""
        self._buffer, self._scanned, self._opened_at = "", 0, None
        self.dropped[Fault.NO_CITATION] += 1

    def finish(self) -> list[Claim]:
        """Judge what stands after the last break of line."""
        rest, self._buffer, self._scanned = self._buffer, "", 0
        # A mark that never closed must not hide the lines after it.
        lines = [rest] if self._opened_at is None else rest.split("\n")
        self._opened_at = None
        return [claim for line in lines for claim in self._judged(line)]

    def _lines(self) -> Iterator[str]:
        """Cut complete lines off; a break inside a mark belongs to its quote."""
        while found := _STRUCTURE.search(self._buffer, self._scanned):
            at = found.start()
            self._scanned = found.end()
            if found.group() == "\n" and not self._is_inside_mark(at):
                line, self._buffer = self._buffer[:at], self._buffer[at + 1 :]
                self._scanned, self._opened_at = 0, None
                yield line
            elif found.group() != "\n":
                self._opened_at = at if found.group() == OPEN else None
        self._scanned = len(self._buffer)

    def _is_inside_mark(self, at: int) -> bool:
        return self._opened_at is not None and at - self._opened_at <= MAX_MARK

    def _judged(self, line: str) -> Iterator[Claim]:
        if line.strip() == NOTHING:
            self.said_nothing = True
        elif line.strip():
            verdict = judge(line, self.sources)
            if isinstance(verdict, Claim):
                yield verdict
            else:
                self.dropped[verdict] += 1


def judge(line: str, sources: Mapping[int, Source]) -> Claim | Fault:
    """Return the claim that a line makes, or why it does not hold."""
    marks = [(int(number), quote.strip()) for number, quote in _MARK.findall(line)]
    written = _LIST_MARK.sub("", _ANY_MARK.sub("", line)).strip()
    if not marks or not written:
        return Fault.NO_CITATION
    if any(number not in sources for number, _quote in marks):
        return Fault.UNKNOWN_CITATION
    places = [(number, find(quote, sources[number])) for number, quote in marks]
    if any(place is None for _number, place in places):
        return Fault.FORGED_QUOTE
    return _supported(written, marks, places, sources)


def _supported(
    written: str,
    marks: Sequence[tuple[int, str]],
    places: Sequence[tuple[int, Place | None]],
    sources: Mapping[int, Source],
) -> Claim | Fault:
    """Return the claim of a line whose quotes hold, or what it says beyond them."""
    cited = [sources[number].shown for number, _quote in marks]
    sentence = without_foreign_links(written, cited)
    if not sentence:
        return Fault.NO_CITATION
    if unsupported_numbers(sentence, cited):
        return Fault.UNSUPPORTED_NUMBER
    if not is_related(sentence, [quote for _number, quote in marks]):
        return Fault.UNRELATED_QUOTE
    return Claim(sentence, tuple(_quotes(places, sources)))


def find(quote: str, source: Source) -> Place | None:
    """Return where a quote stands in the paper, if the model was shown it there."""
    if not is_long_enough(quote) or locate(quote, source.shown) is None:
        return None
    return locate(quote, source.text)


def _quotes(
    places: Iterable[tuple[int, Place | None]], sources: Mapping[int, Source]
) -> Iterator[Quote]:
    for number, place in places:
        if place is not None:
            text = visible(sources[number].text[place.start : place.end])
            yield Quote(number, text, place.start, place.end)
