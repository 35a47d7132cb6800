"""The sentences that answer a question, verbatim, and whether they do.

A sentence counts by the share of the question's terms in it, weighed by their rarity
(idf). Measured on 1,000 Chinese questions over 1,000 paragraphs (`python -m benchmarks
evals`): at .5, 6 % are answered though their paragraph was taken away; between .25
and .5 the closest passages are shown, and named as no more than that. What is shown
then holds the answer for 89 % of the questions whose answers were marked.
"""

import math
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from dossier.knowledge.rules.analyser import terms
from dossier.knowledge.rules.extract_rows import (
    header_of,
    is_identifier,
    labelled,
    named_by,
)
from dossier.knowledge.rules.extract_sentences import Sentence, split_sentences
from dossier.knowledge.rules.line_breaks import is_title, unwrapped

ANSWER_SHARE = 0.5
CLOSEST_SHARE = 0.25
OWN_SHARE = 0.05
"""What a second sentence holds by itself; its passage's title alone says nothing."""
MISSING_WEIGHT = 1.5
"""Of a word that is in none of the passages: what is asked of it, they cannot tell."""
NEIGHBOUR_WEIGHT = 0.3
"""Of a term that only the sentence before or after holds."""
CONTEXT_WEIGHT = 0.5
"""Of a term that only the passage's title holds."""
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


class Verdict(StrEnum):
    """How well the papers answer."""

    ANSWERED = "answered"
    CLOSEST = "closest"
    NOT_FOUND = "not_found"


@dataclass(frozen=True, slots=True)
class Passage:
    """What was found, best first; `context` is its title, known but not quoted."""

    text: str
    context: str = ""
    is_table: bool = False
    barred: Sequence[tuple[int, int]] = ()
    """Stretches of the text of which nothing is quoted."""


@dataclass(frozen=True, slots=True)
class Picked:
    """A sentence of a passage, which is told by its place in what was given."""

    passage: int
    sentence: Sentence
    share: float
    own_share: float
    """Of the question, what the sentence holds by itself."""
    shown: str
    """The sentence in one line; a row with the names of its columns."""
    is_row: bool = False


@dataclass(frozen=True, slots=True)
class Extraction:
    """The best sentences, best first, and what they are worth."""

    verdict: Verdict
    picked: tuple[Picked, ...]
    share: float


def question_terms(question: str) -> frozenset[str]:
    """Return what a question is about, without the words that make it a question."""
    subject = frozenset(terms(_ASKING.sub(" ", question)))
    return subject or frozenset(terms(question))


def extract(
    question: str, passages: Sequence[Passage], idf: Mapping[str, float]
) -> Extraction:
    """Return up to three sentences; a term without idf counts as the rarest."""
    ranked = ranked_sentences(question, passages, idf)
    best = ranked[0].share if ranked else 0.0
    verdict = _verdict(best)
    if verdict is Verdict.NOT_FOUND:
        return Extraction(verdict, (), best)
    return Extraction(verdict, tuple(_distinct(ranked)), best)


def ranked_sentences(
    question: str, passages: Sequence[Passage], idf: Mapping[str, float]
) -> list[Picked]:
    """Return all sentences, the best first, whatever they are worth."""
    asked = question_terms(question)
    read = [_read(asked, each) for each in passages]
    rarest = max(idf.values(), default=1.0)
    weights = {term: idf.get(term, rarest) for term in asked}
    missing = asked.difference(*(each.held for each in read))
    for term in filter(_is_word, missing):
        weights[term] *= MISSING_WEIGHT
    for term in filter(is_identifier, asked):
        weights[term] = max(weights[term], rarest)
    return sorted(_candidates(weights, read), key=lambda one: -one.share)


def _verdict(share: float) -> Verdict:
    if share >= ANSWER_SHARE:
        return Verdict.ANSWERED
    return Verdict.CLOSEST if share >= CLOSEST_SHARE else Verdict.NOT_FOUND


@dataclass(frozen=True, slots=True)
class _Line:
    """A sentence, and the question's terms in it."""

    sentence: Sentence
    own: frozenset[str]
    is_echo: bool
    """It says no more than the question or the title did, and is no whole sentence."""
    shown: str


@dataclass(frozen=True, slots=True)
class _Read:
    """The sentences of a passage, and the question's terms that stand above them."""

    lines: Sequence[_Line]
    title: frozenset[str]
    held: frozenset[str]
    """The question's terms anywhere in it."""
    columns: frozenset[str] = frozenset()
    """Those that the names of a table's columns hold."""
    is_table: bool = False


def _read(asked: frozenset[str], passage: Passage) -> _Read:
    context = frozenset(terms(passage.context))
    if passage.is_table:
        return _read_rows(asked, context, passage)
    sentences = _quotable(split_sentences(passage.text), passage)
    lines = [_line(asked, context, each, unwrapped(each.text)) for each in sentences]
    held = (asked & context).union(*(line.own for line in lines))
    told = [
        line
        for line in lines
        if not is_title(passage.text, line.sentence.start, line.sentence.end)
    ]
    return _Read(told, asked & context, held)


def _read_rows(
    asked: frozenset[str], context: frozenset[str], passage: Passage
) -> _Read:
    """Read a table: its rows are told by what they hold, its columns by their names."""
    rows = split_sentences(passage.text, by_line=True)
    header = header_of(rows)
    names = frozenset(terms(header.text)) if header else frozenset()
    columns = named_by(asked, names)
    lines = [
        _line(asked, context, row, labelled(row, header, rows))
        for row in _quotable(rows, passage)
        if row is not header
    ]
    title = asked & context
    held = (title | columns).union(*(line.own for line in lines))
    named = [line for line in lines if line.own - columns]
    return _Read(named or lines, title, held, columns, is_table=True)


def _quotable(sentences: Iterable[Sentence], passage: Passage) -> list[Sentence]:
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
    """Tell a word or a character from a pair, which may be no word at all."""
    if term[0] < _FIRST_IDEOGRAPH:
        return True
    return len(term) == 1 and term not in _FUNCTION_CHARACTERS


def _candidates(
    weights: Mapping[str, float], read: Iterable[_Read]
) -> Iterator[Picked]:
    total = math.fsum(weights.values())
    if total <= 0:
        return
    for number, passage in enumerate(read):
        for line, weight in _weighed(weights, passage):
            own = math.fsum(weights[term] for term in line.own)
            if not line.is_echo:
                yield Picked(
                    number,
                    line.sentence,
                    weight / total,
                    own / total,
                    line.shown,
                    passage.is_table,
                )


def _weighed(
    weights: Mapping[str, float], passage: _Read
) -> Iterator[tuple[_Line, float]]:
    """Yield each line with its weight; of a table each row stands for itself."""
    found = [line.own for line in passage.lines]
    for at, line in enumerate(passage.lines):
        if passage.is_table and line.own - passage.columns:
            own = line.own | passage.columns
            yield line, _weight(weights, own, (), passage.title)
        elif passage.is_table:
            above = passage.title | passage.columns
            yield line, _weight(weights, line.own, (), above)
        else:
            around = set().union(*found[max(0, at - 1) : at], *found[at + 1 : at + 2])
            yield line, _weight(weights, line.own, around, passage.title)


def _weight(
    weights: Mapping[str, float],
    own: Collection[str],
    around: Collection[str],
    title: Collection[str],
) -> float:
    """Add up a sentence's own terms, and in part those that stand beside it."""
    near = set(around) - set(own)
    above = set(title) - set(own) - near
    return (
        math.fsum(weights[term] for term in own)
        + NEIGHBOUR_WEIGHT * math.fsum(weights[term] for term in near)
        + CONTEXT_WEIGHT * math.fsum(weights[term] for term in above)
    )


def _distinct(ranked: Sequence[Picked]) -> Iterator[Picked]:
    """Keep the best ones that say something, each text once."""
    seen: set[str] = set()
    # Beside a row that answers, what shares a word with the question is no answer.
    is_told_by_row = any(one.is_row and one.share >= ANSWER_SHARE for one in ranked[:1])
    least = ANSWER_SHARE if is_told_by_row else CLOSEST_SHARE
    for one in ranked:
        if one.share < least or len(seen) == MAX_SENTENCES:
            return
        if one.sentence.text in seen or (seen and one.own_share < OWN_SHARE):
            continue
        seen.add(one.sentence.text)
        yield one
