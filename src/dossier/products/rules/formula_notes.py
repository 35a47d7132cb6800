"""What was decided while reading a formula, so that a person can disagree."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from dossier.products.rules.amounts import UnitDecision
from dossier.products.rules.formula_findings import sentences
from dossier.products.rules.formula_reading import Reading
from dossier.products.rules.quantities import QuantityKind

_MAX_REMARKS: Final = 20
_MAX_REMARK_CHARACTERS: Final = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """A decision or a remark, with the cell it rests on."""

    code: str
    zh: str
    en: str
    cell: str | None = None


def notes_of(reading: Reading, encoding: str | None) -> tuple[Note, ...]:
    """Return every decision taken, then the sheet's own remarks."""
    return (
        *_source_notes(reading, encoding),
        *_unit_notes(reading),
        *_percent_format_notes(reading),
        *_share_notes(reading),
        *_hidden_notes(reading),
        *_remarks(reading),
    )


def _note(code: str, cell: str | None = None, **words: str) -> Note:
    text = sentences()["notes"][code]
    zh, en = text["zh"].format(**words), text["en"].format(**words)
    return Note(code=code, zh=zh, en=en, cell=cell)


def _source_notes(reading: Reading, encoding: str | None) -> Iterator[Note]:
    if encoding:
        yield _note("encoding", encoding=encoding)
    if reading.table.other_sheets:
        yield _note("other-sheets", names=", ".join(reading.table.other_sheets))
    if reading.table.other_quantities:
        yield _note("other-quantities", names=", ".join(reading.table.other_quantities))
    if reading.table.is_quantity_inferred:
        yield _note("quantity-column-inferred")


def _unit_notes(reading: Reading) -> Iterator[Note]:
    for decision in reading.amounts.decisions:
        if decision.factor not in {Decimal(0), Decimal(1)}:
            yield _unit_note(decision, reading.table.header.get(decision.column))


def _unit_note(decision: UnitDecision, cell: str | None) -> Note:
    if decision.unit == "fraction":
        return _note("fractions", cell)
    return _note("unit", cell, unit=decision.unit, factor=f"{decision.factor:f}")


def _percent_format_notes(reading: Reading) -> Iterator[Note]:
    amounts = reading.amounts.amounts.values()
    cells = [amount.cell for amount in amounts if amount.cell.factor != 1]
    if cells:
        yield _note("percent-format", cells[0].address, count=str(len(cells)))


def _share_notes(reading: Reading) -> Iterator[Note]:
    basis = reading.explosion.basis
    if basis is not None:
        yield _note(f"sub-percentages-{basis.value}")
    rests = [p.amount for p in reading.explosion.portions if p.amount.is_rest]
    if len(rests) > 1:
        yield _note("several-rests", rests[1].cell.address)
    yield from _trace_notes(reading)


def _trace_notes(reading: Reading) -> Iterator[Note]:
    for amount in reading.amounts.amounts.values():
        if amount.quantity.kind is QuantityKind.TRACE:
            yield _note("trace", amount.cell.address)
            return


def _hidden_notes(reading: Reading) -> Iterator[Note]:
    hidden = sorted({row.row for row in reading.read.rows if row.is_hidden})
    if hidden:
        yield _note("hidden-rows", rows=", ".join(map(str, hidden[:_MAX_REMARKS])))


def _remarks(reading: Reading) -> Iterator[Note]:
    for cell in reading.read.notes[:_MAX_REMARKS]:
        text = cell.text[:_MAX_REMARK_CHARACTERS]
        yield Note(code="remark", zh=text, en=text, cell=cell.address)
