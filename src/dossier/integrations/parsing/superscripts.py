"""Raised characters as plain text: `10²`, never `102`."""

import re
from typing import Final

_RAISED: Final = str.maketrans(
    "0123456789+-\u2212\u2013",
    "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁻",
)
# Unicode has no raised q. Single letters are marks of footnotes or exponents (10ⁿ).
_RAISED_LETTERS: Final = str.maketrans(
    "abcdefghijklmnoprstuvwxyz", "ᵃᵇᶜᵈᵉᶠᵍʰⁱʲᵏˡᵐⁿᵒᵖʳˢᵗᵘᵛʷˣʸᶻ"
)
_DEGREES: Final = re.compile(r"[⁰ᵒ](?=\s?[CF](?![a-z]))")
_LONE_LETTER: Final = re.compile(r"(?<![A-Za-z])[a-z](?![A-Za-z])")


def raised(text: str) -> str:
    """Return the text with Unicode superscripts for digits, signs and lone letters.

    Other characters stay as they are: `1st`, `TM` and `®` mean the same when level.
    """
    text = _LONE_LETTER.sub(lambda at: at[0].translate(_RAISED_LETTERS), text)
    return text.translate(_RAISED)


def with_degrees(text: str) -> str:
    """Return the text with the sign for degrees where people raised an `o` or a `0`."""
    return _DEGREES.sub("°", text)
