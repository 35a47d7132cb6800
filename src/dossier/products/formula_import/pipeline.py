"""From the cells of a spreadsheet to a formula with its findings."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from dossier.core.findings import Finding
from dossier.core.spreadsheets import Workbook
from dossier.products.exceptions import FormulaTooLongError, NoFormulaFoundError
from dossier.products.formula_import.amounts import read_amounts
from dossier.products.formula_import.explosion import explode
from dossier.products.formula_import.findings import findings_of
from dossier.products.formula_import.header import find_table
from dossier.products.formula_import.lines import ParsedLine, TableReading, lines_of
from dossier.products.formula_import.notes import ReadingNote, notes_of
from dossier.products.formula_import.rows import read_rows
from dossier.products.formula_import.totals import portion_shares, total_of
from dossier.products.formula_import.types import ZERO, FormulaSource, Interval

MAX_LINES: Final = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedFormula:
    """What would be imported: lines, total, findings, and how the sheet was read.

    `header` names the cell of every column that was recognised, `units` the unit in
    which each quantity column was written.
    """

    sheet: str
    lines: tuple[ParsedLine, ...]
    total: Interval
    tolerance: Decimal
    findings: tuple[Finding, ...]
    header: dict[str, str]
    units: dict[str, str]
    notes: tuple[ReadingNote, ...]


def parse_formula(
    workbook: Workbook,
    source: FormulaSource,
    *,
    tolerance: Decimal = ZERO,
    sheet: str | None = None,
) -> ParsedFormula:
    """Return the formula of a workbook, or raise `NoFormulaFoundError`."""
    table = find_table(workbook, source.filename, sheet)
    read = read_rows(table)
    amounts = read_amounts(read.rows, table.units)
    explosion = explode(read.rows, amounts, frozenset(table.columns))
    total = total_of(explosion.portions)
    reading = TableReading(
        table=table,
        read=read,
        amounts=amounts,
        explosion=explosion,
        total=total,
        shares=portion_shares(explosion.portions, total),
        tolerance=tolerance,
    )
    lines = lines_of(reading)
    if not lines:
        raise NoFormulaFoundError(source.filename, [table.sheet])
    if len(lines) > MAX_LINES:
        raise FormulaTooLongError(source.filename, len(lines), MAX_LINES)
    return ParsedFormula(
        sheet=table.sheet,
        lines=lines,
        total=total.interval,
        tolerance=tolerance,
        findings=findings_of(reading, lines, source),
        header={role.value: cell for role, cell in table.header.items() if cell},
        units={each.column.value: each.unit for each in amounts.decisions},
        notes=notes_of(reading, workbook.encoding),
    )
