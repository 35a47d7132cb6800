"""Tokens and words of a text: an approximation that is good enough to count by."""

import re
from itertools import pairwise

_PIECE = re.compile(
    r"\s*(?:[A-Za-z0-9_À-ɏ]{1,8}|[\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff]{1,2}|\S)|\s+"
)
_WORD = re.compile(r"[a-z0-9à-ɏ]+|[\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff]+")
_FUNCTION_WORDS = (
    "a an and are at be by do does for from has have how in is it its me of on or "
    "please that the this to was were what when where which who why will with you "
    "your 的 是 了 嗎 吗 什 麼 么 什麼 什么 多 少 多少 何 請 请 有 在 與 和 為 之"
)
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


def content_words(text: str) -> set[str]:
    """Return the words of a text without its function words."""
    return set(words(text)) - _FUNCTION_WORD_SET


def is_cjk(character: str) -> bool:
    """Return whether a character is Chinese, Japanese or Korean."""
    return character >= _LATIN_END


def _stem(word: str) -> str:
    """Remove the commonest English endings."""
    for ending in ("ing", "ed", "es", "s"):
        if word.endswith(ending) and len(word) - len(ending) > len(ending):
            return word.removesuffix(ending)
    return word


_FUNCTION_WORD_SET = frozenset(words(_FUNCTION_WORDS))
