"""Extracts the sentences that answer a question, verbatim, and rates the answer.

A sentence is scored by the share of the question's terms in it, weighted by inverse
document frequency. Measured on 1,000 Chinese questions over 1,000 paragraphs (`python
-m benchmarks evals`): at .5, 6 % are answered although their paragraph was removed;
between .25 and .5 the closest passages are shown, and labelled as closest. What is
shown then holds the answer for 89 % of the questions whose answers were marked.
"""

import math
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby
from typing import Final

from dossier.knowledge.rules.analyser import ANALYSER_VERSION, terms
from dossier.knowledge.rules.line_breaks import is_title, unwrapped
from dossier.knowledge.rules.sentences import Sentence, split_sentences

DOCUMENTS_PARSER: Final = f"analyser@{ANALYSER_VERSION}"
"""Version of the analyser that made the passages which an answer cites."""

ANSWER_SHARE = 0.5
CLOSEST_SHARE = 0.25
OWN_SHARE = 0.05
"""Least own share of a second sentence; its passage's title alone does not suffice."""
MISSING_WEIGHT = 1.5
"""Factor of a word that is in no passage: they cannot answer what is asked of it."""
NEIGHBOUR_WEIGHT = 0.3
"""Factor of a term that only the sentence before or after holds."""
CONTEXT_WEIGHT = 0.5
"""Factor of a term that only the passage's title holds."""
OTHER_PROPERTY_WEIGHT = 0.3
"""Factor of the share above `CLOSEST_SHARE` of a sentence that names the thing and not
the property that is asked: it may be among the closest, and is never an answer."""
MAX_SENTENCES = 3

_FUNCTION_CHARACTERS = frozenset("是有在为和与及于被将会要能可以个这那哪最多少对由从")
_FIRST_IDEOGRAPH = "\u2e80"
_WHOLE = re.compile("[.。！!？?][^\\w\\s]*$")
_ASKING = re.compile(
    r"(?:請問|请问|是否|為什麼|为什么|什麼時候|什么时候|什麼|什么|甚麼|為何|为何|如何|怎麼|怎么|怎樣|怎样"
    r"|何[時时處处地人年種种者事謂谓]|哪一?[年月日個个位人種种國国座項项部條条家所本些裡里幾]?"
    r"|誰|谁|幾|几|多少|多久|多長|多长|嗎|吗|呢)"
    r"|\bhow\s+(?:long|often|far|old|soon|large|big|high)\b"
    r"|\b(?:what|which|who|whom|whose|when|where|why|how|many|much|does|did|do|please"
    r"|tell|me|can|could|you|there|any|give|show)\b",
    re.IGNORECASE,
)

_PROPERTY_EN: Final = re.compile(
    r"\b(?:what|which)(?:\s+(?:is|are|was|were)|['\u2019]s)\s+(.+?)\s+(?:of|for|in|on|at)\s",
    re.IGNORECASE,
)
_PROPERTY_ZH: Final = re.compile(r"的([^的，,、]+?)(?=[是為为有在\s。？?]|$)")

_CELL: Final = re.compile(r"\t|\s\|\s")
_NUMBER: Final = re.compile(r"[\d\s.,:/%<>≤≥±+-]*\d[\d\s.,:/%<>≤≥±+-]*")
_MIN_NAMES: Final = 4
"""Least cells of a single row that only names columns; fewer may be name and value."""
_MIN_STEM: Final = 5
"""Least common beginning of two words of one stem: `supplies` and `supplier`."""


class AnswerVerdict(StrEnum):
    """How well the passages answer a question."""

    ANSWERED = "answered"
    CLOSEST = "closest"
    NOT_FOUND = "not_found"


@dataclass(frozen=True, slots=True)
class QuotablePassage:
    """A found passage; `context` is its title, which counts but is not quoted."""

    text: str
    context: str = ""
    is_table: bool = False
    is_draft: bool = False
    """Of a draft or unsigned document: it ranks below others that answer as well."""
    barred: Sequence[tuple[int, int]] = ()
    """Offsets of stretches that are never quoted."""


@dataclass(frozen=True, slots=True)
class Picked:
    """A sentence of a passage; `passage` is the passage's index in the input."""

    passage: int
    sentence: Sentence
    share: float
    own_share: float
    """Share of the question's terms in the sentence itself."""
    shown: str
    """The sentence in one line; a table row with the names of its columns."""
    is_row: bool = False


@dataclass(frozen=True, slots=True)
class Extraction:
    """The best sentences, best first, and the share of the best one."""

    verdict: AnswerVerdict
    picked: tuple[Picked, ...]
    share: float


def question_terms(question: str) -> frozenset[str]:
    """Return a question's terms, without interrogatives such as `how long`."""
    subject = frozenset(terms(_ASKING.sub(" ", question)))
    return subject or frozenset(terms(question))


def property_terms(question: str) -> frozenset[str]:
    """Return the terms of the property that is asked of a thing: `pH` of the cream.

    Empty where the question names none so. Of Chinese only pairs of characters.
    """
    found = _PROPERTY_EN.search(question) or _PROPERTY_ZH.search(
        _ASKING.sub(" ", question)
    )
    named = frozenset(terms(found[1])) if found else frozenset[str]()
    return frozenset(filter(_is_whole, named)) or named


def extract(
    question: str, passages: Sequence[QuotablePassage], idf: Mapping[str, float]
) -> Extraction:
    """Return up to three sentences; a term without idf counts as the rarest."""
    ranked = ranked_sentences(question, passages, idf)
    best = ranked[0].share if ranked else 0.0
    if best < CLOSEST_SHARE:
        return Extraction(AnswerVerdict.NOT_FOUND, (), best)
    is_answered = best >= ANSWER_SHARE
    verdict = AnswerVerdict.ANSWERED if is_answered else AnswerVerdict.CLOSEST
    return Extraction(verdict, tuple(_distinct(ranked)), best)


def ranked_sentences(
    question: str, passages: Sequence[QuotablePassage], idf: Mapping[str, float]
) -> list[Picked]:
    """Return all sentences, the best first."""
    asked = question_terms(question)
    wanted = property_terms(question) or asked
    read = [
        (number, part)
        for number, passage in enumerate(passages)
        for part in _read(asked, passage)
    ]
    rarest = max(idf.values(), default=1.0)
    weights = {term: idf.get(term, rarest) for term in asked}
    missing = asked.difference(*(part.held for _number, part in read))
    for term in filter(_is_word, missing):
        weights[term] *= MISSING_WEIGHT
    for term in filter(_is_identifier, asked):
        weights[term] = max(weights[term], rarest)
    return sorted(
        _candidates(weights, wanted, read),
        key=lambda one: (
            (one.share < ANSWER_SHARE) + (one.share < CLOSEST_SHARE),
            passages[one.passage].is_draft,
            -one.share,
        ),
    )


@dataclass(frozen=True, slots=True)
class _Line:
    """A sentence, and the question's terms in it."""

    sentence: Sentence
    own: frozenset[str]
    is_echo: bool
    """It only repeats terms of the question or the title, and is no whole sentence."""
    shown: str


@dataclass(frozen=True, slots=True)
class _ReadPassage:
    """The sentences of a passage, and the question's terms in its title and columns."""

    lines: Sequence[_Line]
    title: frozenset[str]
    held: frozenset[str]
    """The question's terms anywhere in it."""
    columns: frozenset[str] = frozenset()
    """Those in the names of a table's columns."""
    is_table: bool = False


def _read(asked: frozenset[str], passage: QuotablePassage) -> Iterator[_ReadPassage]:
    """Read a passage; the tables within its text apart from the text."""
    context = frozenset(terms(passage.context))
    if passage.is_table:
        rows = split_sentences(passage.text, by_line=True)
        yield _read_rows(asked, context, passage, rows, _header_of(rows))
        return
    sentences: list[Sentence] = []
    for is_row, run in groupby(
        split_sentences(passage.text), lambda each: "\t" in each.text
    ):
        rows = list(run)
        header = _header_of(rows) if is_row else None
        if header is None:
            sentences += rows
        else:
            yield _read_rows(asked, context, passage, rows, header)
    lines = [
        _line(asked, context, each, unwrapped(each.text))
        for each in _quotable(sentences, passage)
    ]
    held = (asked & context).union(*(line.own for line in lines))
    statements = [
        line
        for line in lines
        if not is_title(passage.text, line.sentence.start, line.sentence.end)
    ]
    yield _ReadPassage(statements, asked & context, held)


def _read_rows(
    asked: frozenset[str],
    context: frozenset[str],
    passage: QuotablePassage,
    rows: Sequence[Sentence],
    header: Sentence | None,
) -> _ReadPassage:
    """Read a table: rows by their own terms, columns by their names."""
    names = frozenset(terms(header.text)) if header else frozenset()
    # The question's terms that name a column, endings aside.
    columns = asked & names | {
        term
        for term in asked
        for short, long in (sorted((term, name), key=len) for name in names)
        if len(short) >= _MIN_STEM and long.startswith(short)
    }
    lines = [
        _line(asked, context, row, _labelled(row, header, rows))
        for row in _quotable(rows, passage)
        if row is not header
    ]
    title = asked & context
    held = (title | columns).union(*(line.own for line in lines))
    named = [line for line in lines if line.own - columns]
    return _ReadPassage(named or lines, title, held, columns, is_table=True)


def _quotable(
    sentences: Iterable[Sentence], passage: QuotablePassage
) -> list[Sentence]:
    return [
        each
        for each in sentences
        if not any(
            each.start < end and start < each.end for start, end in passage.barred
        )
    ]


def _line(
    asked: frozenset[str], context: frozenset[str], sentence: Sentence, shown: str
) -> _Line:
    held = frozenset(terms(sentence.text))
    is_echo = held <= asked | context and not _WHOLE.search(sentence.text)
    return _Line(sentence, asked & held, is_echo, shown)


def _is_word(term: str) -> bool:
    """Return whether a term is a word or a character; a pair may be no word at all."""
    if term[0] < _FIRST_IDEOGRAPH:
        return True
    return len(term) == 1 and term not in _FUNCTION_CHARACTERS


def _is_whole(term: str) -> bool:
    return len(term) > 1 or term < _FIRST_IDEOGRAPH


def _candidates(
    weights: Mapping[str, float],
    wanted: frozenset[str],
    read: Iterable[tuple[int, _ReadPassage]],
) -> Iterator[Picked]:
    total = math.fsum(weights.values())
    if total <= 0:
        return
    for number, passage in read:
        found = [line.own for line in passage.lines]
        for at, line in enumerate(passage.lines):
            if line.is_echo:
                continue
            held, around, above = line.own, set[str](), passage.title
            if not passage.is_table:  # a row of a table has no neighbours
                around.update(*found[max(0, at - 1) : at], *found[at + 1 : at + 2])
            elif line.own - passage.columns:
                held = line.own | passage.columns
            else:
                above = passage.title | passage.columns
            weight = _weight(weights, held, around, above)
            own = math.fsum(weights[term] for term in line.own)
            share = weight / total
            above_closest = share - CLOSEST_SHARE
            if above_closest > 0 and wanted.isdisjoint(held | above | around):
                share = CLOSEST_SHARE + OTHER_PROPERTY_WEIGHT * above_closest
            yield Picked(
                number,
                line.sentence,
                share,
                own / total,
                line.shown,
                passage.is_table,
            )


def _weight(
    weights: Mapping[str, float],
    own: Collection[str],
    around: Collection[str],
    title: Collection[str],
) -> float:
    """Add the weights of a sentence's own terms and, reduced, of those around it."""
    near = set(around) - set(own)
    above = set(title) - set(own) - near
    return (
        math.fsum(weights[term] for term in own)
        + NEIGHBOUR_WEIGHT * math.fsum(weights[term] for term in near)
        + CONTEXT_WEIGHT * math.fsum(weights[term] for term in above)
    )


def _distinct(ranked: Sequence[Picked]) -> Iterator[Picked]:
    """Yield the best sentences above the least share, each text once."""
    seen: set[str] = set()
    # Beside a table row that answers, a mere shared word is no answer.
    is_row_best = any(one.is_row and one.share >= ANSWER_SHARE for one in ranked[:1])
    least = ANSWER_SHARE if is_row_best else CLOSEST_SHARE
    for one in ranked:
        if one.share < least or len(seen) == MAX_SENTENCES:
            return
        if one.sentence.text in seen or (seen and one.own_share < OWN_SHARE):
            continue
        seen.add(one.sentence.text)
        yield one


def _header_of(rows: Sequence[Sentence]) -> Sentence | None:
    """Return the first row if it names the columns, that is, holds no values."""
    if len(rows) <= 1:
        cells = [cell for row in rows for cell in _cells(row.text)]
        has_value = any(map(_NUMBER.fullmatch, cells))
        return rows[0] if len(cells) >= _MIN_NAMES and not has_value else None
    first, second = (_cells(row.text) for row in rows[:2])
    if not any(map(_has_digit, first)):
        return rows[0]
    has_no_number = not any(map(_NUMBER.fullmatch, first))
    has_fewer_digits = sum(map(_has_digit, first)) < sum(map(_has_digit, second))
    return rows[0] if has_no_number and has_fewer_digits else None


def _labelled(row: Sentence, header: Sentence | None, rows: Sequence[Sentence]) -> str:
    """Return a row with the name of each column, where they certainly match.

    Empty cells at the end of a row, and of some formats all, are not stored: only the
    cells of a row as long as the first are certainly in their places.
    """
    if header is None:
        return row.text
    names, values = _cells(header.text), _cells(row.text)
    widest = max(len(_cells(each.text)) for each in rows)
    if not len(names) == len(values) == widest:
        # The names may hold the unit of a number in the row.
        return f"{row.text} ({' | '.join(names)})"
    pairs = zip(names, values, strict=True)
    return "; ".join(f"{name}: {value}" for name, value in pairs if value)


def _is_identifier(term: str) -> bool:
    """Return whether a term is a CAS number or a code."""
    is_mixed = "-" in term or any(map(str.isalpha, term))
    return len(term) >= _MIN_STEM and is_mixed and _has_digit(term)


def _has_digit(text: str) -> bool:
    return any(map(str.isdigit, text))


def _cells(line: str) -> list[str]:
    return [each.strip() for each in _CELL.split(line)]
