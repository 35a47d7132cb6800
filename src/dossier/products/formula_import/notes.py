"""What was decided while reading a formula, so that a person can disagree."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from dossier.products.formula_import.accounting import Accounting, range_of
from dossier.products.formula_import.columns import QUANTITIES, UNUSED, Column
from dossier.products.formula_import.lines import FormulaParts
from dossier.products.formula_import.messages import formula_messages
from dossier.products.formula_import.quantities import QuantityKind
from dossier.products.formula_import.rows import RowKind
from dossier.products.formula_import.sheets import SheetChoice
from dossier.products.formula_import.tables import TableStanding

_MAX_REMARKS: Final = 20
_MAX_REMARK_CHARACTERS: Final = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingNote:
    """A decision or a remark, with the cell it is based on.

    `kind`: what was `chosen`, `left_out` or `assumed`, or a `remark` of the sheet.
    """

    code: str
    kind: str
    zh: str
    en: str
    cell: str | None = None


def notes_of(
    reading: FormulaParts, accountings: Sequence[Accounting], encoding: str | None
) -> tuple[ReadingNote, ...]:
    """Return every decision taken, then the sheet's own remarks."""
    return (
        *choice_notes(reading.choice, encoding),
        *_column_notes(reading),
        *_table_notes(reading),
        *_unit_notes(reading),
        *_share_notes(reading),
        *_row_notes(reading),
        *(note for each in accountings for note in _remarks(each)),
    )


def _note(code: str, cell: str | None = None, **words: str) -> ReadingNote:
    text = formula_messages()["notes"][code]
    zh, en = text["zh"].format(**words), text["en"].format(**words)
    return ReadingNote(code=code, kind=text["kind"], zh=zh, en=en, cell=cell)


def choice_notes(choice: SheetChoice, encoding: str | None) -> Iterator[ReadingNote]:
    """Yield what was decided about the file: its encoding and its sheets."""
    if encoding:
        yield _note("encoding", encoding=encoding)
    if choice.joined:
        names = ", ".join(each.grid.sheet.name for each in choice.sheets)
        yield _note("sheets-joined", names=names, count=str(len(choice.sheets)))
    others = [*choice.others, *choice.unread]
    if others and choice.joined:
        yield _note("other-sheets", names=", ".join(others))
    elif others and not choice.rivals:
        yield _note("sheet-chosen", name=choice.reading.grid.sheet.name)
        yield _note("other-sheets", names=", ".join(others))
    if choice.hidden:
        yield _note("hidden-sheets", names=", ".join(choice.hidden))


def _column_notes(reading: FormulaParts) -> Iterator[ReadingNote]:
    for part in reading.parts:
        table = part.table
        taken = [each for role, each in table.header.items() if role in QUANTITIES]
        unused = [
            each
            for number, each in table.headers.items()
            if table.roles.get(number) in UNUSED
        ]
        if table.left_out:
            names = ", ".join(each.shown for each in taken)
            yield _note("column-chosen", taken[0].address or None, name=names)
            names = ", ".join(each.shown for each in table.left_out)
            yield _note("other-quantities", names=names)
        if table.is_quantity_inferred:
            yield _note("quantity-column-inferred")
        if Column.MIN in table.columns:
            yield _note("ranges", table.header[Column.MIN].address)
        if unused:
            names = ", ".join(each.shown for each in unused)
            yield _note("columns-not-used", names=names)
        hidden = [each.shown for each in table.headers.values() if each.is_hidden]
        if hidden:
            yield _note("hidden-columns", names=", ".join(hidden))


def _table_notes(reading: FormulaParts) -> Iterator[ReadingNote]:
    if len(reading.parts) > len(reading.choice.sheets):
        names = ", ".join(range_of(part) for part in reading.parts)
        yield _note("tables-joined", names=names, count=str(len(reading.parts)))
    asides = [
        f"{range_of(table)} {table.table.title}".strip()
        for sheet in reading.choice.sheets
        for table, standing in zip(sheet.tables, sheet.standings, strict=True)
        if standing is TableStanding.ASIDE
    ]
    for part in reading.parts:
        rows = [row for row, kind in part.read.kinds.items() if kind is RowKind.ASIDE]
        if rows:
            first = part.table.cells_of(rows[0])[0]
            last = part.table.cells_of(rows[-1])[-1]
            asides.append(f"{first.address}:{last.address} {first.text}")
    if asides:
        yield _note("other-tables", names=", ".join(asides))


def _unit_notes(reading: FormulaParts) -> Iterator[ReadingNote]:
    for part in reading.parts:
        for decision in part.amounts.decisions:
            header = part.table.header.get(decision.column)
            cell = header.address if header else None
            if decision.unit == "fraction":
                yield _note("fractions", cell)
            elif decision.factor not in {Decimal(0), Decimal(1)}:
                factor = f"{decision.factor:f}"
                yield _note("unit", cell, unit=decision.unit, factor=factor)
        amounts = part.amounts.amounts.values()
        multiplied = [each.cell for each in amounts if each.cell.factor != 1]
        if multiplied:
            count = str(len(multiplied))
            yield _note("percent-format", multiplied[0].address, count=count)


def _share_notes(reading: FormulaParts) -> Iterator[ReadingNote]:
    for part in reading.parts:
        basis = part.explosion.basis
        if basis is not None:
            yield _note(f"sub-percentages-{basis.value}")
    portions = [p for part in reading.parts for p in part.explosion.portions]
    rests = [p.amount for p in portions if p.amount.is_rest]
    if len(rests) > 1:
        yield _note("several-rests", rests[1].cell.address)
    adjusters = [each for each in rests if not each.fills]
    if adjusters:
        yield _note("adjusters", adjusters[0].cell.address)
    traces = (
        amount.cell
        for part in reading.parts
        for amount in part.amounts.amounts.values()
        if amount.quantity.kind is QuantityKind.TRACE
    )
    first_trace = next(traces, None)
    if first_trace is not None:
        yield _note("trace", first_trace.address)


def _row_notes(reading: FormulaParts) -> Iterator[ReadingNote]:
    rows = [row for part in reading.parts for row in part.read.rows]
    hidden = sorted({row.row for row in rows if row.is_hidden})
    if hidden:
        yield _note("hidden-rows", rows=", ".join(map(str, hidden[:_MAX_REMARKS])))
    properties = [
        " ".join(cell.text for cell in part.table.cells_of(row))
        for part in reading.parts
        for row, kind in part.read.kinds.items()
        if kind is RowKind.PROPERTY
    ]
    if properties:
        yield _note("properties", names="; ".join(properties[:_MAX_REMARKS]))


def _remarks(accounting: Accounting) -> Iterator[ReadingNote]:
    if accounting.struck:
        shown = [f"{each.address} {each.struck_text}" for each in accounting.struck]
        yield _note("struck-out", names=", ".join(shown[:_MAX_REMARKS]))
    for cell in accounting.remarks[:_MAX_REMARKS]:
        text = cell.text[:_MAX_REMARK_CHARACTERS]
        yield ReadingNote(
            code="remark", kind="remark", zh=text, en=text, cell=cell.address
        )
