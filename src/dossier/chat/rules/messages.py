"""Messages: what is blank, how long it is to a model, its title, its place in order."""

import re
import unicodedata
from datetime import datetime, timedelta
from typing import Final

from dossier.chat.constants import ROOM_TITLE_CHARACTERS

UNTITLED: Final = "…"
SPEAKER_CHARACTERS: Final = 80
ORDER_STEP: Final = timedelta(microseconds=1)
"""The least that PostgreSQL's timestamps distinguish."""
_BRACKETS: Final = re.compile(r"[\[\]]")
_SPACES: Final = re.compile(r"\s+")
_UNSEEN: Final = frozenset({"Cc", "Cf", "Zl", "Zp", "Zs"})
_WIDE: Final = frozenset("FW")
_NARROW_PER_TOKEN: Final = 3
"""Models make a token of some four Latin letters, fewer of figures and CAS numbers."""


def is_blank(text: str) -> bool:
    """Return whether nothing in a text is visible."""
    return all(unicodedata.category(char) in _UNSEEN for char in text)


def title_of(text: str) -> str:
    """Return the first words of a message, in one line."""
    line = _SPACES.sub(" ", text).strip()
    if len(line) <= ROOM_TITLE_CHARACTERS:
        return line or UNTITLED
    cut = line[: ROOM_TITLE_CHARACTERS - 1]
    head, _, _tail = cut.rpartition(" ")
    # Chinese has no spaces: a title that would lose more than half is cut hard.
    return (head if len(head) > ROOM_TITLE_CHARACTERS // 2 else cut).rstrip() + "…"


def speaker_name(name: str) -> str:
    """Return a name as it stands in brackets before a message."""
    line = _SPACES.sub(" ", _BRACKETS.sub(" ", name))[:SPEAKER_CHARACTERS]
    return line.strip() or UNTITLED


def estimated_tokens(text: str) -> int:
    """Estimate how many tokens a text takes at most, without a tokenizer."""
    if text.isascii():
        return -(-len(text) // _NARROW_PER_TOKEN)
    foreign = [char for char in text if char > "\x7f"]
    wide = sum(unicodedata.east_asian_width(char) in _WIDE for char in foreign)
    return wide + -(-(len(text) - wide) // _NARROW_PER_TOKEN)


def next_instant(at: datetime, newest: datetime | None) -> datetime:
    """Return a time after the newest message's, though clocks of processes differ."""
    return at if newest is None or at > newest else newest + ORDER_STEP
