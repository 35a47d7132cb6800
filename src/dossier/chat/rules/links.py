"""Links in an answer: only those pass that the cited or known texts hold.

A document can ask a model to write `![](https://…?what-it-read)`; a program that shows
the answer would then send it there. So pictures and named links never pass, bare
addresses only as they stand in a passage. What a renderer would decode counts decoded:
entities, and invisible characters left out.

`LinkGuard` does the same to a text that is relayed while it is written. Without
documents there is no passage that could hold an address: the person's own may be
repeated, nothing else. Words go through at once; only what may become a link, a picture
or markup waits until it is whole. What would make a link of a word that is shown
already (`evil`, then `.com`) is left out, so that the word stays a word.
"""

import html
import re
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Final

from dossier.core.visible import visible

# Each pattern stops where its next match could begin, so that a text is read once.
PICTURE = re.compile(r"!\[[^\[\]]*\]\s*(?:\([^()]*\)|\[[^\[\]]*\])|!\[")
_NAMED = re.compile(r"\[([^\[\]]*)\]\([^()]*\)")
_TORN = re.compile(r"\]\([^()\s]*\)?")
"""Half a named link: with its other half in the line before, it would be whole."""
_REFERENCE = re.compile(r"^[ \t]*\[[^\[\]]+\]:\s*\S+", re.MULTILINE)
_ELEMENT = re.compile(
    r"</?(?:a|base|embed|form|iframe|img|input|link|meta|object|script|style|svg|video)"
    r"(?=[\s/>])[^<>]*>?"
    r"|</?(?![a-z]+:/)[a-z][\w:-]*(?:[\s/][^<>=]*=[^<>]*|\s*/?)>",
    re.IGNORECASE,
)
"""Not what is only smaller than something: `<LOD`."""
_SYNTAX = re.compile(
    r"!(?=\[)|\](?=\()|^[ \t]*<(?=[a-z/])|<(?=[!?])|(?P<tag><)(?=[a-z/])",
    re.IGNORECASE | re.MULTILINE,
)
"""What would begin a picture, a link's address or markup, but for a blank after it.

A `tag` needs its end, unless it begins a line.
"""
_DEFINITION = re.compile(r"^([ \t]*(?:[>*+-][ \t]*)*\[[^\[\]]*\])(?=:)", re.MULTILINE)
DOMAIN_ENDINGS = (
    r"com|net|org|info|biz|edu|gov|mil|io|co|me|app|dev|xyz|top|site|online|shop|club"
    r"|link|click|page|live|vip|win"
)
"""Ends of names that programs make links of, though nothing stands before them."""
_MORE = r"[^\s<>`⟦⟧「」『』，。；、]*"
ADDRESS = re.compile(
    rf"<?(?:(?<![a-z0-9])[a-z][a-z0-9+.-]{{0,15}}\\?:[/\\]{{2,4}}"
    rf"|(?:https?|ftp)\\?:[/\\]{{2,4}}|(?<![a-z0-9])www\."
    rf"|(?<![a-z0-9_])(?:(?:javascript|vbscript|mailto|file|blob|tel|sms):(?=\S)"
    rf"|data:(?=[\w.+-]*[/;,]))){_MORE}>*"
    rf"|(?<![\w:/\\])//(?=\w[\w-]*\.){_MORE}"
    r"|<?(?<![a-z0-9_.+%-])[a-z0-9_.+%-]+@[a-z0-9_-]+(?:\.[a-z0-9_-]+)+>*"
    rf"|(?<![a-z0-9.-])(?:[a-z0-9-]+\.)+(?:{DOMAIN_ENDINGS})(?![a-z0-9_-])"
    rf"(?:[/?#:]{_MORE})?",
    re.IGNORECASE,
)
"""What programs make a link of. GitHub's Markdown finds `http:` and `www.` also behind
an underscore, and `http:` behind a digit."""
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
    """Return a text in which nothing is a link; each step reads it once.

    What a removal joins is no link either: the last step parts what is left of its
    syntax, and an address that is removed leaves a blank between words.
    """

    @cache
    def known_addresses() -> set[str]:
        return {bare(e.group()) for text in known for e in ADDRESS.finditer(text)}

    def if_known(found: re.Match[str]) -> str:
        """Keep an address that a text holds exactly so, not as part of a longer one."""
        address, text = found.group(), found.string
        left = text[found.start() - 1 : found.start()].strip() and " "
        right = text[found.end() : found.end() + 1].strip() and " "
        if bare(address) not in known_addresses():
            return left and right
        named = address.strip("<>")
        return address if named == address else f"{left}{named}{right}"

    sentence = _REFERENCE.sub("", PICTURE.sub("", sentence))
    sentence = _NAMED.sub(r"\1", sentence)
    sentence = _ELEMENT.sub("", _TORN.sub("]", sentence))
    sentence = _DEFINITION.sub(r"\1 ", ADDRESS.sub(if_known, sentence))
    last = sentence.rfind(">")

    def parted(found: re.Match[str]) -> str:
        is_smaller_than = found["tag"] and found.start() > last
        return found.group() if is_smaller_than else f"{found.group()} "

    return _SYNTAX.sub(parted, sentence)


def bare(address: str) -> str:
    """Return an address without the marks around it, and the sentence's signs."""
    return address.strip("<>").rstrip(".,;:!?)")


MAX_HELD: Final = 400
"""What is open for longer was never meant to be closed."""
_REACH: Final = 640
"""How long a name before an address's last part can be, in characters."""
_READ_AT_ONCE: Final = 80
_READ_PER_NEW: Final = 8
"""A word or an open link above 80 characters is read again when an eighth of it is new:
else a text that is one such word would cost its square, piece by piece."""
_CONTROLS: Final = "".join(map(chr, {*range(32), 127} - {9, 10}))
_TRIGGERS: Final = frozenset("[]!<&:/\\@.,;" + _CONTROLS)
"""A piece without any of these neither begins nor completes a link."""
_SCHEMES: Final = ("https", "http", "ftp", "www", "javascript")
"""Words that are seldom anything but the beginning of an address."""
_ENDS: Final = "|".join(
    sorted(
        {
            name[:end]
            for name in DOMAIN_ENDINGS.split("|")
            for end in range(1, len(name) + 1)
        },
        key=len,
        reverse=True,
    )
)
_ADDRESS_REST: Final = (
    r"[^\s<>`⟦⟧\u3000-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uffef]*"
)
"""The rest of an address; ideographs end it, since they follow without a blank."""
_OPEN: Final = re.compile(
    r"!?\[[^\]\n]*$|!?\[[^\]\n]*\]\s?(?:[(\[][^)\]\n]*|:[^\n]*)?$|\]\([^)\n]*$"
    rf"|!?\[[^\]\n]*\]\s?[(\[][^)\]\n]*[)\]]{_ADDRESS_REST}$"
    rf"|[\]!]$|<[^>\n]*$|&[#\w]{{0,32}}$|&[#\w]{{1,32}};{_ADDRESS_REST}$"
    rf"|[:/\\@]{_ADDRESS_REST}$|data:[\w.+-]*$|\.(?:{_ENDS})?$"
    rf"|(?<![a-z0-9])(?:{'|'.join(_SCHEMES)})(?:[:.]{_ADDRESS_REST})?$",
    re.IGNORECASE,
)
"""What the end of a text may yet turn out to be."""
_WORD: Final = re.compile(r"[^\s<>`⟦⟧「」『』，。；、]*")
_NEXT: Final = re.compile(_ADDRESS_REST)


class LinkGuard:
    """Reads a model's text piece by piece and returns what may be shown of it.

    `known` are texts whose addresses may be repeated; `shown` is the text that the
    pieces continue.
    """

    def __init__(self, known: Sequence[str], shown: str = "") -> None:
        self._known = known
        self._held = ""
        self._shown = ""
        self._unread = 0
        self._in_address = False
        self._note_shown(shown)

    def feed(self, delta: str) -> str:
        """Read a piece; return what may be shown by now."""
        if not delta.isascii():
            delta = visible(delta)
        is_open = self._held or self._in_address or delta.endswith(_SCHEMES)
        if not is_open and _TRIGGERS.isdisjoint(delta):
            self._shown = (self._shown + delta)[-_REACH:]
            return delta
        before, text = _context(self._shown), self._held + visible(delta)
        self._unread += len(delta)
        old = len(before) + len(text) - _READ_AT_ONCE
        if self._unread * _READ_PER_NEW < old and len(text) <= MAX_HELD:
            self._held = text
            return ""
        self._unread = 0
        cut = _closed(before, text)
        self._held = text[cut:]
        return self._show(text[:cut])

    def finish(self) -> str:
        """Return what is left at the end."""
        rest, self._held = self._held, ""
        return self._show(rest)

    def _show(self, text: str) -> str:
        """Return what of a text makes no link, nor makes one of the word before it."""
        before, fit = _context(self._shown), ""
        while text:
            clean = without_links(before + text, self._known)
            if clean.startswith(before):
                fit = clean[len(before) :]
                break
            # Leave out what belongs to a link that began before the text.
            ends = [
                found.end() - len(before)
                for found in ADDRESS.finditer(before + text)
                if found.start() < len(before) < found.end()
            ]
            run = _NEXT.match(text)
            ends.append(max(run.end() if run else 0, 1))
            text = text[ends[0] :]
        self._note_shown(fit)
        return fit

    def _note_shown(self, text: str) -> None:
        self._shown = (self._shown + text)[-_REACH:]
        word = _context(self._shown)
        self._in_address = _unended(word) < len(word)


def _closed(before: str, text: str) -> int:
    """Return how much of a text is sure to be no beginning of a link."""
    window = (before + text)[-MAX_HELD - 1 :]
    opening = _OPEN.search(window)
    begins_at = len(window) if opening is None else opening.start()
    start = min(begins_at, _unended(window)) - len(window) + len(text)
    return len(text) if len(text) - start > MAX_HELD else max(start, 0)


def _unended(window: str) -> int:
    """Return where an address begins that the next piece may continue."""
    for found in ADDRESS.finditer(window):
        if found.end() == len(window):
            return found.start()
    return len(window)


def _context(shown: str) -> str:
    """Return the word that the shown text ends with, and whether a line began."""
    line = shown.rpartition("\n")[2]
    found = _WORD.match(line[::-1])
    return (". " if line.strip() else "") + (found.group()[::-1] if found else "")
