"""Spreadsheets in memory for the formula import, without a file."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from dossier.core.spreadsheets import Cell, Sheet, Workbook
from dossier.products.formula_import.pipeline import ParsedFormula, parse_formula
from dossier.products.formula_import.types import FormulaSource

SOURCE = FormulaSource(filename="formula.xlsx", sha256="f" * 64, document_id="d1")
Area = tuple[int, int, int, int]


def book_of(*sheets: Sheet) -> Workbook:
    """Return a workbook."""
    return Workbook(kind="xlsx", sheets=list(sheets))


def sheet_of(
    rows: Sequence[Sequence[Any]],
    merged: Sequence[Area] = (),
    name: str = "Formula",
    *,
    is_hidden: bool = False,
) -> Sheet:
    """Return a sheet; areas are (top, left, bottom, right), counted from 1."""
    cells = {
        (row, column): _cell(row, column, value)
        for row, line in enumerate(rows, start=1)
        for column, value in enumerate(line, start=1)
        if value not in {None, ""}
    }
    for area in merged:
        cells |= _covered(area)
    ordered = [cells[position] for position in sorted(cells)]
    return Sheet(name=name, cells=ordered, is_hidden=is_hidden)


def _covered(area: Area) -> dict[tuple[int, int], Cell]:
    top, left, bottom, right = area
    anchor = Cell(row=top, column=left).address
    return {
        (row, column): Cell(row=row, column=column, merged_from=anchor)
        for row in range(top, bottom + 1)
        for column in range(left, right + 1)
        if (row, column) != (top, left)
    }


def _cell(row: int, column: int, value: Any) -> Cell:
    if isinstance(value, str):
        return Cell(row=row, column=column, text=value)
    number = Decimal(str(value))
    return Cell(row=row, column=column, text=f"{number:f}", number=number)


def parse_rows(
    rows: Sequence[Sequence[Any]],
    merged: Sequence[Area] = (),
    tolerance: Decimal = Decimal(0),
) -> ParsedFormula:
    """Return the formula of one sheet."""
    return parse_formula(book_of(sheet_of(rows, merged)), SOURCE, tolerance=tolerance)


def shares_by_name(formula: ParsedFormula) -> dict[str, tuple[str, str]]:
    """Return each ingredient's bounds as text."""
    return {
        line.inci or f"#{line.position}": (
            f"{line.percent_lower:f}",
            "" if line.percent_upper is None else f"{line.percent_upper:f}",
        )
        for line in formula.lines
    }


def finding_places(formula: ParsedFormula) -> list[tuple[str, str, str | None]]:
    """Return the code, severity and cell of each finding."""
    return [
        (each.code, each.severity.value, each.place.cell if each.place else None)
        for each in formula.findings
    ]


def note_codes(formula: ParsedFormula) -> list[str]:
    """Return the codes of the notes, remarks of the sheet excepted."""
    return [note.code for note in formula.notes if note.code != "remark"]
