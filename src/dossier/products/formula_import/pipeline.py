"""From the cells of a spreadsheet to a formula with its findings."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import islice
from typing import Final

from dossier.core.findings import Finding
from dossier.core.spreadsheets import Workbook
from dossier.products.exceptions import (
    FormulaColumnNotFoundError,
    FormulaTooLongError,
    NoFormulaFoundError,
)
from dossier.products.formula_import.accounting import CellUse, account
from dossier.products.formula_import.findings import ambiguities_of, findings_of
from dossier.products.formula_import.lines import FormulaParts, ParsedLine, lines_of
from dossier.products.formula_import.notes import ReadingNote, choice_notes, notes_of
from dossier.products.formula_import.sheets import SheetChoice, choose_sheet
from dossier.products.formula_import.tables import TableReading, evaluated
from dossier.products.formula_import.totals import (
    Total,
    portion_shares,
    total_of,
)
from dossier.products.formula_import.types import (
    ZERO,
    FormulaSource,
    Interval,
)

MAX_LINES: Final = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedTable:
    """One of the tables that make a formula: its columns, its lines and their sum."""

    sheet: str
    title: str
    columns: dict[str, str]
    lines: tuple[ParsedLine, ...]
    total: Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedFormula:
    """What would be imported: lines, total, findings, and how the sheet was read.

    `sheet` is the first of them where the formula lies on several, `tables` name them.
    `header` names the cell of every column that was recognised, `columns` its text,
    `units` the unit in which each quantity column was written. `uses` accounts for
    every cell, with its sheet where there are several. Without lines, the findings say
    why.
    """

    sheet: str
    lines: tuple[ParsedLine, ...]
    total: Interval
    tolerance: Decimal
    findings: tuple[Finding, ...]
    header: dict[str, str]
    columns: dict[str, str]
    units: dict[str, str]
    notes: tuple[ReadingNote, ...]
    tables: tuple[ParsedTable, ...]
    uses: Mapping[str, CellUse]


def parse_formula(
    workbook: Workbook,
    source: FormulaSource,
    *,
    tolerance: Decimal = ZERO,
    sheet: str | None = None,
    column: str | None = None,
) -> ParsedFormula:
    """Return the formula of a workbook, or raise `NoFormulaFoundError`.

    Where two sheets or columns are as plausible, it has no lines and a blocking
    finding; `sheet` and `column` (a header or a letter) choose between them.
    """
    choice = choose_sheet(workbook, source.filename, sheet, column)
    table = choice.reading.main.table
    if not table.states_quantities:
        known = [each.shown for each in table.headers.values()]
        raise FormulaColumnNotFoundError(source.filename, column or "", known)
    ambiguities = ambiguities_of(choice, source)
    if ambiguities:
        return _undecided(choice, ambiguities, tolerance, workbook.encoding)
    reading = _read(choice, tolerance)
    accountings = [account(each, reading.left_out_rows) for each in choice.sheets]
    lines = lines_of(reading)
    findings = findings_of(
        reading, lines, accountings, source, has_formats=workbook.has_formats
    )
    if not lines and not any(each.rows for each in accountings):
        raise NoFormulaFoundError(source.filename, [table.sheet])
    if len(lines) > MAX_LINES:
        raise FormulaTooLongError(source.filename, len(lines), MAX_LINES)
    header = choice.reading.main.table.header
    decisions = choice.reading.main.amounts.decisions
    return ParsedFormula(
        sheet=table.sheet,
        lines=lines,
        total=reading.total.interval,
        tolerance=tolerance,
        findings=findings,
        header={
            role.value: each.address for role, each in header.items() if each.address
        },
        columns=_columns(choice.reading.main),
        units={each.column.value: each.unit for each in decisions},
        notes=notes_of(reading, accountings, workbook.encoding),
        tables=_tables(reading, lines),
        uses={
            f"{sheet.grid.sheet.name}!{address}" if choice.joined else address: use
            for sheet, each in zip(choice.sheets, accountings, strict=True)
            for address, use in each.uses.items()
        },
    )


def _undecided(
    choice: SheetChoice,
    ambiguities: tuple[Finding, ...],
    tolerance: Decimal,
    encoding: str | None,
) -> ParsedFormula:
    """Return a formula without lines: only a person can say which sheet or column."""
    uses = dict.fromkeys(account(choice.reading).uses, CellUse.REPORTED)
    return ParsedFormula(
        sheet="" if choice.rivals else choice.reading.grid.sheet.name,
        lines=(),
        total=Interval.exactly(ZERO),
        tolerance=tolerance,
        findings=ambiguities,
        header={},
        columns={},
        units={},
        notes=tuple(choice_notes(choice, encoding)),
        tables=(),
        uses=uses,
    )


def _read(choice: SheetChoice, tolerance: Decimal) -> FormulaParts:
    parts = choice.parts
    total = _total(parts)
    visible = [_without_hidden_rows(part) for part in parts]
    left_out: tuple[int, ...] = ()
    # Without a rest, the sum shows whether hidden rows belong to the formula.
    if (
        total.rest is None
        and not total.is_closed
        and any(visible[i].read.rows != each.read.rows for i, each in enumerate(parts))
        and _total(visible).is_closed
    ):
        rows = [row for part in parts for row in part.read.rows if row.is_hidden]
        left_out = tuple(sorted({row.row for row in rows}))
        parts, total = visible, _total(visible)
    every = [p for part in parts for p in part.explosion.portions]
    shares = iter(portion_shares(every, total))
    return FormulaParts(
        choice=choice,
        parts=tuple(parts),
        total=total,
        shares=tuple(
            tuple(islice(shares, len(part.explosion.portions))) for part in parts
        ),
        tolerance=tolerance,
        left_out_rows=left_out,
    )


def _total(parts: list[TableReading]) -> Total:
    return total_of([p for part in parts for p in part.explosion.portions])


def _without_hidden_rows(part: TableReading) -> TableReading:
    shown = [row for row in part.read.rows if not row.is_hidden]
    if len(shown) == len(part.read.rows):
        return part
    read = replace(part.read, rows=shown)
    return evaluated(part.table, read, is_alone=part.table.index == 0)


def _columns(part: TableReading) -> dict[str, str]:
    return {role.value: each.header for role, each in part.table.header.items()}


def _tables(
    reading: FormulaParts, lines: tuple[ParsedLine, ...]
) -> tuple[ParsedTable, ...]:
    tables: list[ParsedTable] = []
    start = 0
    for part, shares in zip(reading.parts, reading.shares, strict=True):
        count = sum(len(each.portion.ingredients) for each in shares)
        tables.append(
            ParsedTable(
                sheet=part.table.sheet,
                title=part.table.title,
                columns=_columns(part),
                lines=lines[start : start + count],
                total=Interval.sum(each.share for each in shares),
            )
        )
        start += count
    return tuple(tables)
