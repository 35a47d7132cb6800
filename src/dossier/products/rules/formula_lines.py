"""The lines of a formula as they are kept: one ingredient, its share, its cells."""

from dataclasses import dataclass
from decimal import Decimal

from dossier.products.rules.explosion import Part
from dossier.products.rules.formula_reading import Reading
from dossier.products.rules.formula_words import Column
from dossier.products.rules.identifiers import find_cas, find_ec
from dossier.products.rules.intervals import Interval
from dossier.products.rules.numbers import plain
from dossier.products.rules.quantities import QuantityKind, printed
from dossier.products.rules.source_rows import RowKey, SourceRow
from dossier.products.rules.totals import Settled


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedLine:
    """One ingredient of the product.

    `cell` states its share; `cells` names the cell of every other value. A trace has no
    upper bound. `percent_text` is the share as a formula writes it.
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
    percent_text: str
    is_qs: bool
    is_exploded: bool
    cell: str
    cells: dict[str, str]


def lines_of(reading: Reading) -> tuple[ParsedLine, ...]:
    """Return every ingredient of every portion, in the order of the sheet."""
    heads = raw_material_names(reading)
    pairs = [
        (settled, part) for settled in reading.settled for part in settled.portion.parts
    ]
    return tuple(
        _line(position, settled, part, heads)
        for position, (settled, part) in enumerate(pairs, start=1)
    )


def raw_material_names(reading: Reading) -> dict[RowKey, SourceRow]:
    """Return for every row the row that names its raw material."""
    heads: dict[RowKey, SourceRow] = {}
    head: SourceRow | None = None
    for row in reading.read.rows:
        head = row if row.opens or head is None else head
        heads[row.key] = head
    return heads


def inci_of(row: SourceRow) -> str | None:
    """Return the ingredient's name: INCI, or what stands in its place."""
    name = row.word(Column.INCI) or row.word(Column.NAME)
    return None if name is None else " ".join(name.split())


def cas_of(row: SourceRow) -> str | None:
    """Return the CAS numbers of a row, normalised."""
    return " / ".join(find_cas(row.word(Column.CAS) or "")) or None


def ec_of(row: SourceRow) -> str | None:
    """Return the EC numbers of a row; some sheets write them beside the CAS number."""
    text = row.word(Column.EC) or row.word(Column.CAS) or ""
    return " / ".join(find_ec(text)) or None


def _line(
    position: int, settled: Settled, part: Part, heads: dict[RowKey, SourceRow]
) -> ParsedLine:
    row = part.row
    head = heads[row.key]
    share = _share(settled, part)
    is_trace = part.stated.quantity.kind is QuantityKind.TRACE
    return ParsedLine(
        position=position,
        phase=row.phase,
        trade_name=row.word(Column.TRADE_NAME) or head.word(Column.TRADE_NAME),
        supplier=row.word(Column.SUPPLIER) or head.word(Column.SUPPLIER),
        inci=inci_of(row),
        cas=cas_of(row),
        ec=ec_of(row),
        function=row.word(Column.FUNCTION) or head.word(Column.FUNCTION),
        percent_lower=share.lower,
        percent_upper=None if is_trace else share.upper,
        percent_text=_text(settled, part, share),
        is_qs=settled.portion.amount.is_rest,
        is_exploded=part.is_exploded,
        cell=part.stated.cell.address,
        cells={column.value: cell for column, cell in row.cells.items()},
    )


def _share(settled: Settled, part: Part) -> Interval:
    share = settled.share.times(part.weight)
    return Interval(plain(share.lower), plain(share.upper))


def _text(settled: Settled, part: Part, share: Interval) -> str:
    if settled.portion.amount.is_rest and not part.is_exploded:
        return part.stated.cell.text
    if part.is_exploded:
        return shown_interval(share)
    return printed(part.stated.quantity, with_unit=False)


def shown_interval(interval: Interval) -> str:
    """Return one number, or two with an en dash."""
    low, high = (f"{plain(each):f}" for each in (interval.lower, interval.upper))
    return low if low == high else f"{low}\u2013{high}"
