"""File names: a name that a client states becomes a safe one."""

import re
import unicodedata
from pathlib import PurePosixPath
from typing import Final

from dossier.documents.constants import MAX_FILENAME_BYTES

UNNAMED: Final = "unnamed"
_SEPARATORS: Final = re.compile(r"[/\\]")
# Other, control, format, private, unassigned, surrogate; separators of lines and
# paragraphs: among them those that reverse the direction of writing and hide an ending.
_INVISIBLE: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def safe_filename(stated: str) -> str:
    """Return the last part of a name, readable, in one line and not too long."""
    last = _SEPARATORS.split(unicodedata.normalize("NFC", stated))[-1]
    visible = (each for each in last if unicodedata.category(each) not in _INVISIBLE)
    name = "".join(visible).strip()
    if not name.strip(" ."):
        return UNNAMED
    if len(name.encode()) <= MAX_FILENAME_BYTES:
        return name
    # Of a name that no file system takes the ending is kept, and the stem is cut.
    ending = PurePosixPath(name).suffix
    if len(ending.encode()) > MAX_FILENAME_BYTES // 4:
        ending = ""
    room_bytes = MAX_FILENAME_BYTES - len(ending.encode())
    stem = name.encode()[:room_bytes].decode(errors="ignore")
    return stem.rstrip() + ending
