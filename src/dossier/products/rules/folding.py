"""One spelling for what people type in many: widths, dashes, tildes, spaces."""

import unicodedata
from typing import Final

# Hyphens, en and em dash, horizontal bar, minus sign, small and full-width hyphen.
_DASHES: Final = dict.fromkeys(
    map(ord, "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe63\uff0d"), "-"
)
# Full-width tilde, wave dash, tilde operator, small tilde.
_TILDES: Final = dict.fromkeys(map(ord, "\uff5e\u301c\u223c\u02dc"), "~")


def half_width(text: str) -> str:
    """Return the text with full-width letters and digits narrowed, and one dash.

    Dashes and tildes go first: folding would turn the small tilde into a space.
    """
    return unicodedata.normalize("NFKC", text.translate(_DASHES | _TILDES))


def folded(text: str) -> str:
    """Return the text for comparing: half width, lower case, single spaces."""
    return " ".join(half_width(text).lower().split())
