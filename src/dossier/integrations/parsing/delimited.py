"""Delimited text (csv, tsv): the delimiter that the rows prove, and faulty quotes.

A quotation mark that is not closed swallows the rows below it, so such a file is
refused with the line.
"""

import csv
import os
import re
from collections import Counter
from collections.abc import Sequence
from io import StringIO
from typing import BinaryIO, Final

from dossier.core.spreadsheets import Cell, Sheet, Workbook
from dossier.integrations.parsing.cells import check_size
from dossier.integrations.parsing.exceptions import (
    UnreadableFileError,
    UnreadableReason,
)
from dossier.integrations.parsing.text_encoding import MAX_TEXT_BYTES, decoded

_DELIMITERS: Final = (",", ";", "\t", "|")
_SAMPLE_LINES: Final = 60
_NUMBER_LIKE: Final = re.compile(r'\s*"?\s*[<≤]?\s*[.,]?\d[\d.,\s]*%?\s*"?\s*')


def read(file: BinaryIO) -> Workbook:
    """Return delimited text as a workbook of one sheet."""
    if file.seek(0, os.SEEK_END) > MAX_TEXT_BYTES:
        detail = (
            f"a text table above {MAX_TEXT_BYTES // 1024**2} MiB is not read; split it"
        )
        raise UnreadableFileError(UnreadableReason.TOO_LARGE, detail)
    file.seek(0)
    text, encoding = decoded(file.read())
    lines = list(StringIO(text, newline=""))
    if lines and lines[0].strip().lower().startswith("sep="):
        # Excel's own mark; blanked, not dropped, so that row numbers stay true.
        delimiter = lines[0].strip()[4:5] or ","
        lines[0] = "\n"
    else:
        delimiter = max(_DELIMITERS, key=lambda each: _fitness(each, lines))
    rows = _rows(lines, delimiter)
    widths = [len(row) for row in rows]
    check_size("text", len(rows), max(widths, default=0))
    cells = [
        Cell(row=row, column=column, text=text.strip(), in_text=True)
        for row, line in enumerate(rows, start=1)
        for column, text in enumerate(line, start=1)
        if text.strip()
    ]
    sheet = Sheet(name="", is_active=True, cells=cells, row_widths=widths)
    return Workbook(kind="csv", sheets=[sheet], encoding=encoding, delimiter=delimiter)


def _fitness(delimiter: str, lines: list[str]) -> tuple[int, int]:
    """Return how many rows agree on a width above one, and that width."""
    try:
        rows = list(csv.reader(lines[:_SAMPLE_LINES], delimiter=delimiter))
    except csv.Error:
        return (0, 0)
    return _agreement(rows)


def _agreement(rows: Sequence[Sequence[str]]) -> tuple[int, int]:
    widths = Counter(len(row) for row in rows if len(row) > 1)
    if not widths:
        return (0, 0)
    width, agreeing = max(widths.items(), key=lambda pair: (pair[1], pair[0]))
    return (agreeing, width)


def _rows(lines: list[str], delimiter: str) -> list[list[str]]:
    rows: list[list[str]] = []
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    first_line = 1
    try:
        for row in reader:
            rows.append(row)
            if any("\n" in field for field in row):
                _, width = _agreement(rows)
                _check_lines_in_fields(row, delimiter, width, first_line)
            first_line = reader.line_num + 1
    except csv.Error as error:
        raise _unbalanced(first_line) from error
    return rows


def _check_lines_in_fields(
    row: list[str], delimiter: str, width: int, first_line: int
) -> None:
    """Refuse a quoted field that holds whole rows of the table."""
    for field in row:
        for line in field.split("\n")[1:]:
            parts = line.split(delimiter)
            is_row = len(parts) >= max(width, 2)
            if is_row and any(_NUMBER_LIKE.fullmatch(part) for part in parts):
                raise _unbalanced(first_line)


def _unbalanced(line: int) -> UnreadableFileError:
    detail = (
        f"a quotation mark in line {line} is not closed where its cell ends;"
        " write two for one that is part of a text, or save the table as xlsx"
    )
    return UnreadableFileError(UnreadableReason.CORRUPT, detail)
