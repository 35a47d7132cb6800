"""Keeps links of a model's own out of a text that is relayed as it comes.

Without papers there is no passage that could hold an address: what the person wrote
may be repeated, nothing else. Words go through at once; only what may become a link,
a picture or markup waits until it is whole.
"""

import re
from collections.abc import Sequence
from typing import Final

from dossier.chat.rules.claims_links import without_links
from dossier.core.patterns import pattern
from dossier.core.visible import visible

MAX_HELD: Final = 400
"""What is open for longer was never meant to be closed."""

_SUSPECT: Final = pattern(
    r"[\[\]!<&:/\\@\u200b\u200e\u200f\u2060\ufeff\u00ad]|www\.", re.IGNORECASE
)
_BEGINNINGS: Final = "|".join(
    sorted(
        {
            word[:length]
            for word in ("https", "ftp", "www", "javascript", "vbscript", "data")
            for length in range(1, len(word) + 1)
        },
        key=len,
        reverse=True,
    )
)
_BEGINS: Final = pattern(rf"(?<![a-z0-9])(?:{_BEGINNINGS})$", re.IGNORECASE)
"""A token that an address may begin with."""
_OPEN: Final = pattern(
    r"!?\[[^\]\n]*$|!?\[[^\]\n]*\]\s?(?:[(\[][^)\]\n]*|:[^\n]*)?$|\]\([^)\n]*$|!$"
    r"|<[^>\n]*$|&[#\w]{0,32}$"
    r"|[^\s]*(?:[:/\\@]|&[#\w]+;)[^\s]*$"
    r"|(?<![a-z0-9])www\.[^\s]*$",
    re.IGNORECASE,
)
"""What the end of a text may yet turn out to be."""
_ORPHAN: Final = pattern(r"(?<![a-z0-9:]):?//\S+", re.IGNORECASE)
"""An address whose first word went through as a word."""


class LinkGuard:
    """Takes a model's text piece by piece; gives what may be shown of it."""

    def __init__(self, known: Sequence[str]) -> None:
        self._known = known
        self._held = ""

    def feed(self, delta: str) -> str:
        """Take a piece; return what may be shown by now."""
        if not self._held and not _SUSPECT.search(delta) and not _BEGINS.search(delta):
            return delta
        text = self._held + visible(delta)
        waiting = _OPEN.search(text) or _BEGINS.search(text)
        cut = len(text) if waiting is None else waiting.start()
        if len(text) - cut > MAX_HELD:
            cut = len(text)
        self._held = text[cut:]
        return self._plain(text[:cut])

    def finish(self) -> str:
        """Return what is left at the end."""
        rest, self._held = self._held, ""
        return self._plain(rest)

    def _plain(self, text: str) -> str:
        return _ORPHAN.sub("", without_links(text, self._known)) if text else ""
