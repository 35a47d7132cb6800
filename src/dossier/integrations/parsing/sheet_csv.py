"""Reads delimited text: the encoding and the delimiter are told by the bytes."""

import csv
from collections import Counter
from io import StringIO
from pathlib import Path
from typing import Final

from dossier.core.spreadsheets import Cell, Sheet, Workbook
from dossier.integrations.parsing.encodings import decoded
from dossier.integrations.parsing.exceptions import (
    UnreadableFileError,
    UnreadableReason,
)
from dossier.integrations.parsing.sheet_limits import check_size, corrupt_on

_MAX_BYTES: Final = 32 * 1024 * 1024
_DELIMITERS: Final = (",", ";", "\t")
_SAMPLE_LINES: Final = 60


def read(path: str) -> Workbook:
    """Read delimited text as a workbook of one sheet."""
    file = Path(path)
    if file.stat().st_size > _MAX_BYTES:
        detail = f"a text table above {_MAX_BYTES // 1024**2} MiB is not read"
        raise UnreadableFileError(UnreadableReason.TOO_LARGE, detail)
    text, encoding = decoded(file.read_bytes())
    with corrupt_on(csv.Error):
        delimiter, lines = _delimited(list(StringIO(text, newline="")))
        sheet = _sheet(list(csv.reader(lines, delimiter=delimiter)))
    return Workbook(kind="csv", sheets=[sheet], encoding=encoding, delimiter=delimiter)


def _delimited(lines: list[str]) -> tuple[str, list[str]]:
    if lines and lines[0].strip().lower().startswith("sep="):
        # Excel's own mark; blanked, not dropped, so that row numbers stay true.
        return lines[0].strip()[4:5] or ",", ["\n", *lines[1:]]
    return max(_DELIMITERS, key=lambda mark: _fitness(mark, lines)), lines


def _fitness(delimiter: str, lines: list[str]) -> tuple[int, int]:
    """Return how many rows agree on a width above one, and that width."""
    rows = csv.reader(lines[:_SAMPLE_LINES], delimiter=delimiter)
    widths = Counter(len(row) for row in rows if len(row) > 1)
    if not widths:
        return (0, 0)
    width, agreeing = max(widths.items(), key=lambda pair: (pair[1], pair[0]))
    return (agreeing, width)


def _sheet(rows: list[list[str]]) -> Sheet:
    check_size("text", len(rows), max((len(row) for row in rows), default=0))
    return Sheet(
        name="",
        cells=[
            Cell(row=row, column=column, text=text.strip())
            for row, line in enumerate(rows, start=1)
            for column, text in enumerate(line, start=1)
            if text.strip()
        ],
    )
