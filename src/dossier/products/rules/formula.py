"""From the cells of a spreadsheet to a formula with its findings."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from dossier.core.findings import Finding
from dossier.products.exceptions import FormulaTooLongError, NoFormulaFoundError
from dossier.products.rules.formula_checks import check
from dossier.products.rules.formula_findings import Findings, Source
from dossier.products.rules.formula_lines import ParsedLine, lines_of
from dossier.products.rules.formula_notes import Note, notes_of
from dossier.products.rules.formula_reading import Reading, read_formula
from dossier.products.rules.grid import GridWorkbook
from dossier.products.rules.intervals import ZERO, Interval

MAX_LINES: Final = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedFormula:
    """What would be imported: lines, total, findings, and how it was read.

    `header` names the cell of every column that was understood, `units` the unit in
    which each quantity column was written.
    """

    sheet: str
    lines: tuple[ParsedLine, ...]
    total: Interval
    tolerance: Decimal
    findings: tuple[Finding, ...]
    header: dict[str, str]
    units: dict[str, str]
    notes: tuple[Note, ...]


def parse_formula(
    workbook: GridWorkbook,
    source: Source,
    *,
    tolerance: Decimal = ZERO,
    sheet: str | None = None,
) -> ParsedFormula:
    """Return the formula of a workbook, or raise `NoFormulaFoundError`."""
    reading = read_formula(workbook, source.filename, tolerance, sheet)
    lines = lines_of(reading)
    _check_count(lines, reading, source)
    name = reading.table.sheet
    return ParsedFormula(
        sheet=name,
        lines=lines,
        total=reading.total.interval,
        tolerance=tolerance,
        findings=check(reading, Findings(source, name)),
        header={c.value: cell for c, cell in reading.table.header.items() if cell},
        units={d.column.value: d.unit for d in reading.amounts.decisions},
        notes=notes_of(reading, workbook.encoding),
    )


def _check_count(
    lines: tuple[ParsedLine, ...], reading: Reading, source: Source
) -> None:
    if not lines:
        raise NoFormulaFoundError(source.filename, [reading.table.sheet])
    if len(lines) > MAX_LINES:
        raise FormulaTooLongError(source.filename, len(lines), MAX_LINES)
