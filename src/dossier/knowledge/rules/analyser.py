"""Turns a text or a question into terms; the same for both, and versioned.

Any change of what comes out needs a new `ANALYSER_VERSION`: stored passages of another
version are indexed anew.
"""

import threading
import unicodedata
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from typing import Any, Final
from zlib import crc32

from dossier.core.patterns import pattern
from dossier.knowledge.rules.words import STOP_WORDS

ANALYSER_VERSION: Final = 1

TERM_IDS: Final = 999_999_999
"""Term ids are 1 to this; a sparse vector has at most a thousand million places."""

_IDEOGRAPHS: Final = (
    "\u3005-\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff"
    "\U00020000-\U0003ffff"
)
_PARTS: Final = pattern(
    r"(?P<cas>(?<![\d-])\d{2,7}-\d{2}-\d(?![\d-]))"
    rf"|(?P<han>[{_IDEOGRAPHS}]+)"
    rf"|(?P<run>[^\W_{_IDEOGRAPHS}]+(?:[.'-][^\W_{_IDEOGRAPHS}]+)*)"
)
_PIECES: Final = pattern(r"\d+|[^\W\d_]+")
_LIKE_ASCII: Final = str.maketrans(
    {
        **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212", "-"),
        **dict.fromkeys("\u2018\u2019\u02bc", "'"),
        **dict.fromkeys("\u00ad\u200b\u200c\u200d\u2060\ufeff"),
    }
)
_LOCAL: Final = threading.local()


def terms(text: str) -> list[str]:
    """Return a text's terms in order, as often as they occur."""
    return list(_terms(normalised(text)))


def term_id(term: str) -> int:
    """Return the place of a term in a sparse vector."""
    return crc32(term.encode()) % TERM_IDS + 1


def normalised(text: str) -> str:
    """Fold width, case, hyphens and Traditional characters."""
    folded = unicodedata.normalize("NFKC", text.translate(_LIKE_ASCII)).lower()
    if folded.isascii():
        return folded
    return folded.translate(_simplified()).translate(_LIKE_ASCII)


def _terms(text: str) -> Iterator[str]:
    for part in _PARTS.finditer(text):
        if part.lastgroup == "han":
            yield from _of_ideographs(part[0])
        elif part.lastgroup == "run":
            yield from _of_run(part[0])
        else:
            yield part[0]


def _of_ideographs(run: str) -> Iterator[str]:
    """Yield single characters and pairs; no dictionary of words is needed."""
    yield from (each for each in run if each not in STOP_WORDS)
    yield from (first + second for first, second in pairwise(run))


def _of_run(run: str) -> Iterator[str]:
    """Yield a run whole and its pieces: `spf50`, `0.5`, `sodium-lauryl`."""
    pieces = _PIECES.findall(run)
    if len(pieces) > 1:
        yield run
    yield from (_stem(each) for each in pieces if each not in STOP_WORDS)


def _stem(word: str) -> str:
    stemmer = getattr(_LOCAL, "stemmer", None)
    if stemmer is None:
        stemmer = _LOCAL.stemmer = _new_stemmer()
    stem: str = stemmer.stemWord(word)
    return stem


def _new_stemmer() -> Any:
    """Make a stemmer for this thread; one must not be shared by two."""
    from Stemmer import Stemmer  # noqa: PLC0415 - only where texts are analysed

    return Stemmer("english")


@cache
def _simplified() -> dict[int, str]:
    """Return Traditional characters with their Simplified ones."""
    from opencc import OpenCC  # noqa: PLC0415 - 7 MiB, only where texts are analysed

    characters = [
        chr(code)
        for first, last in ((0x3400, 0x9FFF), (0xF900, 0xFAFF))
        for code in range(first, last + 1)
    ]
    folded = OpenCC("t2s").convert("\n".join(characters)).split("\n")
    pairs = zip(characters, folded, strict=True)
    return {ord(old): new for old, new in pairs if old != new}
