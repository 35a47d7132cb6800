"""Which item a paper serves, judged by its file name and its words.

A proposal gives its reason, and says so where it cannot tell: nothing is guessed.
What a person stated goes before any word.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from uuid import UUID

from dossier.pif.constants import Outcome
from dossier.pif.rules.items import rulebook
from dossier.pif.rules.papers import PaperKind, paper_kinds
from dossier.pif.rules.words import count_words, fold, fold_name

NAME_WORD = 6
NAME_HINT = 2
TITLE_WORD = 6
"""For the first known word of a text alone: a paper opens with what it is."""

CONTENT_WORD = 1
CONTENT_HINT_SHARE = 2
"""So many different hints weigh as much as one word."""

ENOUGH = 5
"""A score below this is no match."""

TITLE_CHARACTERS = 300
TEXT_CHARACTERS = 20_000
"""Papers say early what they are; the rest costs time and misleads."""

MOST_REPEATS = 4
"""A word repeated more often than this proves no more."""

LEAD = 1.34
"""The best kind must have this many times the score of the next."""


@dataclass(frozen=True, slots=True)
class Paper:
    """A paper to be matched: its name, and its text where it could be read."""

    document_id: UUID
    filename: str
    text: str


@dataclass(frozen=True, slots=True)
class Candidate:
    """A kind that a paper may be, with its score and the reason."""

    kind: PaperKind
    score: int
    by_name: bool
    reason: str


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a paper seems to be.

    `candidates` are the kinds with enough score, the best first; only where the
    outcome is `matched` does the first one count.
    """

    paper: Paper
    outcome: Outcome
    candidates: tuple[Candidate, ...]

    @property
    def serves(self) -> tuple[str, ...]:
        """The codes of the requirements that the paper is taken for."""
        if self.outcome is not Outcome.MATCHED:
            return ()
        return self.candidates[0].kind.serves


@dataclass(frozen=True, slots=True)
class Target:
    """What a paper is linked to: an item, or one requirement of it."""

    item: int
    requirement: str | None


def targets(codes: Iterable[str], market: str = "tw") -> tuple[Target, ...]:
    """Return what to link; all the requirements of an item are the item."""
    wanted = set(codes)
    found: list[Target] = []
    for item in rulebook(market).items:
        own = [part.code for part in item.requirements if part.code in wanted]
        if len(own) == len(item.requirements):
            found.append(Target(item.number, None))
        else:
            found.extend(Target(item.number, code) for code in own)
    return tuple(found)


def propose(paper: Paper) -> Proposal:
    """Judge one paper."""
    found = sorted(_candidates(paper), key=lambda c: (-c.score, c.kind.kind))
    if not found:
        return Proposal(paper, Outcome.UNMATCHED, ())
    if len(found) > 1 and found[0].score < found[1].score * LEAD:
        return Proposal(paper, Outcome.AMBIGUOUS, tuple(found))
    return Proposal(paper, Outcome.MATCHED, tuple(found))


def _candidates(paper: Paper) -> Iterable[Candidate]:
    text = fold(paper.text[:TEXT_CHARACTERS])
    words = _vocabulary()
    name = count_words(fold_name(paper.filename), words.name)
    title = _title_word(text[:TITLE_CHARACTERS])
    content = count_words(text, words.content)
    for kind in paper_kinds():
        candidate = _weigh(kind, name, title, content)
        if candidate.score >= ENOUGH:
            yield candidate


def _title_word(opening: str) -> str | None:
    words = _vocabulary()
    return next(
        (word for word in count_words(opening, words.content) if word in words.titles),
        None,
    )


def _weigh(
    kind: PaperKind, name: Counter[str], title: str | None, content: Counter[str]
) -> Candidate:
    named = _present(kind.name_words, name)
    hinted = _present(kind.name_hints, name)
    said = _present(kind.content_words, content)
    hints = _present(kind.content_hints, content)
    repeats = sum(min(content[word], MOST_REPEATS) for word in said)
    score = (
        (NAME_WORD if named else 0)
        + (NAME_HINT if hinted else 0)
        + (TITLE_WORD if title in kind.content_words else 0)
        + CONTENT_WORD * min(repeats, 2 * MOST_REPEATS)
        + len(hints) // CONTENT_HINT_SHARE
    )
    reason = _reason([*named, *hinted], [*said, *hints], content)
    return Candidate(kind, score, bool(named or hinted), reason)


def _present(words: Iterable[str], counted: Counter[str]) -> list[str]:
    """Return the words that occur, the most frequent and longest first."""
    found = [word for word in words if counted[word]]
    return sorted(found, key=lambda word: (-counted[word], -len(word), word))


def _reason(named: Sequence[str], said: Sequence[str], content: Counter[str]) -> str:
    parts = []
    if named:
        parts.append("file name contains " + _listed(named))
    if said:
        told = ", ".join(f"{word} ({content[word]}x)" for word in said[:3])
        parts.append(f"content says {told}")
    return "; ".join(parts)


def _listed(words: Sequence[str]) -> str:
    return ", ".join(f"'{word}'" for word in words[:3])


@dataclass(frozen=True, slots=True)
class _Vocabulary:
    name: frozenset[str]
    content: frozenset[str]
    titles: frozenset[str]


@cache
def _vocabulary() -> _Vocabulary:
    kinds = paper_kinds()
    return _Vocabulary(
        name=frozenset().union(*(k.name_words | k.name_hints for k in kinds)),
        content=frozenset().union(*(k.content_words | k.content_hints for k in kinds)),
        titles=frozenset().union(*(k.content_words for k in kinds)),
    )
