"""The sentences that answer a question, verbatim, and whether they do.

A sentence counts by the share of the question's terms in it, weighed by their rarity
(idf). Measured on 1,000 Chinese questions over 1,000 paragraphs (`python -m benchmarks
evals`): at .5, 7.6 % are answered though their paragraph was taken away; between .35
and .5 the closest passages are shown, and named as no more than that.
"""

import math
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from dossier.knowledge.rules.analyser import terms
from dossier.knowledge.rules.extract_sentences import Sentence, split_sentences

ANSWER_SHARE = 0.5
CLOSEST_SHARE = 0.35
NEIGHBOUR_WEIGHT = 0.3
"""Of a term that only the sentence before or after holds."""
CONTEXT_WEIGHT = 0.5
"""Of a term that only the passage's title holds."""
MAX_SENTENCES = 3

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
    rarest = max(idf.values(), default=1.0)
    weights = {term: idf.get(term, rarest) for term in question_terms(question)}
    return sorted(_candidates(weights, passages), key=lambda one: -one.share)


def _verdict(share: float) -> Verdict:
    if share >= ANSWER_SHARE:
        return Verdict.ANSWERED
    return Verdict.CLOSEST if share >= CLOSEST_SHARE else Verdict.NOT_FOUND


def _candidates(
    weights: Mapping[str, float], passages: Iterable[Passage]
) -> Iterator[Picked]:
    total = math.fsum(weights.values())
    if total <= 0:
        return
    for number, passage in enumerate(passages):
        sentences = split_sentences(passage.text, by_line=passage.is_table)
        found = [weights.keys() & set(terms(each.text)) for each in sentences]
        title = weights.keys() & set(terms(passage.context))
        for at, sentence in enumerate(sentences):
            around = set().union(*found[max(0, at - 1) : at], *found[at + 1 : at + 2])
            weight = _weight(weights, found[at], around, title)
            yield Picked(number, sentence, weight / total)


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


def _distinct(ranked: Iterable[Picked]) -> Iterator[Picked]:
    """Keep the best ones that say something, each text once."""
    seen: set[str] = set()
    for one in ranked:
        if one.share < CLOSEST_SHARE or len(seen) == MAX_SENTENCES:
            return
        if one.sentence.text not in seen:
            seen.add(one.sentence.text)
            yield one
