"""Plain and delimited text.

Encoding and delimiter are detected from the content.
"""

import base64
import csv
import re
from collections import Counter
from io import StringIO
from pathlib import Path
from typing import Final

from dossier.core.spreadsheets import Cell, Sheet, Workbook
from dossier.integrations.parsing.cells import check_size, corrupt_on
from dossier.integrations.parsing.exceptions import (
    UnreadableFileError,
    UnreadableReason,
)
from dossier.integrations.parsing.text_encoding import decoded
from dossier.integrations.parsing.types import Content, split_parts, storable

MAX_BYTES: Final = 32 * 1024 * 1024
_DELIMITERS: Final = (",", ";", "\t")
_SAMPLE_LINES: Final = 60
_MIN_BASE64: Final = 64
_BASE64: Final = re.compile(r"[A-Za-z0-9+/]+={0,2}")
_MAGICS: Final = {
    b"%PDF": "a PDF",
    b"PK\x03\x04": "an archive or office file",
    b"\xd0\xcf\x11\xe0": "an office file",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
}


def read(path: str) -> Content:
    """Return a whole text in parts, with the name of its encoding."""
    text, encoding = decoded_file(path, "a text")
    if carried := _carried_in_base64(text):
        detail = f"it is {carried} as mails carry it (base64); hand in the file itself"
        raise UnreadableFileError(UnreadableReason.UNSUPPORTED, detail)
    return Content(split_parts(storable(text), "text"), encoding=encoding)


def read_csv(path: str) -> Workbook:
    """Return delimited text as a workbook of one sheet."""
    text, encoding = decoded_file(path, "a text table")
    lines = list(StringIO(text, newline=""))
    with corrupt_on(csv.Error):
        if lines and lines[0].strip().lower().startswith("sep="):
            # Excel's own mark; blanked, not dropped, so that row numbers stay true.
            delimiter = lines[0].strip()[4:5] or ","
            lines[0] = "\n"
        else:
            delimiter = max(_DELIMITERS, key=lambda each: _fitness(each, lines))
        rows = list(csv.reader(lines, delimiter=delimiter))
    check_size("text", len(rows), max((len(row) for row in rows), default=0))
    cells = [
        Cell(row=row, column=column, text=text.strip())
        for row, line in enumerate(rows, start=1)
        for column, text in enumerate(line, start=1)
        if text.strip()
    ]
    sheet = Sheet(name="", cells=cells)
    return Workbook(kind="csv", sheets=[sheet], encoding=encoding, delimiter=delimiter)


def _fitness(delimiter: str, lines: list[str]) -> tuple[int, int]:
    """Return how many rows agree on a width above one, and that width."""
    rows = csv.reader(lines[:_SAMPLE_LINES], delimiter=delimiter)
    widths = Counter(len(row) for row in rows if len(row) > 1)
    if not widths:
        return (0, 0)
    width, agreeing = max(widths.items(), key=lambda pair: (pair[1], pair[0]))
    return (agreeing, width)


def decoded_file(path: str, what: str) -> tuple[str, str]:
    file = Path(path)
    if file.stat().st_size > MAX_BYTES:
        detail = f"{what} above {MAX_BYTES // 1024**2} MiB is not read; split it"
        raise UnreadableFileError(UnreadableReason.TOO_LARGE, detail)
    return decoded(file.read_bytes())


def _carried_in_base64(text: str) -> str | None:
    """Return what a text that is nothing but base64 carries; `None` for other texts."""
    body = text.strip().removeprefix("data:").rpartition("base64,")[2]
    packed = "".join(body.split())
    if len(packed) < _MIN_BASE64 or not _BASE64.fullmatch(packed):
        return None
    head = base64.b64decode(packed[:_MIN_BASE64])
    for magic, name in _MAGICS.items():
        if head.startswith(magic):
            return name
    return None
