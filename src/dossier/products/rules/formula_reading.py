"""Every stage of reading one formula table, for the checks, the notes and the lines."""

from dataclasses import dataclass
from decimal import Decimal

from dossier.products.rules.amounts import AmountTable, read_amounts
from dossier.products.rules.explosion import Explosion, explode
from dossier.products.rules.formula_header import FormulaTable, find_table
from dossier.products.rules.formula_rows import TableRows, read_rows
from dossier.products.rules.grid import GridWorkbook
from dossier.products.rules.totals import Settled, Total, settle, total_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One table: as found, as read, as understood."""

    table: FormulaTable
    read: TableRows
    amounts: AmountTable
    explosion: Explosion
    total: Total
    settled: list[Settled]
    tolerance: Decimal


def read_formula(
    workbook: GridWorkbook, filename: str, tolerance: Decimal, sheet: str | None
) -> Reading:
    """Find the formula of a workbook and understand its quantities."""
    table = find_table(workbook, filename, sheet)
    read = read_rows(table)
    amounts = read_amounts(read.rows, table.units)
    explosion = explode(read.rows, amounts, frozenset(table.columns))
    total = total_of(explosion.portions)
    return Reading(
        table=table,
        read=read,
        amounts=amounts,
        explosion=explosion,
        total=total,
        settled=settle(explosion.portions, total),
        tolerance=tolerance,
    )
