"""Names of files: what a client says becomes a name that harms nobody."""

import re
import unicodedata
from pathlib import PurePosixPath
from typing import Final

from dossier.documents.constants import MAX_FILENAME_BYTES

UNNAMED: Final = "unnamed"
_SEPARATORS: Final = re.compile(r"[/\\]")
# Other, control, format, private, unassigned, surrogate; separators of lines and
# paragraphs: among them those that turn the direction of writing and hide an ending.
_INVISIBLE: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def safe_filename(stated: str) -> str:
    """Return the last part of a name, readable, in one line and not too long."""
    last = _SEPARATORS.split(unicodedata.normalize("NFC", stated))[-1]
    name = "".join(each for each in last if _is_visible(each)).strip()
    if not name.strip(" ."):
        return UNNAMED
    return _shortened(name)


def _is_visible(character: str) -> bool:
    return unicodedata.category(character) not in _INVISIBLE


def _shortened(name: str) -> str:
    """Cut the stem and keep the ending, within the bytes that a file system takes."""
    if len(name.encode()) <= MAX_FILENAME_BYTES:
        return name
    ending = PurePosixPath(name).suffix
    if len(ending.encode()) > MAX_FILENAME_BYTES // 4:
        ending = ""
    room_bytes = MAX_FILENAME_BYTES - len(ending.encode())
    stem = name.encode()[:room_bytes].decode(errors="ignore")
    return stem.rstrip() + ending
