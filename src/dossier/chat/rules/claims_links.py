"""Links in an answer: none passes that the cited passages do not hold.

A paper can ask a model to write `![](https://…?what-it-read)`; whoever shows the answer
would then send it there. So pictures and named links never pass, bare addresses only
as they stand in a passage.
"""

import re
from collections.abc import Iterable, Sequence

from dossier.core.patterns import pattern

PICTURE = pattern(r"!\[[^\]]*\]\s*(?:\([^)]*\)|\[[^\]]*\])|!\[")
_NAMED = pattern(r"\[([^\]]*)\]\([^)]*\)")
_TORN = pattern(r"\]\([^)\s]*\)?")
"""Half a named link: with its other half in the line before, it would be whole."""
_REFERENCE = pattern(r"^\s*\[[^\]]+\]:\s*\S+", re.MULTILINE)
_ELEMENT = pattern(
    r"</?(?:a|base|embed|form|iframe|img|input|link|meta|object|script|style|svg|video)"
    r"(?=[\s/>])[^<>]*>?"
    r"|</?(?![a-z]+:/)[a-z][\w:-]*(?:[\s/][^<>]*=[^<>]*|\s*/?)>",
    re.IGNORECASE,
)
"""Not what is only smaller than something: `<LOD`."""
_ADDRESS = pattern(
    r"<?\b(?:[a-z][a-z0-9+.-]{1,15}://|www\.|(?:data|javascript|mailto):)"
    r"[^\s<>⟦⟧「」『』，。；、]*>?",
    re.IGNORECASE,
)
_BLANKS = pattern(r"[ \t]{2,}")


def without_foreign_links(sentence: str, passages: Iterable[str]) -> str:
    """Return a sentence without pictures, markup, and addresses of its own."""
    known = list(passages)
    while (cleaner := _once(sentence, known)) != sentence:
        sentence = cleaner
    return _BLANKS.sub(" ", sentence).strip()


def _once(sentence: str, known: Sequence[str]) -> str:
    sentence = _REFERENCE.sub("", PICTURE.sub("", sentence))
    sentence = _NAMED.sub(r"\1", sentence)
    sentence = _ELEMENT.sub("", _TORN.sub("]", sentence))
    return _ADDRESS.sub(lambda found: _kept(found.group(), known), sentence)


def _kept(address: str, known: Sequence[str]) -> str:
    bare = address.strip("<>").rstrip(".,;:!?)")
    stands = any(_stands(bare, passage) for passage in known)
    return address.strip("<>") if stands else ""


def _stands(address: str, passage: str) -> bool:
    """Say whether a passage holds exactly this address, not a longer one."""
    return any(
        found.group().strip("<>").rstrip(".,;:!?)") == address
        for found in _ADDRESS.finditer(passage)
    )
