"""What was decided while reading a formula, so that a person can disagree."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from dossier.products.formula_import.findings import formula_messages
from dossier.products.formula_import.lines import TableReading
from dossier.products.formula_import.quantities import QuantityKind
from dossier.products.formula_import.types import FormulaTable

_MAX_REMARKS: Final = 20
_MAX_REMARK_CHARACTERS: Final = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingNote:
    """A decision or a remark, with the cell it is based on."""

    code: str
    zh: str
    en: str
    cell: str | None = None


def notes_of(reading: TableReading, encoding: str | None) -> tuple[ReadingNote, ...]:
    """Return every decision taken, then the sheet's own remarks."""
    return (
        *_table_notes(reading.table, encoding),
        *_unit_notes(reading),
        *_share_notes(reading),
        *_row_notes(reading),
    )


def _note(code: str, cell: str | None = None, **words: str) -> ReadingNote:
    text = formula_messages()["notes"][code]
    zh, en = text["zh"].format(**words), text["en"].format(**words)
    return ReadingNote(code=code, zh=zh, en=en, cell=cell)


def _table_notes(table: FormulaTable, encoding: str | None) -> Iterator[ReadingNote]:
    if encoding:
        yield _note("encoding", encoding=encoding)
    if table.other_sheets:
        yield _note("other-sheets", names=", ".join(table.other_sheets))
    if table.other_quantities:
        yield _note("other-quantities", names=", ".join(table.other_quantities))
    if table.is_quantity_inferred:
        yield _note("quantity-column-inferred")


def _unit_notes(reading: TableReading) -> Iterator[ReadingNote]:
    for decision in reading.amounts.decisions:
        cell = reading.table.header.get(decision.column)
        if decision.unit == "fraction":
            yield _note("fractions", cell)
        elif decision.factor not in {Decimal(0), Decimal(1)}:
            factor = f"{decision.factor:f}"
            yield _note("unit", cell, unit=decision.unit, factor=factor)
    amounts = reading.amounts.amounts.values()
    multiplied = [each.cell for each in amounts if each.cell.factor != 1]
    if multiplied:
        count = str(len(multiplied))
        yield _note("percent-format", multiplied[0].address, count=count)


def _share_notes(reading: TableReading) -> Iterator[ReadingNote]:
    basis = reading.explosion.basis
    if basis is not None:
        yield _note(f"sub-percentages-{basis.value}")
    rests = [p.amount for p in reading.explosion.portions if p.amount.is_rest]
    if len(rests) > 1:
        yield _note("several-rests", rests[1].cell.address)
    traces = (
        amount.cell
        for amount in reading.amounts.amounts.values()
        if amount.quantity.kind is QuantityKind.TRACE
    )
    first_trace = next(traces, None)
    if first_trace is not None:
        yield _note("trace", first_trace.address)


def _row_notes(reading: TableReading) -> Iterator[ReadingNote]:
    hidden = sorted({row.row for row in reading.read.rows if row.is_hidden})
    if hidden:
        yield _note("hidden-rows", rows=", ".join(map(str, hidden[:_MAX_REMARKS])))
    for cell in reading.read.remarks[:_MAX_REMARKS]:
        text = cell.text[:_MAX_REMARK_CHARACTERS]
        yield ReadingNote(code="remark", zh=text, en=text, cell=cell.address)
