"""XLSX papers from rows of cells and a list of merged ranges."""

from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import yaml
from openpyxl import Workbook
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from dossier.testing.papers.office import SAVED_AT, without_clock


def write_workbook(source: Path) -> bytes:
    """Return the workbook that a YAML recipe describes."""
    recipe = yaml.safe_load(source.read_text(encoding="utf-8"))
    book = Workbook()
    book.remove(book.worksheets[0])
    book.properties.created = SAVED_AT.replace(tzinfo=None)
    for sheet in recipe["sheets"]:
        _fill(book.create_sheet(sheet["name"]), sheet)
    content = BytesIO()
    book.save(content)
    return without_clock(content.getvalue())


def _fill(sheet: Worksheet, recipe: Mapping[str, Any]) -> None:
    for row in recipe["rows"]:
        sheet.append(row)
    for merged in recipe["merges"]:
        sheet.merge_cells(merged)
    for column, width in enumerate(recipe["widths"], start=1):
        sheet.column_dimensions[get_column_letter(column)].width = width
