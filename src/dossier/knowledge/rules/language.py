"""Which language a passage is in, as far as search must know."""

import re
from typing import Final, Literal

Language = Literal["zh", "en", "other"]

_HAN: Final = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]+")
_LATIN: Final = re.compile("[A-Za-z]+")
_OTHER: Final = re.compile("[\u0370-\u1fff\u3040-\u30ff\uac00-\ud7af]+")
_LETTERS_PER_HAN: Final = 8
"""A Chinese paper is full of English names of substances, and still Chinese."""


def language_of(text: str) -> Language:
    """Return `zh`, `en`, or `other` where neither prevails."""
    han = _count(_HAN, text) * _LETTERS_PER_HAN
    latin, other = _count(_LATIN, text), _count(_OTHER, text)
    if max(han, latin) <= other:
        return "other"
    return "zh" if han >= latin else "en"


def _count(runs: re.Pattern[str], text: str) -> int:
    return sum(map(len, runs.findall(text)))
