"""What a model claims, one claim a line, shown only with its proof.

A line reads `sentence ⟦n|verbatim quote⟧`, with as many marks as it has proofs. It is
shown when it is complete, all its marks name a passage that holds their quote, its
numbers stand in those passages, and it shares a word with its quotes. How the text was
cut on its way changes nothing.
"""

# ruff: noqa: RUF001, SIM905 - models write full-width bars; words fit into five lines

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from dossier.chat.rules.links import without_foreign_links
from dossier.chat.rules.numbers import unsupported_numbers
from dossier.core.visible import visible

OPEN, CLOSE = "⟦", "⟧"
NO_ANSWER = f"{OPEN}none{CLOSE}"
"""The line by which a model says that the passages do not answer."""
MAX_MARK = 600
"""A mark that is open for longer was never meant to be closed."""
MAX_LINE = 16_000
"""A line that is longer is no claim; it would be copied with every piece that comes."""

_STRUCTURE = re.compile(rf"[{OPEN}{CLOSE}\n]")
_MARK = re.compile(rf"{OPEN}\s*(\d{{1,4}})\s*[|｜](.*?){CLOSE}", re.DOTALL)
_ANY_MARK = re.compile(rf"\s*{OPEN}[^{CLOSE}]*(?:{CLOSE}|$)|[{OPEN}{CLOSE}]", re.DOTALL)
_CITATION_MARK = re.compile(r"\[(\s*\^?\s*\d[\d\s,;–-]{0,20})\]")
_LIST_MARK = re.compile(r"^\s*(?:[-*•#>]+|\(?\d{1,2}[.)、])\s+")
MIN_WEIGHT = 5
"""A Chinese character weighs two; `10.5%` is the shortest quote that proves."""
_FIRST_IDEOGRAPH = 0x2E80  # CJK Radicals Supplement, the first of the blocks
_WORD = re.compile(r"[a-z]{2,}|\d+(?:[.,]\d+)*", re.IGNORECASE)
_IDEOGRAPH = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]")
_EMPTY_CHARACTERS = frozenset(
    "的了是在有和與与及或為为不以於于一個个這这該该其之也都而請请"
)
_EMPTY_WORDS = frozenset(
    "the and for are was were has have had not with from that this these those its can"
    " may will shall must should you your our their than then into over under above"
    " below all any each but is it of to in on at as by be or an no we do so if"
    " up".split()
)
_STEM = 5
"""Letters that decide: `stabil` is in `stable` as far as here."""


@dataclass(frozen=True, slots=True)
class QuotePlace:
    """A stretch of a text."""

    start: int
    end: int


class ClaimFault(StrEnum):
    """Why a claim was dropped."""

    NO_CITATION = "no_citation"
    UNKNOWN_CITATION = "unknown_citation"
    FORGED_QUOTE = "forged_quote"
    UNSUPPORTED_NUMBER = "unsupported_number"
    UNRELATED_QUOTE = "unrelated_quote"
    TOO_MANY = "too_many"


@dataclass(frozen=True, slots=True)
class CitedSource:
    """A passage as the model was shown it, and as it stands in the document."""

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
    def numbers(self) -> list[int]:
        """Return the numbers of its passages, each once."""
        return list(dict.fromkeys(quote.number for quote in self.quotes))


def without_marks(text: str) -> str:
    """Return a text of others with full-width brackets where it looks like `[1]`.

    A document's own references would otherwise read as citations of the answer.
    """
    return _CITATION_MARK.sub(r"［\1］", text)


def as_written(sentence: str, quotes: Iterable[tuple[int, str]]) -> str:
    """Return a released claim as the model had written it."""
    marks = "".join(f" {OPEN}{number}|{quote}{CLOSE}" for number, quote in quotes)
    return f"{sentence}{marks}"


@dataclass
class ClaimReader:
    """Reads a model's text piece by piece and returns the claims that hold."""

    sources: Mapping[int, CitedSource]
    dropped: Counter[ClaimFault] = field(default_factory=Counter)
    has_no_answer: bool = False
    """The model said that the passages do not answer."""
    _buffer: str = ""
    _scanned: int = 0
    _opened_at: int | None = None

    def feed(self, delta: str) -> list[Claim]:
        """Read a piece; return the claims whose lines it completes."""
        self._buffer += delta
        claims: list[Claim] = []
        while found := _STRUCTURE.search(self._buffer, self._scanned):
            at = found.start()
            self._scanned = found.end()
            opened = self._opened_at
            is_in_mark = opened is not None and at - opened <= MAX_MARK
            if found.group() != "\n":
                self._opened_at = at if found.group() == OPEN else None
            elif not is_in_mark:  # a break inside a mark belongs to its quote
                line, self._buffer = self._buffer[:at], self._buffer[at + 1 :]
                self._scanned, self._opened_at = 0, None
                claims += self._checked(line)
        self._scanned = len(self._buffer)
        if len(self._buffer) > MAX_LINE:
            self._buffer, self._scanned, self._opened_at = "", 0, None
            self.dropped[ClaimFault.NO_CITATION] += 1
        return claims

    def restart(self) -> None:
        """Forget the text so far: it was not the answer."""
        self.dropped.clear()
        self.has_no_answer = False
        self._buffer, self._scanned, self._opened_at = "", 0, None

    def finish(self) -> list[Claim]:
        """Check what stands after the last break of line."""
        rest, self._buffer, self._scanned = self._buffer, "", 0
        # A mark that never closed must not hide the lines after it.
        lines = [rest] if self._opened_at is None else rest.split("\n")
        self._opened_at = None
        return [claim for line in lines for claim in self._checked(line)]

    def _checked(self, line: str) -> Iterator[Claim]:
        if line.strip() == NO_ANSWER:
            self.has_no_answer = True
        elif line.strip():
            checked = check_claim(line, self.sources)
            if isinstance(checked, Claim):
                yield checked
            else:
                self.dropped[checked] += 1


def check_claim(line: str, sources: Mapping[int, CitedSource]) -> Claim | ClaimFault:
    """Return the claim that a line makes, or why it does not hold."""
    marks = [(int(number), quote.strip()) for number, quote in _MARK.findall(line)]
    written = _LIST_MARK.sub("", _ANY_MARK.sub("", line)).strip()
    if not marks or not written:
        return ClaimFault.NO_CITATION
    if any(number not in sources for number, _quote in marks):
        return ClaimFault.UNKNOWN_CITATION
    found = [(number, find(quote, sources[number])) for number, quote in marks]
    places = [(number, place) for number, place in found if place is not None]
    if len(places) < len(marks):
        return ClaimFault.FORGED_QUOTE
    return _supported(written, marks, places, sources)


def _supported(
    written: str,
    marks: Sequence[tuple[int, str]],
    places: Sequence[tuple[int, QuotePlace]],
    sources: Mapping[int, CitedSource],
) -> Claim | ClaimFault:
    """Return the claim of a line whose quotes hold, or what it says beyond them."""
    cited = [sources[number].shown for number, _quote in marks]
    sentence = without_foreign_links(written, cited)
    if not sentence:
        return ClaimFault.NO_CITATION
    if unsupported_numbers(sentence, cited):
        return ClaimFault.UNSUPPORTED_NUMBER
    if not is_related(sentence, [quote for _number, quote in marks]):
        return ClaimFault.UNRELATED_QUOTE
    quotes = []
    for number, place in places:
        text = visible(sources[number].text[place.start : place.end])
        quotes.append(Quote(number, text, place.start, place.end))
    return Claim(sentence, tuple(quotes))


def find(quote: str, source: CitedSource) -> QuotePlace | None:
    """Return where a quote stands in the document, if the model was shown it there."""
    if not is_long_enough(quote) or locate(quote, source.shown) is None:
        return None
    return locate(quote, source.text)


def is_long_enough(quote: str) -> bool:
    """Return whether a quote is more than a word that could stand anywhere."""
    folded = "".join(character for character, _start, _end in _folded(quote))
    return sum(2 if ord(c) >= _FIRST_IDEOGRAPH else 1 for c in folded) >= MIN_WEIGHT


def locate(quote: str, text: str) -> QuotePlace | None:
    """Return where a quote stands in a text, by the text's own offsets."""
    wanted = "".join(character for character, _start, _end in _folded(quote))
    table = list(_folded(text))
    at = "".join(character for character, _start, _end in table).find(wanted)
    if not wanted or at < 0:
        return None
    return QuotePlace(table[at][1], table[at + len(wanted) - 1][2])


def _folded(text: str) -> Iterator[tuple[str, int, int]]:
    """Yield the characters that are compared, each with the stretch it stands for."""
    start = 0
    while start < len(text):
        end = start + 1
        while end < len(text) and unicodedata.combining(text[end]):
            end += 1
        for character in unicodedata.normalize("NFKC", text[start:end]):
            if not character.isspace() and unicodedata.category(character) != "Cf":
                yield character, start, end
        start = end


def is_related(sentence: str, quotes: Iterable[str]) -> bool:
    """Return whether a sentence shares a word with its quotes."""
    quoted = " ".join(quotes)
    if _script(sentence) != _script(quoted):
        return True
    return bool(_marks(sentence) & _marks(quoted))


def _script(text: str) -> bool:
    return bool(_IDEOGRAPH.search(text))


def _marks(text: str) -> set[str]:
    """Return what a text could share with another one."""
    folded = unicodedata.normalize("NFKC", text).lower()
    words = {word for word in _WORD.findall(folded) if word not in _EMPTY_WORDS}
    characters = set(_IDEOGRAPH.findall(folded)) - _EMPTY_CHARACTERS
    return {word[:_STEM] for word in words} | characters
