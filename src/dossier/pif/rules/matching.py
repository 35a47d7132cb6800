"""Which item a document serves: by the kind that was read in it, else by its words.

The words, of the file name and the text, are Chinese and English, read from data. A
proposal gives its reason; where the words do not decide, it says so, and nothing is
linked. What a person stated takes precedence over any word.
"""

import json
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from uuid import UUID

from dossier.documents.facts.types import KindReading
from dossier.pif.constants import MatchOutcome
from dossier.pif.rules.items import rulebook

NAME_WORD = 6
NAME_HINT = 2
TITLE_WORD = 6
"""For the first known word of a text alone: a document opens with what it is."""

CONTENT_WORD = 1
CONTENT_HINT_SHARE = 2
"""So many different hints weigh as much as one word."""

ENOUGH = 5
"""A score below this is no match."""

TITLE_CHARACTERS = 300
TEXT_CHARACTERS = 20_000
"""Documents begin with what they are; the rest costs time and misleads."""

MOST_SHOWN = 80
"""Characters of a title that a reason quotes."""

MOST_REPEATS = 4
"""A word repeated more often than this proves no more."""

LEAD = 1.34
"""The best kind must have this many times the score of the next."""

_SEPARATORS = re.compile(r"[_\-./\\+()\[\],;&]+")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_LATIN_PAIR = re.compile(r"[a-z]{2}")


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentKind:
    """A kind of document and the requirements that it is evidence for.

    Words decide, hints only add to them. `name_…` are looked for in the file name,
    `content_…` in the text.
    """

    kind: str
    zh: str
    en: str
    serves: tuple[str, ...]
    name_words: frozenset[str]
    name_hints: frozenset[str]
    content_words: frozenset[str]
    content_hints: frozenset[str]


@dataclass(frozen=True, slots=True)
class DocumentFacts:
    """What a document is matched by: its name, and its text where it could be read.

    `kind` is what the reading of its facts found; it decides, as it does for states.
    """

    document_id: UUID
    filename: str
    text: str
    kind: KindReading | None = None


@dataclass(frozen=True, slots=True)
class Candidate:
    """A kind that a document may be, with its score and the reason."""

    kind: DocumentKind
    score: int
    by_name: bool
    reason: str


@dataclass(frozen=True, slots=True)
class Proposal:
    """The kinds that a document may be.

    `candidates` are the kinds with enough score, the best first; `serves` are the codes
    of the requirements that the document is taken for.
    """

    document: DocumentFacts
    outcome: MatchOutcome
    candidates: tuple[Candidate, ...]
    serves: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Target:
    """What a document is linked to: an item, or one requirement of it."""

    item: int
    requirement: str | None


def propose(document: DocumentFacts) -> Proposal:
    """Judge one document."""
    known = {kind.kind: kind for kind in document_kinds()}
    if document.kind and document.kind.kind in known:
        kind, words = known[document.kind.kind], document.kind.raw
        reason = f"content says {words[:MOST_SHOWN]}"
        decided = Candidate(kind, TITLE_WORD, by_name=False, reason=reason)
        return Proposal(document, MatchOutcome.MATCHED, (decided,), kind.serves)
    found = sorted(_candidates(document), key=lambda c: (-c.score, c.kind.kind))
    if not found:
        return Proposal(document, MatchOutcome.UNMATCHED, ())
    close = [each for each in found if found[0].score < each.score * LEAD]
    likely = document.kind.candidates if document.kind else ()
    read = [each for each in close if each.kind.kind in likely]
    serves = _shared(read or close)
    outcome = MatchOutcome.MATCHED if serves else MatchOutcome.AMBIGUOUS
    return Proposal(document, outcome, tuple(found), serves)


def _shared(kinds: Sequence[Candidate]) -> tuple[str, ...]:
    """Return what several kinds serve alike: requirements, else the one item.

    Which requirement of an item it is, the content decides once it is read.
    """
    own = [each.kind.serves for each in kinds]
    shared = tuple(code for code in own[0] if all(code in codes for codes in own))
    items = {rulebook().item_of(code).number for codes in own for code in codes}
    if shared or len(items) > 1:
        return shared
    return tuple(r.code for r in rulebook().item(*items).requirements)


def targets(codes: Iterable[str], market: str = "tw") -> tuple[Target, ...]:
    """Return what to link; all the requirements of an item are the item."""
    wanted = set(codes)
    found: list[Target] = []
    for item in rulebook(market).items:
        own = [r.code for r in item.requirements if r.code in wanted]
        if len(own) == len(item.requirements):
            found.append(Target(item.number, None))
        else:
            found.extend(Target(item.number, code) for code in own)
    return tuple(found)


@cache
def document_kinds() -> tuple[DocumentKind, ...]:
    """Return all kinds of documents."""
    file = resources.files("dossier.pif").joinpath("data/tw_document_kinds.json")
    data = json.loads(file.read_text(encoding="utf-8"))
    lists = ("name_words", "name_hints", "content_words", "content_hints")
    return tuple(
        DocumentKind(
            kind=entry["kind"],
            zh=entry["zh"],
            en=entry["en"],
            serves=tuple(entry["serves"]),
            **{name: frozenset(entry[name]) for name in lists},
        )
        for entry in data["kinds"]
    )


def fold(text: str) -> str:
    """Return text in one width and case, with single spaces."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return " ".join(folded.replace("\u2019", "'").split())


def fold_name(filename: str) -> str:
    """Return a file name's words without its extension, separators as spaces."""
    stem = filename.rsplit(".", 1)[0] if "." in filename[1:] else filename
    spaced = _CAMEL.sub(" ", unicodedata.normalize("NFKC", stem))
    return fold(_SEPARATORS.sub(" ", spaced))


def count_words(text: str, words: Iterable[str]) -> Counter[str]:
    """Count how often each word occurs in folded text, in order of first occurrence.

    Of words that overlap the longer one counts: "preservative efficacy" is not
    "efficacy", and "stability and reactivity" is not "stability".
    """
    hits = sorted(
        (start, -len(word), word) for word in words for start in _starts(text, word)
    )
    counted: Counter[str] = Counter()
    counted_to = 0
    for start, _, word in hits:
        end = start + len(word)
        if end > counted_to:
            counted[word] += 1
            counted_to = end
    return counted


def _starts(text: str, word: str) -> Iterator[int]:
    """Yield where a word occurs, but not inside a longer Latin word.

    Chinese does not mark the edges of words, so a Chinese word counts anywhere.
    """
    start = text.find(word)
    while start >= 0:
        end = start + len(word)
        before = text[start - 1 : start] + word[0]
        after = word[-1] + text[end : end + 1]
        if not (_LATIN_PAIR.match(before) or _LATIN_PAIR.match(after)):
            yield start
        start = text.find(word, start + 1)


@cache
def _words_of(*lists: str) -> frozenset[str]:
    """Return the words that all kinds of documents have in the named lists."""
    return frozenset().union(
        *(getattr(kind, name) for kind in document_kinds() for name in lists)
    )


def _candidates(document: DocumentFacts) -> Iterator[Candidate]:
    content_words = _words_of("content_words", "content_hints")
    title_words = _words_of("content_words")
    text = fold(document.text[:TEXT_CHARACTERS])
    name = count_words(
        fold_name(document.filename), _words_of("name_words", "name_hints")
    )
    opening = count_words(text[:TITLE_CHARACTERS], content_words)
    title = next((word for word in opening if word in title_words), None)
    content = count_words(text, content_words)
    for kind in document_kinds():
        candidate = _weigh(kind, name, title, content)
        if candidate.score >= ENOUGH:
            yield candidate


def _weigh(
    kind: DocumentKind, name: Counter[str], title: str | None, content: Counter[str]
) -> Candidate:
    name_words = _present(kind.name_words, name)
    name_hints = _present(kind.name_hints, name)
    content_words = _present(kind.content_words, content)
    content_hints = _present(kind.content_hints, content)
    repeats = sum(min(content[word], MOST_REPEATS) for word in content_words)
    score = (
        (NAME_WORD if name_words else 0)
        + (NAME_HINT if name_hints else 0)
        + (TITLE_WORD if title in kind.content_words else 0)
        + CONTENT_WORD * min(repeats, 2 * MOST_REPEATS)
        + len(content_hints) // CONTENT_HINT_SHARE
    )
    in_name = [*name_words, *name_hints]
    reason = _reason(in_name, [*content_words, *content_hints], content)
    return Candidate(kind, score, bool(in_name), reason)


def _present(words: Iterable[str], counted: Counter[str]) -> list[str]:
    """Return the words that occur, the most frequent and longest first."""
    found = [word for word in words if counted[word]]
    return sorted(found, key=lambda word: (-counted[word], -len(word), word))


def _reason(
    in_name: Sequence[str], in_content: Sequence[str], content: Counter[str]
) -> str:
    reasons = []
    if in_name:
        listed = ", ".join(f"'{word}'" for word in in_name[:3])
        reasons.append(f"file name contains {listed}")
    if in_content:
        listed = ", ".join(f"{word} ({content[word]}x)" for word in in_content[:3])
        reasons.append(f"content says {listed}")
    return "; ".join(reasons)
