"""Words and tokens: cheap, the same everywhere, good enough to count by."""

import re
from itertools import pairwise

_PIECE = re.compile(
    r"\s*(?:[A-Za-z0-9_À-ɏ]{1,8}|[\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff]{1,2}|\S)|\s+"
)
_WORD = re.compile(r"[a-z0-9à-ɏ]+|[\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff]+")
_LATIN_END = "\u2e80"


def pieces(text: str) -> list[str]:
    """Cut a text into tokens; joined they are the text again."""
    return _PIECE.findall(text)


def words(text: str) -> list[str]:
    """Return the words of a text; of Chinese each character and each pair."""
    found: list[str] = []
    for word in _WORD.findall(text.casefold()):
        if word[0] < _LATIN_END:
            found.append(_stem(word))
        else:
            found += [*word, *map("".join, pairwise(word))]
    return found


def is_cjk(character: str) -> bool:
    """Tell whether a character is written in Chinese, Japanese or Korean."""
    return character >= _LATIN_END


def _stem(word: str) -> str:
    """Take the commonest English endings off."""
    for ending in ("ing", "ed", "es", "s"):
        if word.endswith(ending) and len(word) - len(ending) > len(ending):
            return word.removesuffix(ending)
    return word
