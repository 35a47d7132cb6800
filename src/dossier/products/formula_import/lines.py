"""One reading of a formula table, stage by stage, and the lines that come of it."""

from dataclasses import dataclass
from decimal import Decimal

from dossier.products.formula_import.columns import Column
from dossier.products.formula_import.explosion import Ingredient
from dossier.products.formula_import.identifiers import find_ec, read_cas
from dossier.products.formula_import.numbers import plain, without_footnote_marks
from dossier.products.formula_import.quantities import QuantityKind, printed
from dossier.products.formula_import.sheets import SheetChoice
from dossier.products.formula_import.tables import TableReading
from dossier.products.formula_import.totals import PortionShare, Total
from dossier.products.formula_import.types import Interval, RowKey, SourceRow


@dataclass(frozen=True, slots=True, kw_only=True)
class FormulaParts:
    """The chosen sheets, the parts of the formula and their total.

    The lines, findings and notes are derived from it. `left_out_rows` are hidden rows
    without which the formula comes to 100.
    """

    choice: SheetChoice
    parts: tuple[TableReading, ...]
    total: Total
    shares: tuple[tuple[PortionShare, ...], ...]
    tolerance: Decimal
    left_out_rows: tuple[int, ...] = ()

    @property
    def main(self) -> TableReading:
        """Return the best table of the sheet."""
        return self.choice.reading.main


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedLine:
    """One ingredient of the product.

    `cell` states its share; `cells` names the cell of every other value. A trace has no
    upper bound. `percent_text` is the share as a formula writes it; `percent_nominal`
    the one value that it states or that follows from it, `None` for a mere range.
    """

    position: int
    phase: str | None
    trade_name: str | None
    supplier: str | None
    inci: str | None
    cas: str | None
    ec: str | None
    function: str | None
    percent_lower: Decimal
    percent_upper: Decimal | None
    percent_nominal: Decimal | None
    percent_text: str
    is_qs: bool
    is_exploded: bool
    sheet: str
    cell: str
    cells: dict[str, str]


def lines_of(reading: FormulaParts) -> tuple[ParsedLine, ...]:
    """Return every ingredient of every portion, in the order of the sheet."""
    lines: list[ParsedLine] = []
    for part, shares in zip(reading.parts, reading.shares, strict=True):
        heads = _material_heads(part.read.rows)
        for share in shares:
            for each in share.portion.ingredients:
                head, position = heads[each.row.key], len(lines) + 1
                lines.append(_line(position, part.table.sheet, share, each, head))
    return tuple(lines)


def _material_heads(rows: list[SourceRow]) -> dict[RowKey, SourceRow]:
    """Return for every row the row that names its raw material."""
    heads: dict[RowKey, SourceRow] = {}
    head: SourceRow | None = None
    for row in rows:
        head = row if head is None or row.starts_material else head
        heads[row.key] = head
    return heads


def _line(
    position: int,
    sheet: str,
    portion_share: PortionShare,
    ingredient: Ingredient,
    head: SourceRow,
) -> ParsedLine:
    row, stated = ingredient.row, ingredient.stated
    is_rest = portion_share.portion.amount.is_rest
    exact_share = portion_share.share.times(ingredient.weight)
    share = Interval(plain(exact_share.lower), plain(exact_share.upper))
    if ingredient.is_exploded:
        percent_text = shown_interval(share)
    elif is_rest:
        percent_text = stated.cell.text
    else:
        percent_text = printed(stated.quantity, with_unit=False)
    is_trace = stated.quantity.kind is QuantityKind.TRACE
    nominal = share.lower if share.lower == share.upper and not is_trace else None
    if stated.quantity.nominal is not None and not ingredient.is_exploded:
        nominal = plain(stated.quantity.nominal)
    # Some sheets write the EC number beside the CAS number.
    ec_text = row.text(Column.EC) or row.text(Column.CAS) or ""
    return ParsedLine(
        position=position,
        phase=row.phase,
        trade_name=_name(row.text(Column.TRADE_NAME) or head.text(Column.TRADE_NAME)),
        supplier=row.text(Column.SUPPLIER) or head.text(Column.SUPPLIER),
        inci=inci_of(row),
        cas=" / ".join(read_cas(row.text(Column.CAS) or "").numbers) or None,
        ec=" / ".join(find_ec(ec_text)) or None,
        function=row.text(Column.FUNCTION) or head.text(Column.FUNCTION),
        percent_lower=share.lower,
        percent_upper=None if is_trace else share.upper,
        percent_nominal=nominal,
        percent_text=percent_text,
        is_qs=is_rest,
        is_exploded=ingredient.is_exploded,
        sheet=sheet,
        cell=stated.cell.address,
        cells={column.value: cell for column, cell in row.cells.items()},
    )


def inci_of(row: SourceRow) -> str | None:
    """Return the ingredient's INCI name, or the name that replaces it."""
    return _name(row.text(Column.INCI) or row.text(Column.NAME))


def _name(text: str | None) -> str | None:
    return None if text is None else without_footnote_marks(text) or text


def shown_interval(interval: Interval) -> str:
    """Return one number, or two with an en dash."""
    low, high = (f"{plain(each):f}" for each in (interval.lower, interval.upper))
    return low if low == high else f"{low}\u2013{high}"
