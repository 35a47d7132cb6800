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
from dossier.knowledge.rules.extract_sentences import Sentence, split_sentences

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


@dataclass(frozen=True, slots=True)
class Picked:
    """A sentence of a passage, which is told by its place in what was given."""

    passage: int
    sentence: Sentence
    share: float
    own_share: float
    """Of the question, what the sentence holds by itself."""


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


@dataclass(frozen=True, slots=True)
class _Read:
    """The sentences of a passage, and the question's terms that stand above them."""

    lines: Sequence[_Line]
    title: frozenset[str]
    held: frozenset[str]
    """The question's terms anywhere in it."""


def _read(asked: frozenset[str], passage: Passage) -> _Read:
    sentences = split_sentences(passage.text, by_line=passage.is_table)
    context = frozenset(terms(passage.context))
    lines = [_line(asked, context, each) for each in sentences]
    title = asked & context
    held = title.union(*(line.own for line in lines))
    if passage.is_table and len(lines) > 1 and _is_header(lines[0].sentence):
        title, lines = title | lines[0].own, lines[1:]
    return _Read(lines, title, held)


def _line(asked: frozenset[str], context: frozenset[str], sentence: Sentence) -> _Line:
    held = frozenset(terms(sentence.text))
    is_echo = held <= asked | context and not _WHOLE.search(sentence.text)
    return _Line(sentence, asked & held, is_echo)


def _is_header(first: Sentence) -> bool:
    """Tell whether a table's first line names its columns: it holds no value."""
    return not any(character.isdigit() for character in first.text)


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
        found = [line.own for line in passage.lines]
        for at, line in enumerate(passage.lines):
            around = set().union(*found[max(0, at - 1) : at], *found[at + 1 : at + 2])
            weight = _weight(weights, line.own, around, passage.title)
            if not line.is_echo:
                own = math.fsum(weights[term] for term in line.own) / total
                yield Picked(number, line.sentence, weight / total, own)


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
    for one in ranked:
        if one.share < CLOSEST_SHARE or len(seen) == MAX_SENTENCES:
            return
        if one.sentence.text in seen or (seen and one.own_share < OWN_SHARE):
            continue
        seen.add(one.sentence.text)
        yield one
