"""Turns a text or a question into terms, by the same rules, and finds its language.

Any change of what comes out needs a new `ANALYSER_VERSION`: stored passages of another
version are indexed anew.
"""

import re
import threading
import unicodedata
from collections.abc import Iterable
from functools import cache, lru_cache
from operator import add
from typing import Any, Final, Literal
from zlib import crc32

TextLanguage = Literal["zh", "en", "other"]

ANALYSER_VERSION: Final = 1
"""Raised with every change of the terms: then a job indexes all documents again."""

TERM_IDS: Final = 999_999_999
"""Term ids are 1 to this; a sparse vector has at most a thousand million places."""

_IDEOGRAPHS: Final = (
    "\u3005-\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff"
    "\U00020000-\U0003ffff"
)
_RUNS: Final = re.compile(
    r"(?P<cas>(?<![\d-])\d{2,7}-\d{2}-\d(?![\d-]))"
    rf"|(?P<han>[{_IDEOGRAPHS}]+)"
    rf"|(?P<other>[^\W_{_IDEOGRAPHS}]+(?:[.'-][^\W_{_IDEOGRAPHS}]+)*)"
)
_PIECES: Final = re.compile(r"\d+|[^\W\d_]+")
_LIKE_ASCII: Final = str.maketrans(
    {
        **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212", "-"),
        **dict.fromkeys("\u2018\u2019\u02bc", "'"),
        **dict.fromkeys("\u00ad\u200b\u200c\u200d\u2060\ufeff"),
    }
)
_FOLDED_FIRST: Final = re.compile(f"[{''.join(map(chr, _LIKE_ASCII))}]")
_ENGLISH: Final = (
    "a an and are as at be been but by can could d did do does for from had has have "
    "he her his how i if in into is it its ll m may of on or our re s shall she "
    "should so such t than that the their them then there these they this those to "
    "too ve was we were what when where which while who whom whose why will with "
    "would you your "
)

# Of Chinese only characters that stand alone; pairs with one of them are kept.
_STOP_WORDS: Final = frozenset(_ENGLISH.split()) | frozenset("的了吗呢吧之")
"""Words without a subject, left out of the terms."""
_LOCAL: Final = threading.local()
_STEMS_KEPT: Final = 20_000

_HAN: Final = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]+")
_LATIN: Final = re.compile("[A-Za-z]+")
_OTHER: Final = re.compile("[\u0370-\u1fff\u3040-\u30ff\uac00-\ud7af]+")
_LETTERS_PER_HAN: Final = 8
"""Chinese documents are full of English names of substances."""


def terms(text: str) -> list[str]:
    """Return a text's terms in order, as often as they occur."""
    found: list[str] = []
    for match in _RUNS.finditer(normalised(text)):
        run = match[0]
        if match.lastgroup == "cas":
            found.append(run)
        elif match.lastgroup == "han":
            # Single characters and pairs, so that no dictionary of words is needed.
            found += [each for each in run if each not in _STOP_WORDS]
            found += map(add, run, run[1:])
        else:
            # As a whole and in pieces: `spf50`, `0.5`, `sodium-lauryl`.
            pieces = [run] if run.isalpha() else _PIECES.findall(run)
            if len(pieces) > 1:
                found.append(run)
            found += [_stem(each) for each in pieces if each not in _STOP_WORDS]
    return found


def term_id(term: str) -> int:
    """Return the place of a term in a sparse vector."""
    return crc32(term.encode()) % TERM_IDS + 1


def term_ids(found: Iterable[str]) -> list[int]:
    """Return the place of each term."""
    # Without a call for each: a passage has some hundreds.
    return [crc32(each.encode()) % TERM_IDS + 1 for each in found]


def normalised(text: str) -> str:
    """Fold width, case, hyphens and Traditional characters."""
    if text.isascii():  # nothing but its case can be folded
        return text.lower()
    if _FOLDED_FIRST.search(text):
        text = text.translate(_LIKE_ASCII)
    folded = unicodedata.normalize("NFKC", text).lower()
    if folded.isascii():
        return folded
    return "".join(map(_folding().get, folded, folded))


def language_of(text: str) -> TextLanguage:
    """Return `zh`, `en`, or `other` where neither prevails."""
    han = _count(_HAN, text) * _LETTERS_PER_HAN
    latin, other = _count(_LATIN, text), _count(_OTHER, text)
    if max(han, latin) <= other:
        return "other"
    return "zh" if han >= latin else "en"


def _count(runs: re.Pattern[str], text: str) -> int:
    return sum(map(len, runs.findall(text)))


@lru_cache(maxsize=_STEMS_KEPT)
def _stem(word: str) -> str:
    stemmer: Any = getattr(_LOCAL, "stemmer", None)
    if stemmer is None:
        from Stemmer import Stemmer  # noqa: PLC0415 - only where texts are analysed

        # One for each thread: a stemmer is not thread-safe.
        stemmer = _LOCAL.stemmer = Stemmer("english")
    stem: str = stemmer.stemWord(word)
    return stem


@cache
def _folding() -> dict[str, str]:
    """Return the folding of characters of normal form, Traditional to Simplified."""
    from opencc import OpenCC  # noqa: PLC0415 - 7 MiB, only where texts are analysed

    characters = [
        chr(code)
        for first, last in ((0x3400, 0x9FFF), (0xF900, 0xFAFF))
        for code in range(first, last + 1)
    ]
    simplified = OpenCC("t2s").convert("\n".join(characters)).split("\n")
    like_ascii = {chr(code): new or "" for code, new in _LIKE_ASCII.items()}
    return like_ascii | {
        old: new.translate(_LIKE_ASCII)
        for old, new in zip(characters, simplified, strict=True)
        if old != new
    }
