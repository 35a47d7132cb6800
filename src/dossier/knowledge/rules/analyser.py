"""Turns a text or a question into terms; the same for both, and versioned.

Any change of what comes out needs a new `ANALYSER_VERSION`: stored passages of another
version are indexed anew.
"""

import re
import threading
import unicodedata
from collections.abc import Iterable
from functools import cache, lru_cache
from operator import add
from typing import Any, Final
from zlib import crc32

from dossier.knowledge.rules.words import STOP_WORDS

ANALYSER_VERSION: Final = 1

TERM_IDS: Final = 999_999_999
"""Term ids are 1 to this; a sparse vector has at most a thousand million places."""

_IDEOGRAPHS: Final = (
    "\u3005-\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff"
    "\U00020000-\U0003ffff"
)
_PARTS: Final = re.compile(
    r"(?P<cas>(?<![\d-])\d{2,7}-\d{2}-\d(?![\d-]))"
    rf"|(?P<han>[{_IDEOGRAPHS}]+)"
    rf"|(?P<run>[^\W_{_IDEOGRAPHS}]+(?:[.'-][^\W_{_IDEOGRAPHS}]+)*)"
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
_LOCAL: Final = threading.local()
_STEMS_KEPT: Final = 20_000


def terms(text: str) -> list[str]:
    """Return a text's terms in order, as often as they occur."""
    found: list[str] = []
    for part in _PARTS.finditer(normalised(text)):
        if part.lastgroup == "han":
            _add_ideographs(found, part[0])
        elif part.lastgroup == "run":
            _add_run(found, part[0])
        else:
            found.append(part[0])
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


def _add_ideographs(found: list[str], run: str) -> None:
    """Add single characters and pairs; no dictionary of words is needed."""
    found += [each for each in run if each not in STOP_WORDS]
    found += map(add, run, run[1:])


def _add_run(found: list[str], run: str) -> None:
    """Add a run whole and its pieces: `spf50`, `0.5`, `sodium-lauryl`."""
    pieces = [run] if run.isalpha() else _PIECES.findall(run)
    if len(pieces) > 1:
        found.append(run)
    found += [_stem(each) for each in pieces if each not in STOP_WORDS]


@lru_cache(maxsize=_STEMS_KEPT)
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
def _folding() -> dict[str, str]:
    """Return characters with what they are folded to once a text is in normal form."""
    like_ascii = {chr(code): told or "" for code, told in _LIKE_ASCII.items()}
    return like_ascii | {
        old: new.translate(_LIKE_ASCII) for old, new in _simplified().items()
    }


def _simplified() -> dict[str, str]:
    """Return Traditional characters with their Simplified ones."""
    from opencc import OpenCC  # noqa: PLC0415 - 7 MiB, only where texts are analysed

    characters = [
        chr(code)
        for first, last in ((0x3400, 0x9FFF), (0xF900, 0xFAFF))
        for code in range(first, last + 1)
    ]
    folded = OpenCC("t2s").convert("\n".join(characters)).split("\n")
    pairs = zip(characters, folded, strict=True)
    return {old: new for old, new in pairs if old != new}
