"""What is wrong with a formula that could be read, in both languages, with the cell.

The messages are in `data/formula_messages.json`.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from importlib import resources
from typing import Final

from dossier.core.findings import Finding, Message, Place, Severity
from dossier.products.formula_import.amounts import is_negative
from dossier.products.formula_import.columns import QUANTITIES, Column
from dossier.products.formula_import.explosion import is_blend, share_columns_of
from dossier.products.formula_import.identifiers import (
    find_cas,
    find_ec,
    is_cas,
    is_ec,
    is_missing,
)
from dossier.products.formula_import.lines import (
    ParsedLine,
    TableReading,
    inci_of,
    shown_interval,
)
from dossier.products.formula_import.numbers import folded, plain
from dossier.products.formula_import.totals import BLOCKING_BEYOND, deviation
from dossier.products.formula_import.types import (
    HUNDRED,
    ZERO,
    FormulaSource,
    SourceRow,
)

MARKET: Final = "tw"
ITEM: Final = 3
ARTICLE: Final = "PIF Reg. Art. 3(1)(3)"
_RANK: Final = {Severity.BLOCKING: 0, Severity.WARNING: 1, Severity.INFO: 2}

Messages = dict[str, dict[str, dict[str, str]]]


@cache
def formula_messages() -> Messages:
    """Return the messages of findings and notes, by code and language."""
    file = resources.files("dossier.products") / "data" / "formula_messages.json"
    loaded: Messages = json.loads(file.read_text(encoding="utf-8"))
    return loaded


def findings_of(
    reading: TableReading, lines: tuple[ParsedLine, ...], source: FormulaSource
) -> tuple[Finding, ...]:
    """Return all findings, the most severe first, each in the order of the sheet."""
    factory = _FindingFactory(source, reading.table.sheet)
    found = [
        *_wrong_total(reading, factory),
        *_negative_rest(reading, factory),
        *_wrong_stated_totals(reading, factory),
        *_unreadable_quantities(reading, factory),
        *_quantities_over_hundred(reading, factory),
        *_unknown_units(reading, factory),
        *_missing_quantities(reading, factory),
        *_missing_and_blended_names(reading, factory),
        *_wrong_identifiers(reading, factory),
        *_duplicates(lines, factory),
        *_wrong_compositions(reading, factory),
    ]
    return tuple(sorted(found, key=lambda each: _RANK[each.severity]))


@dataclass(frozen=True, slots=True)
class _FindingFactory:
    """Makes findings about one sheet of one file."""

    source: FormulaSource
    sheet: str

    def make(
        self,
        code: str,
        severity: Severity,
        cell: str | None,
        words: dict[str, str],
        *,
        ingredient: str | None = None,
        value: Decimal | None = None,
        limit: Decimal | None = None,
        unit: str | None = None,
    ) -> Finding:
        """Return one finding; `words` fill the placeholders of its messages."""
        text = {
            name: template.format(**words)
            for name, template in formula_messages()["findings"][code].items()
        }
        return Finding(
            code=code,
            severity=severity,
            market=MARKET,
            item=ITEM,
            article=ARTICLE,
            message=Message(zh=text["zh"], en=text["en"]),
            closes_by=Message(zh=text["close_zh"], en=text["close_en"]),
            ingredient=ingredient,
            value=value,
            limit=limit,
            margin=None if value is None or limit is None else value - limit,
            unit=unit,
            place=Place(
                filename=self.source.filename,
                sha256=self.source.sha256,
                document_id=self.source.document_id,
                sheet=self.sheet or None,
                cell=cell,
            ),
        )


def _wrong_total(reading: TableReading, factory: _FindingFactory) -> Iterator[Finding]:
    total = reading.total.interval
    is_right = deviation(total, reading.tolerance) == ZERO
    if is_right or reading.total.deficit > ZERO:
        return
    is_blocking = total.distance(HUNDRED) > BLOCKING_BEYOND
    nearest = total.upper if total.upper < HUNDRED else total.lower
    yield factory.make(
        "total-not-100",
        Severity.BLOCKING if is_blocking else Severity.WARNING,
        _total_cell(reading),
        {"shown": shown_interval(total), "tolerance": f"{reading.tolerance:f}"},
        value=plain(nearest),
        limit=HUNDRED,
        unit="%",
    )


def _total_cell(reading: TableReading) -> str | None:
    """Return the cell of the stated total, else of the quantities' header."""
    if reading.read.totals:
        return reading.read.totals[0].cell.address
    header = reading.table.header
    columns = (Column.PRODUCT_PERCENT, Column.RAW_PERCENT, Column.PERCENT)
    return next((header[column] for column in columns if column in header), None)


def _negative_rest(
    reading: TableReading, factory: _FindingFactory
) -> Iterator[Finding]:
    if reading.total.deficit == ZERO:
        return
    known = plain(reading.total.known.lower)
    for portion in reading.explosion.portions:
        if portion.amount.is_rest:
            yield factory.make(
                "negative-rest",
                Severity.BLOCKING,
                portion.amount.cell.address,
                {"shown": f"{known:f}"},
                value=known,
                limit=HUNDRED,
                unit="%",
            )


def _wrong_stated_totals(
    reading: TableReading, factory: _FindingFactory
) -> Iterator[Finding]:
    """Compare the sheet's own total with its lines."""
    if reading.total.deficit > ZERO:
        return
    computed = reading.total.interval
    composition = share_columns_of(frozenset(reading.table.columns)).inner
    for stated in reading.read.totals:
        amount = reading.amounts.total_in(stated.column, stated.cell)
        # A column of compositions has no total of its own to compare with.
        if amount is None or amount.is_rest or stated.column is composition:
            continue
        value = amount.interval.upper
        if computed.distance(value) > reading.tolerance:
            yield factory.make(
                "stated-total-differs",
                Severity.WARNING,
                stated.cell.address,
                {"stated": f"{plain(value):f}", "shown": shown_interval(computed)},
                value=plain(value),
                limit=plain(computed.upper),
                unit="%",
            )


def _unreadable_quantities(
    reading: TableReading, factory: _FindingFactory
) -> Iterator[Finding]:
    for cell in reading.amounts.unreadable:
        yield factory.make(
            "negative-quantity" if is_negative(cell) else "unreadable-quantity",
            Severity.BLOCKING,
            cell.address,
            {"text": cell.text or "#"},
        )


def _quantities_over_hundred(
    reading: TableReading, factory: _FindingFactory
) -> Iterator[Finding]:
    unknown = {cell.address for _, cell in reading.amounts.unknown_units}
    names = {row.key: inci_of(row) for row in reading.read.rows}
    for (row, _), amount in reading.amounts.amounts.items():
        if amount.largest > HUNDRED and amount.cell.address not in unknown:
            value = plain(amount.largest)
            yield factory.make(
                "quantity-over-100",
                Severity.BLOCKING,
                amount.cell.address,
                {"shown": f"{value:f}"},
                ingredient=names[row],
                value=value,
                limit=HUNDRED,
                unit="%",
            )


def _unknown_units(
    reading: TableReading, factory: _FindingFactory
) -> Iterator[Finding]:
    """Report each unknown unit once, at its first cell."""
    first_cells: dict[str, str] = {}
    for unit, cell in reading.amounts.unknown_units:
        first_cells.setdefault(unit, cell.address)
    for unit, address in first_cells.items():
        yield factory.make(
            "unknown-unit", Severity.BLOCKING, address, {"unit": unit}, unit=unit
        )


def _missing_quantities(
    reading: TableReading, factory: _FindingFactory
) -> Iterator[Finding]:
    stated = {row for row, _ in reading.amounts.amounts}
    unreadable = {cell.address for cell in reading.amounts.unreadable}
    for row in reading.read.rows:
        name = inci_of(row)
        cells = {cell.address for cell in row.quantities.values()}
        if row.key not in stated and name is not None and not cells & unreadable:
            yield factory.make(
                "missing-quantity",
                Severity.BLOCKING,
                _name_cell(row),
                {"name": name},
                ingredient=name,
            )


def _missing_and_blended_names(
    reading: TableReading, factory: _FindingFactory
) -> Iterator[Finding]:
    has_inci = Column.INCI in reading.table.columns
    for portion in reading.explosion.portions:
        for ingredient in portion.ingredients:
            row = ingredient.row
            name = row.text(Column.INCI) if has_inci else inci_of(row)
            if name is None:
                yield factory.make(
                    "missing-inci",
                    Severity.BLOCKING,
                    ingredient.stated.cell.address,
                    {"name": _material_name(row)},
                )
            elif is_blend(name):
                yield factory.make(
                    "mixture-not-exploded",
                    Severity.WARNING,
                    _name_cell(row),
                    {"name": name},
                    ingredient=name,
                )


def _name_cell(row: SourceRow) -> str | None:
    return row.cells.get(Column.INCI) or row.cells.get(Column.NAME)


def _material_name(row: SourceRow) -> str:
    columns = (Column.TRADE_NAME, Column.NAME, Column.CAS)
    known = (row.text(column) for column in columns)
    return next((text for text in known if text), f"row {row.row}")


def _wrong_identifiers(
    reading: TableReading, factory: _FindingFactory
) -> Iterator[Finding]:
    for row in reading.read.rows:
        # Some sheets write the EC number beside the CAS number.
        ec_column = Column.EC if row.text(Column.EC) else Column.CAS
        wrong = [
            *(("cas-check-digit", each, Column.CAS) for each in _wrong_cas(row)),
            *(("ec-check-digit", each, ec_column) for each in _wrong_ec(row)),
        ]
        for code, number, column in wrong:
            yield factory.make(
                code,
                Severity.WARNING,
                row.cells[column],
                {"number": number},
                ingredient=inci_of(row),
            )


def _wrong_cas(row: SourceRow) -> list[str]:
    text = row.text(Column.CAS) or ""
    numbers = find_cas(text)
    if not numbers and not find_ec(text) and _is_number_like(text):
        return [text]
    return [number for number in numbers if not is_cas(number)]


def _wrong_ec(row: SourceRow) -> list[str]:
    text = row.text(Column.EC) or row.text(Column.CAS) or ""
    numbers = find_ec(text)
    if row.text(Column.EC) and not numbers and _is_number_like(text):
        return [text]
    return [number for number in numbers if not is_ec(number)]


def _is_number_like(text: str) -> bool:
    return not is_missing(text) and any(character.isdigit() for character in text)


def _duplicates(
    lines: tuple[ParsedLine, ...], factory: _FindingFactory
) -> Iterator[Finding]:
    first: dict[str, ParsedLine] = {}
    for line in lines:
        key = folded(line.inci or "")
        if not key:
            continue
        earlier = first.setdefault(key, line)
        if earlier is line:
            continue
        is_same = (earlier.trade_name, earlier.phase) == (line.trade_name, line.phase)
        # Water in three extracts is no duplicate; in one extract twice it is.
        if (earlier.is_exploded or line.is_exploded) and not is_same:
            continue
        yield factory.make(
            "duplicate-inci",
            Severity.WARNING if is_same else Severity.INFO,
            line.cell,
            {"name": line.inci or "", "first": earlier.cell},
            ingredient=line.inci,
        )


def _wrong_compositions(
    reading: TableReading, factory: _FindingFactory
) -> Iterator[Finding]:
    for stated, computed in reading.explosion.mismatches:
        value = plain(stated.interval.lower)
        yield factory.make(
            "explosion-mismatch",
            Severity.WARNING,
            stated.cell.address,
            {"stated": f"{value:f}", "computed": f"{plain(computed):f}"},
            value=value,
            limit=plain(computed),
            unit="%",
        )
    for material in reading.explosion.open_blends:
        row = material[0]
        cells = (row.cells[column] for column in row.cells if column in QUANTITIES)
        yield factory.make(
            "mixture-not-100",
            Severity.WARNING,
            next(cells, None),
            {"name": _material_name(row)},
        )
