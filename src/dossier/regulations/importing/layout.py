"""The rows of an official list, whatever its layout: header found, columns named.

Known are CosIng's exports of 2016, 2024 and 2026 (four preamble lines, then the header)
and the Taiwan FDA's open data. Anything else is refused with what was found.
"""

import csv
import io
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import ParseError, fromstring

from dossier.regulations.exceptions import AnnexNotReadableError
from dossier.regulations.importing.cells import grammar

Row = dict[str, str]

_COLUMNS: Final[Mapping[str, str]] = grammar()["columns"]
_NEEDED: Final[Mapping[str, list[str]]] = grammar()["needed_columns"]
_NOT_OF: Final = {"II": {"maximum"}, "V": {"colour"}, "VI": {"colour"}}
"""Columns that mark a file as another list."""
_LOST_COLUMN: Final = "regulated_by"
_ANNEX: Final = re.compile(r"\bANNEX (II|III|IV|V|VI)\b")
_DATE: Final = re.compile(r"\d{2}/\d{2}/\d{4}")
_PREAMBLE_ROWS: Final = 8


@dataclass(frozen=True, slots=True)
class Table:
    """The rows of a list with our column names, and what its preamble says."""

    rows: list[Row]
    updated: date | None


def read_table(content: bytes, list_name: str) -> Table:
    """Return the rows of a list's file (CSV, JSON or XML), or refuse it."""
    text = _decoded(content)
    start = text.lstrip()[:200].lower()
    if start.startswith(("<!doctype html", "<html")):
        msg = "This is a web page (HTML), not the export."
        raise AnnexNotReadableError(msg)
    if start.startswith(("[", "{")):
        return table_of(_json_rows(text), list_name)
    if start.startswith("<"):
        return table_of(_xml_rows(text), list_name)
    if text.count('"') % 2:
        msg = "The file ends inside a cell: it looks truncated."
        raise AnnexNotReadableError(msg)
    cells = list(csv.reader(io.StringIO(text, newline="")))
    return table_of(cells, list_name)


def table_of(cells: list[list[str]], list_name: str) -> Table:
    """Return the rows of a grid whose header is among its first lines."""
    for at, line in enumerate(cells[:_PREAMBLE_ROWS]):
        columns = [_COLUMNS.get(" ".join(cell.lower().split())) for cell in line]
        if list_name != "uv_filters" and "ref" not in columns:
            continue
        if {"chemical", "glossary"} & set(columns):
            _check_preamble(cells[:at], list_name)
            if _LOST_COLUMN in line and len(cells[at + 1]) == len(line) - 1:
                # The copy of 2024 names a column that its rows do not have.
                del columns[line.index(_LOST_COLUMN)]
            _check_columns(columns, list_name)
            updated = _preamble_date(cells[:at])
            return Table(_rows(cells[at + 1 :], columns, at), updated)
    msg = f"No header row of list {list_name} among the first {_PREAMBLE_ROWS} lines."
    raise AnnexNotReadableError(msg)


def _rows(cells: list[list[str]], columns: list[str | None], at: int) -> list[Row]:
    rows: list[Row] = []
    for number, line in enumerate(cells, start=at + 2):
        if not any(cell.strip() for cell in line):
            continue
        if len(line) < len(columns) - 2:
            msg = (
                f"Row {number} has {len(line)} of {len(columns)} cells:"
                " the file looks truncated."
            )
            raise AnnexNotReadableError(msg)
        row: Row = {}
        for name, cell in zip(columns, line, strict=False):
            if name is not None:
                row[name] = f"{row[name]}\n{cell}" if row.get(name) else cell
        rows.append(row)
    if not rows:
        msg = "The file has a header and no rows."
        raise AnnexNotReadableError(msg)
    return rows


def _check_preamble(lines: list[list[str]], list_name: str) -> None:
    found = _ANNEX.search(" ".join(cell for line in lines for cell in line))
    if found and found[1] != list_name:
        msg = f"The file says it is Annex {found[1]}, not {list_name}."
        raise AnnexNotReadableError(msg)


def _check_columns(columns: list[str | None], list_name: str) -> None:
    missing = set(_NEEDED[list_name]) - set(columns)
    foreign = _NOT_OF.get(list_name, set()) & set(columns)
    if missing or foreign:
        words = [f"lacks {name}" for name in sorted(missing)]
        words += [f"has {name}" for name in sorted(foreign)]
        msg = f"The columns are not those of list {list_name}: {', '.join(words)}."
        raise AnnexNotReadableError(msg)


def _preamble_date(lines: list[list[str]]) -> date | None:
    for line in lines:
        for cell in line:
            if "update" in cell.lower() and (found := _DATE.search(cell)):
                return read_day(found[0])
    return None


def read_day(text: str) -> date | None:
    """Return a day written 28/08/2026."""
    match = re.fullmatch(r"(\d{2})/(\d{2})/(\d{4})", text.strip())
    try:
        return match and date(int(match[3]), int(match[2]), int(match[1]))
    except ValueError:
        return None


def _decoded(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        msg = "The file is not UTF-8 text."
        raise AnnexNotReadableError(msg) from exc


def _json_rows(text: str) -> list[list[str]]:
    try:
        rows: Any = json.loads(text)
    except json.JSONDecodeError as exc:
        msg = f"Broken JSON: {exc}."
        raise AnnexNotReadableError(msg) from exc
    if not (isinstance(rows, list) and rows and all(isinstance(r, dict) for r in rows)):
        msg = "The JSON is not a list of rows."
        raise AnnexNotReadableError(msg)
    header = list(rows[0])
    return [header, *([str(row.get(name) or "") for name in header] for row in rows)]


def _xml_rows(text: str) -> list[list[str]]:
    try:
        root = fromstring(text, forbid_dtd=True)
    except (ParseError, DefusedXmlException) as exc:
        detail = f"Broken XML: {exc}."
        raise AnnexNotReadableError(detail) from exc
    rows = [{cell.tag: cell.text or "" for cell in row} for row in root]
    if not rows or not rows[0]:
        msg = "The XML holds no rows."
        raise AnnexNotReadableError(msg)
    header = list(rows[0])
    return [header, *([row.get(name, "") for name in header] for row in rows)]
