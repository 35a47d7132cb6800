"""Whether a quote speaks of what its sentence says, as far as shared words can tell.

A paper may ask a model to claim something under a quote that has nothing to do with it.
Where both are of one script they must share a word, a number or a character; across
languages nothing can be told, and the quote itself is what the reader sees.
"""

import re
import unicodedata
from collections.abc import Iterable

_WORD = re.compile(r"[a-z]{2,}|\d+(?:[.,]\d+)*", re.IGNORECASE)
_IDEOGRAPH = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]")
_EMPTY_CHARACTERS = frozenset(
    "的了是在有和與与及或為为不以於于一個个這这該该其之也都而請请"
)
_EMPTY_WORDS = frozenset(
    (
        "the",
        "and",
        "for",
        "are",
        "was",
        "were",
        "has",
        "have",
        "had",
        "not",
        "with",
        "from",
        "that",
        "this",
        "these",
        "those",
        "its",
        "can",
        "may",
        "will",
        "shall",
        "must",
        "should",
        "you",
        "your",
        "our",
        "their",
        "than",
        "then",
        "into",
        "over",
        "under",
        "above",
        "below",
        "all",
        "any",
        "each",
        "but",
        "is",
        "it",
        "of",
        "to",
        "in",
        "on",
        "at",
        "as",
        "by",
        "be",
        "or",
        "an",
        "no",
        "we",
        "do",
        "so",
        "if",
        "up",
    )
)
_STEM = 5
"""Letters that decide: `stabil` is in `stable` as far as here."""


def is_related(sentence: str, quotes: Iterable[str]) -> bool:
    """Tell whether a sentence shares anything with its quotes."""
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
