"""What is wrong with a formula that could be read."""

from collections.abc import Callable, Iterator
from typing import Final

from dossier.core.findings import Finding, Severity
from dossier.products.rules.amounts import is_negative
from dossier.products.rules.explosion import is_blend, layout_of
from dossier.products.rules.folding import folded
from dossier.products.rules.formula_findings import Facts, Findings
from dossier.products.rules.formula_lines import (
    ParsedLine,
    inci_of,
    lines_of,
    shown_interval,
)
from dossier.products.rules.formula_reading import Reading
from dossier.products.rules.formula_words import QUANTITIES, Column
from dossier.products.rules.identifiers import (
    find_cas,
    find_ec,
    is_cas,
    is_ec,
    states_nothing,
)
from dossier.products.rules.intervals import HUNDRED, ZERO, Interval
from dossier.products.rules.numbers import plain
from dossier.products.rules.source_rows import SourceRow, StatedTotal
from dossier.products.rules.totals import BLOCKING_BEYOND, miss

_RANK: Final = {Severity.BLOCKING: 0, Severity.WARNING: 1, Severity.INFO: 2}


def check(reading: Reading, findings: Findings) -> tuple[Finding, ...]:
    """Return all findings, the gravest first, each in the order of the sheet."""
    found = [each for rule in _RULES for each in rule(reading, findings)]
    return tuple(sorted(found, key=lambda each: _RANK[each.severity]))


def _quantity_header(reading: Reading) -> str | None:
    found = (
        reading.table.header[column]
        for column in (Column.PRODUCT_PERCENT, Column.RAW_PERCENT, Column.PERCENT)
        if column in reading.table.header
    )
    return next(found, None)


def _total_cell(reading: Reading) -> str | None:
    totals = reading.read.totals
    return totals[0].cell.address if totals else _quantity_header(reading)


def _total(reading: Reading, findings: Findings) -> Iterator[Finding]:
    total = reading.total.interval
    off = miss(total, reading.tolerance)
    if off == ZERO or reading.total.deficit > ZERO:
        return
    is_blocking = total.distance(HUNDRED) > BLOCKING_BEYOND
    nearest = total.upper if total.upper < HUNDRED else total.lower
    yield findings.make(
        "total-not-100",
        Severity.BLOCKING if is_blocking else Severity.WARNING,
        _total_cell(reading),
        Facts(value=plain(nearest), limit=HUNDRED, unit="%"),
        shown=shown_interval(total),
        tolerance=f"{reading.tolerance:f}",
    )


def _negative_rest(reading: Reading, findings: Findings) -> Iterator[Finding]:
    if reading.total.deficit == ZERO:
        return
    rests = (p.amount for p in reading.explosion.portions if p.amount.is_rest)
    known = plain(reading.total.known.lower)
    for amount in rests:
        yield findings.make(
            "negative-rest",
            Severity.BLOCKING,
            amount.cell.address,
            Facts(value=known, limit=HUNDRED, unit="%"),
            shown=f"{known:f}",
        )


def _stated_total(reading: Reading, findings: Findings) -> Iterator[Finding]:
    """Compare the sheet's own total with its lines."""
    for stated in reading.read.totals if reading.total.deficit == ZERO else ():
        value = _stated_value(reading, stated)
        computed = _column_total(reading, stated.column)
        if value is None or computed is None:
            continue
        if computed.distance(value.upper) > reading.tolerance:
            yield findings.make(
                "stated-total-differs",
                Severity.WARNING,
                stated.cell.address,
                Facts(value=plain(value.upper), limit=plain(computed.upper), unit="%"),
                stated=f"{plain(value.upper):f}",
                shown=shown_interval(computed),
            )


def _stated_value(reading: Reading, stated: StatedTotal) -> Interval | None:
    amount = reading.amounts.total_in(stated.column, stated.cell)
    return None if amount is None or amount.is_rest else amount.interval


def _column_total(reading: Reading, column: Column) -> Interval | None:
    """Return what a column must come to: nothing fixed, where it holds compositions."""
    layout = layout_of(frozenset(reading.table.columns))
    return None if column is layout.inner else reading.total.interval


def _unreadable(reading: Reading, findings: Findings) -> Iterator[Finding]:
    for cell in reading.amounts.unreadable:
        yield findings.make(
            "negative-quantity" if is_negative(cell) else "unreadable-quantity",
            Severity.BLOCKING,
            cell.address,
            text=cell.text or "#",
        )


def _over_hundred(reading: Reading, findings: Findings) -> Iterator[Finding]:
    unknown = {cell.address for _, cell in reading.amounts.unknown_units}
    names = {row.key: inci_of(row) for row in reading.read.rows}
    for (row, _), amount in reading.amounts.amounts.items():
        if amount.largest > HUNDRED and amount.cell.address not in unknown:
            value = plain(amount.largest)
            yield findings.make(
                "quantity-over-100",
                Severity.BLOCKING,
                amount.cell.address,
                Facts(ingredient=names[row], value=value, limit=HUNDRED, unit="%"),
                shown=f"{value:f}",
            )


def _unknown_units(reading: Reading, findings: Findings) -> Iterator[Finding]:
    seen: set[str] = set()
    for unit, cell in reading.amounts.unknown_units:
        if unit not in seen:
            yield findings.make(
                "unknown-unit",
                Severity.BLOCKING,
                cell.address,
                Facts(unit=unit),
                unit=unit,
            )
        seen.add(unit)


def _missing_quantities(reading: Reading, findings: Findings) -> Iterator[Finding]:
    stated = {row for row, _ in reading.amounts.amounts}
    unreadable = {cell.address for cell in reading.amounts.unreadable}
    for row in reading.read.rows:
        name = inci_of(row)
        cells = {cell.address for cell in row.quantities.values()}
        if row.key not in stated and name is not None and not cells & unreadable:
            yield findings.make(
                "missing-quantity",
                Severity.BLOCKING,
                _name_cell(row),
                Facts(ingredient=name),
                name=name,
            )


def _identifiers(reading: Reading, findings: Findings) -> Iterator[Finding]:
    for row in reading.read.rows:
        wrong = [("cas-check-digit", each, Column.CAS) for each in _wrong_cas(row)]
        wrong += [("ec-check-digit", *each) for each in _wrong_ec(row)]
        for code, number, column in wrong:
            yield findings.make(
                code,
                Severity.WARNING,
                row.cells[column],
                Facts(ingredient=inci_of(row)),
                number=number,
            )


def _wrong_cas(row: SourceRow) -> list[str]:
    text = row.word(Column.CAS) or ""
    numbers = find_cas(text)
    if not numbers and not find_ec(text) and _is_number_like(text):
        return [text]
    return [number for number in numbers if not is_cas(number)]


def _wrong_ec(row: SourceRow) -> list[tuple[str, Column]]:
    column = Column.EC if row.word(Column.EC) else Column.CAS
    text = row.word(column) or ""
    numbers = find_ec(text)
    if column is Column.EC and not numbers and _is_number_like(text):
        return [(text, column)]
    return [(number, column) for number in numbers if not is_ec(number)]


def _is_number_like(text: str) -> bool:
    return not states_nothing(text) and any(sign.isdigit() for sign in text)


def _duplicates(reading: Reading, findings: Findings) -> Iterator[Finding]:
    first: dict[str, ParsedLine] = {}
    for line in lines_of(reading):
        key = folded(line.inci or "")
        if not key:
            continue
        earlier = first.setdefault(key, line)
        if earlier is not line and _is_worth_saying(earlier, line):
            is_same = _is_same(earlier, line)
            yield findings.make(
                "duplicate-inci",
                Severity.WARNING if is_same else Severity.INFO,
                line.cell,
                Facts(ingredient=line.inci),
                name=line.inci or "",
                first=earlier.cell,
            )


def _is_worth_saying(earlier: ParsedLine, line: ParsedLine) -> bool:
    """Water in three extracts is no duplicate; in one extract twice it is."""
    if earlier.is_exploded or line.is_exploded:
        return _is_same(earlier, line)
    return True


def _is_same(earlier: ParsedLine, line: ParsedLine) -> bool:
    return (earlier.trade_name, earlier.phase) == (line.trade_name, line.phase)


def _names(reading: Reading, findings: Findings) -> Iterator[Finding]:
    parts = (part for settled in reading.settled for part in settled.portion.parts)
    has_inci = Column.INCI in reading.table.columns
    for part in parts:
        row = part.row
        name = row.word(Column.INCI) if has_inci else inci_of(row)
        if name is None:
            yield findings.make(
                "missing-inci",
                Severity.BLOCKING,
                part.stated.cell.address,
                name=_material(row),
            )
        elif is_blend(name):
            yield findings.make(
                "mixture-not-exploded",
                Severity.WARNING,
                _name_cell(row),
                Facts(ingredient=name),
                name=name,
            )


def _material(row: SourceRow) -> str:
    known = (row.word(c) for c in (Column.TRADE_NAME, Column.NAME, Column.CAS))
    return next((word for word in known if word), f"row {row.row}")


def _name_cell(row: SourceRow) -> str | None:
    return row.cells.get(Column.INCI) or row.cells.get(Column.NAME)


def _composition(reading: Reading, findings: Findings) -> Iterator[Finding]:
    for stated, computed in reading.explosion.mismatches:
        value = plain(stated.interval.lower)
        yield findings.make(
            "explosion-mismatch",
            Severity.WARNING,
            stated.cell.address,
            Facts(value=value, limit=plain(computed), unit="%"),
            stated=f"{value:f}",
            computed=f"{plain(computed):f}",
        )
    for block in reading.explosion.open_blends:
        row = block.rows[0]
        yield findings.make(
            "mixture-not-100",
            Severity.WARNING,
            _first_quantity(row),
            name=_material(row),
        )


def _first_quantity(row: SourceRow) -> str | None:
    return next((row.cells[c] for c in row.cells if c in QUANTITIES), None)


Rule = Callable[[Reading, Findings], Iterator[Finding]]

_RULES: Final[tuple[Rule, ...]] = (
    _total,
    _negative_rest,
    _stated_total,
    _unreadable,
    _over_hundred,
    _unknown_units,
    _missing_quantities,
    _names,
    _identifiers,
    _duplicates,
    _composition,
)
