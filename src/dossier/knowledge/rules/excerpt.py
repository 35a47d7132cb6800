"""The excerpt of a passage that a hit shows: verbatim, short, best matching."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from dossier.knowledge.rules.sentences import split_sentences

EXCERPT_CHARACTERS: Final = 240

_CLAUSE_END: Final = re.compile(r"[，、,：:]|\s")

Terms = Callable[[str], Sequence[str]]


@dataclass(frozen=True, slots=True)
class Stretch:
    """Where an excerpt begins and ends in its text."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class _Sentence:
    piece: int
    start: int
    end: int
    found: frozenset[str]


def excerpt(
    text: str,
    pieces: Sequence[Stretch],
    weights: Mapping[str, float],
    terms: Terms,
    *,
    by_line: bool = False,
    max_characters: int = EXCERPT_CHARACTERS,
) -> Stretch:
    """Return the stretch with the highest sum of the question's term weights.

    It lies in one of the pieces that the text was joined from, so that the document has
    it verbatim. It is whole sentences where they fit, else whole clauses; of equal ones
    the shortest, then the first. Without any term of the question it is the beginning.
    With `by_line`, for a table, each line is a sentence.
    """
    sentences = [
        _Sentence(
            number,
            start,
            end,
            frozenset(each for each in terms(text[start:end]) if each in weights),
        )
        for number, piece in enumerate(pieces)
        for start, end in _sentences(text, piece, max_characters, by_line=by_line)
    ]
    if not sentences:  # nothing but punctuation
        if not pieces:
            return Stretch(0, 0)
        first = pieces[0]
        return Stretch(first.start, min(first.end, first.start + max_characters))
    if not any(each.found for each in sentences):
        *_, (beginning, _) = _runs_from(sentences, max_characters)
        return beginning

    def worth(run: tuple[Stretch, frozenset[str]]) -> tuple[float, int, int]:
        stretch, found = run
        total = round(sum(weights[term] for term in found), 6)
        return total, stretch.start - stretch.end, -stretch.start

    runs = (
        run
        for place in range(len(sentences))
        for run in _runs_from(sentences[place:], max_characters)
    )
    return max(runs, key=worth)[0]


def _runs_from(
    sentences: Sequence[_Sentence], max_characters: int
) -> Iterator[tuple[Stretch, frozenset[str]]]:
    """Yield the runs that begin with the first sentence, the shortest first."""
    first, found = sentences[0], frozenset[str]()
    for last in sentences:
        if last.piece != first.piece or last.end - first.start > max_characters:
            return
        found |= last.found
        yield Stretch(first.start, last.end), found


def _sentences(
    text: str, piece: Stretch, max_characters: int, *, by_line: bool
) -> Iterator[tuple[int, int]]:
    """Yield sentences, without the white space around them; long ones in clauses."""
    for each in split_sentences(text[piece.start : piece.end], by_line=by_line):
        start, end = piece.start + each.start, piece.start + each.end
        if end - start <= max_characters:
            yield start, end
            continue
        for first, last in _clauses(text, start, end):
            for at in range(first, last, max_characters):
                yield at, min(at + max_characters, last)


def _clauses(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    at = start
    stops = [*(match.end() for match in _CLAUSE_END.finditer(text, start, end)), end]
    for stop in stops:
        piece = text[at:stop]
        bare = piece.strip()
        if bare:
            first = at + piece.index(bare)
            yield first, first + len(bare)
        at = stop
