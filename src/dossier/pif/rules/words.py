"""Finding known words in names and texts, Chinese and English alike.

Of words that overlap the longer one counts: "preservative efficacy" is not
"efficacy", and "stability and reactivity" is not "stability".
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

_SEPARATORS = re.compile(r"[_\-./\\+()\[\],;&]+")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_EDGE = re.compile(r"[a-z]")


@dataclass(frozen=True, slots=True)
class _Hit:
    start: int
    end: int
    word: str


def fold(text: str) -> str:
    """Return text in one width and case, with single spaces."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return " ".join(folded.replace("\u2019", "'").split())


def fold_name(filename: str) -> str:
    """Return a file name's words without its ending, separators as spaces."""
    stem = filename.rsplit(".", 1)[0] if "." in filename[1:] else filename
    spaced = _CAMEL.sub(" ", unicodedata.normalize("NFKC", stem))
    return fold(_SEPARATORS.sub(" ", spaced))


def count_words(text: str, words: Iterable[str]) -> Counter[str]:
    """Count how often each word occurs in folded text; longer words win.

    The words stand in the order in which they first occur.
    """
    hits = sorted(
        (hit for word in words for hit in _hits(text, word)),
        key=lambda hit: (hit.start, hit.start - hit.end),
    )
    counted: Counter[str] = Counter()
    end = 0
    for hit in hits:
        if hit.end > end:
            counted[hit.word] += 1
            end = hit.end
    return counted


def _hits(text: str, word: str) -> Iterator[_Hit]:
    start = text.find(word)
    while start >= 0:
        end = start + len(word)
        if _stands_alone(text, start, end):
            yield _Hit(start, end, word)
        start = text.find(word, start + 1)


def _stands_alone(text: str, start: int, end: int) -> bool:
    """Say whether a Latin word is not part of a longer one; Chinese has no edges."""
    return not (
        _joined(text, start - 1, text[start]) or _joined(text, end, text[end - 1])
    )


def _joined(text: str, neighbour: int, edge: str) -> bool:
    inside = 0 <= neighbour < len(text)
    return inside and bool(_EDGE.match(edge) and _EDGE.match(text[neighbour]))
