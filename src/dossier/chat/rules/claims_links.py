"""Links in an answer: none passes that the cited passages do not hold.

A paper can ask a model to write `![](https://…?what-it-read)`; whoever shows the answer
would then send it there. So pictures and named links never pass, bare addresses only
as they stand in a passage. What a renderer would read between the lines counts as it
would read it: entities decoded, characters that nobody sees left out.
"""

import html
import re
from collections.abc import Iterable, Sequence

from dossier.core.visible import visible

PICTURE = re.compile(r"!\[[^\]]*\]\s*(?:\([^)]*\)|\[[^\]]*\])|!\[")
_NAMED = re.compile(r"\[([^\]]*)\]\([^)]*\)")
_TORN = re.compile(r"\]\([^)\s]*\)?")
"""Half a named link: with its other half in the line before, it would be whole."""
_REFERENCE = re.compile(r"^\s*\[[^\]]+\]:\s*\S+", re.MULTILINE)
_ELEMENT = re.compile(
    r"</?(?:a|base|embed|form|iframe|img|input|link|meta|object|script|style|svg|video)"
    r"(?=[\s/>])[^<>]*>?"
    r"|</?(?![a-z]+:/)[a-z][\w:-]*(?:[\s/][^<>]*=[^<>]*|\s*/?)>",
    re.IGNORECASE,
)
"""Not what is only smaller than something: `<LOD`."""
NAMES = (
    r"com|net|org|info|biz|edu|gov|mil|io|co|me|app|dev|xyz|top|site|online|shop|club"
    r"|link|click|page|live|vip|win"
)
"""Ends of names that programs make links of, though nothing stands before them."""
_MORE = r"[^\s<>`⟦⟧「」『』，。；、]*"
ADDRESS = re.compile(
    rf"<?(?<![a-z0-9_])(?:[a-z][a-z0-9+.-]{{0,15}}\\?:[/\\]{{2,4}}|www\."
    rf"|(?:javascript|vbscript|mailto|file|blob|tel|sms):(?=\S)"
    rf"|data:(?=[\w.+-]*[/;,])){_MORE}>?"
    rf"|(?<![\w:/\\])//(?=\w[\w-]*\.){_MORE}"
    r"|<?(?<![a-z0-9_.+%-])[a-z0-9_.+%-]{1,64}@"
    r"[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){1,8}>?"
    rf"|(?<![a-z0-9_.-])(?:[a-z0-9-]{{1,63}}\.){{1,8}}(?:{NAMES})(?![a-z0-9_-])"
    rf"(?:[/?#:]{_MORE})?",
    re.IGNORECASE,
)
_ENTITY = re.compile(
    r"&(?:#\d{1,7}|#x[0-9a-f]{1,6}|[a-z][a-z0-9]{1,31});", re.IGNORECASE
)
_BLANKS = re.compile(r"[ \t]{2,}")


def without_foreign_links(sentence: str, passages: Iterable[str]) -> str:
    """Return a sentence without pictures, markup, and addresses of its own."""
    return _BLANKS.sub(" ", without_links(sentence, list(passages))).strip()


def without_links(sentence: str, known: Sequence[str]) -> str:
    """Return the same with its blanks, where it is but a part of a text."""
    sentence = visible(sentence)
    decoded = visible(_ENTITY.sub(lambda found: html.unescape(found.group()), sentence))
    if decoded != sentence and _stripped(decoded, known) != decoded:
        sentence = decoded
    return _stripped(sentence, known)


def _stripped(sentence: str, known: Sequence[str]) -> str:
    while (cleaner := _once(sentence, known)) != sentence:
        sentence = cleaner
    return sentence


def _once(sentence: str, known: Sequence[str]) -> str:
    sentence = _REFERENCE.sub("", PICTURE.sub("", sentence))
    sentence = _NAMED.sub(r"\1", sentence)
    sentence = _ELEMENT.sub("", _TORN.sub("]", sentence))
    return ADDRESS.sub(lambda found: _kept(found.group(), known), sentence)


def bare(address: str) -> str:
    """Return an address without the marks around it, and the sentence's signs."""
    return address.strip("<>").rstrip(".,;:!?)")


def _kept(address: str, known: Sequence[str]) -> str:
    stands = any(_stands(bare(address), passage) for passage in known)
    return address.strip("<>") if stands else ""


def _stands(address: str, passage: str) -> bool:
    """Say whether a passage holds exactly this address, not a longer one."""
    return any(bare(found.group()) == address for found in ADDRESS.finditer(passage))
