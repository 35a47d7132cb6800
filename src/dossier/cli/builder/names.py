"""How names of files are shown: on one line, and no longer than a table can bear."""

import unicodedata
from typing import Final

from rich.cells import cell_len

from dossier.core.schemas import is_steering

MAX_COLUMNS: Final = 60
_BREAKING: Final = frozenset({"Zl", "Zp", "Cs"})
"""Ends of lines and of paragraphs; halves of characters, which cannot be printed."""


def plain(text: str) -> str:
    r"""Write what steers a terminal as a programmer would: `\n`, `\x1b`."""
    return "".join(_escaped(char) if _steers(char) else char for char in text)


def shown(name: str) -> str:
    """Return a name on one line, its middle left out where it is too long."""
    text = plain(name)
    if cell_len(text) <= MAX_COLUMNS:
        return text
    half = (MAX_COLUMNS - 1) // 2
    tail = _fitting(text[::-1], half)[::-1]  # the ending tells the kind
    return f"{_fitting(text, MAX_COLUMNS - 1 - cell_len(tail))}…{tail}"


def padded(text: str, columns: int) -> str:
    """Fill up to a number of columns; wide characters take two."""
    return text + " " * (columns - cell_len(text))


def _steers(char: str) -> bool:
    return is_steering(char) or unicodedata.category(char) in _BREAKING


def _escaped(char: str) -> str:
    return char.encode("unicode_escape").decode()


def _fitting(text: str, columns: int) -> str:
    used = 0
    for at, char in enumerate(text):
        used += cell_len(char)
        if used > columns:
            return text[:at]
    return text
