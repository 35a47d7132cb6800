"""The visible part of a text: documents may hide characters in it, even to deceive.

Texts are stored unchanged, so that offsets and quotes stay right; these functions are
applied where a text is shown.
"""

import unicodedata
from functools import lru_cache
from typing import Final

_SELECTORS: Final = (range(0xFE00, 0xFE10), range(0xE0100, 0xE01F0))
_LAYOUT: Final = frozenset("\n\t")


@lru_cache(maxsize=8_192)
def is_invisible(character: str) -> bool:
    """Zero-width, bidirectional and tag characters; selectors that can carry bytes."""
    category = unicodedata.category(character)
    if category in ("Cf", "Co", "Cs") or (
        category == "Cc" and character not in _LAYOUT
    ):
        return True
    return any(ord(character) in each for each in _SELECTORS)


def visible(text: str) -> str:
    """Return a text without its invisible characters."""
    unseen = {ord(each) for each in set(text) if is_invisible(each)}
    return text.translate(dict.fromkeys(unseen)) if unseen else text
