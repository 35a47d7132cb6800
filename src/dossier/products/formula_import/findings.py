"""What is wrong with a formula that could be read, each with its cell."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from dossier.core.findings import Finding, Severity
from dossier.products.formula_import.accounting import Accounting, range_of
from dossier.products.formula_import.amounts import is_negative
from dossier.products.formula_import.columns import NAMES, QUANTITIES, Column
from dossier.products.formula_import.explosion import is_blend, share_columns_of
from dossier.products.formula_import.identifiers import (
    find_ec,
    is_cas,
    is_ec,
    is_missing,
    read_cas,
)
from dossier.products.formula_import.labels import may_be_name
from dossier.products.formula_import.lines import (
    FormulaParts,
    ParsedLine,
    inci_of,
    shown_interval,
)
from dossier.products.formula_import.messages import FindingFactory, formula_messages
from dossier.products.formula_import.numbers import folded, plain
from dossier.products.formula_import.quantities import why_unreadable
from dossier.products.formula_import.rows import RowKind
from dossier.products.formula_import.sheets import SheetChoice
from dossier.products.formula_import.tables import (
    SheetReading,
    TableReading,
    TableStanding,
)
from dossier.products.formula_import.totals import BLOCKING_BEYOND, deviation
from dossier.products.formula_import.types import (
    HUNDRED,
    ZERO,
    FormulaSource,
    SourceRow,
)

_MAX_CELLS: Final = 8
_CODE_OF_ROW: Final = {
    RowKind.UNREAD: "row-not-read",
    RowKind.FIGURE: "row-unclear",
    RowKind.WIDE: "row-wider-than-header",
    RowKind.BARE: "quantity-without-name",
}
_RANK: Final = {Severity.BLOCKING: 0, Severity.WARNING: 1, Severity.INFO: 2}


def findings_of(
    reading: FormulaParts,
    lines: tuple[ParsedLine, ...],
    accountings: Sequence[Accounting],
    source: FormulaSource,
    *,
    has_formats: bool,
) -> tuple[Finding, ...]:
    """Return all findings, the most severe first, each in the order of the sheet."""
    factory = FindingFactory(source, reading.main.table.sheet)
    found = [
        *_wrong_total(reading, factory),
        *_negative_rest(reading, factory),
        *_sheets_not_read(reading, factory),
        *_hidden_content(reading, factory),
        *_duplicates(lines, source),
    ]
    for sheet, accounting in zip(reading.choice.sheets, accountings, strict=True):
        factory = FindingFactory(source, sheet.grid.sheet.name)
        found += _not_read(reading, sheet, accounting, factory)
    for part in reading.parts:
        factory = FindingFactory(source, part.table.sheet)
        found += [
            *_wrong_stated_totals(reading, part, factory),
            *_unreadable_quantities(part, factory),
            *_quantities_over_hundred(part, factory),
            *_unknown_units(part, factory),
            *_missing_quantities(part, factory),
            *_unplaced_rows(part, factory),
            *_names_alone(part, factory),
            *_missing_and_blended_names(part, factory),
            *_wrong_identifiers(part, factory),
            *_wrong_compositions(part, factory),
            *_narrow_rows(part, factory),
        ]
    if not has_formats:
        found.append(factory.make("formats-not-read", Severity.WARNING, None, {}))
    return tuple(sorted(found, key=lambda each: _RANK[each.severity]))


def file_finding(code: str, source: FormulaSource, words: dict[str, str]) -> Finding:
    """Return the finding of a file from which no formula is read."""
    return FindingFactory(source, "").make(code, Severity.BLOCKING, None, words)


def ambiguities_of(choice: SheetChoice, source: FormulaSource) -> tuple[Finding, ...]:
    """Return the findings of a choice that only a person can make, if there is one."""
    table = choice.reading.main.table
    factory = FindingFactory(source, table.sheet)
    if choice.rivals:
        names = ", ".join((choice.reading.grid.sheet.name, *choice.rivals))
        words = {"names": names}
        return (factory.make("ambiguous-sheet", Severity.BLOCKING, None, words),)
    if table.rivals:
        first = next(each for role, each in table.header.items() if role in QUANTITIES)
        columns = ", ".join(each.shown for each in (first, *table.rivals))
        return (
            factory.make(
                "ambiguous-quantity-column",
                Severity.BLOCKING,
                first.address or None,
                {"names": columns},
            ),
        )
    return ()


def _wrong_total(reading: FormulaParts, factory: FindingFactory) -> Iterator[Finding]:
    total = reading.total.interval
    if not any(part.explosion.portions for part in reading.parts):
        return
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


def _total_cell(reading: FormulaParts) -> str | None:
    """Return the cell of the stated total, else of the quantities' header."""
    main = reading.main.table
    parts = [part for part in reading.parts if part.table.sheet == main.sheet]
    stated = [total for part in parts for total in part.read.totals]
    if stated:
        return stated[-1].cell.address if len(parts) > 1 else stated[0].cell.address
    header = main.header
    columns = (Column.PRODUCT_PERCENT, Column.RAW_PERCENT, Column.PERCENT, Column.MAX)
    found = (header[column].address for column in columns if column in header)
    return next((address for address in found if address), None)


def _negative_rest(reading: FormulaParts, factory: FindingFactory) -> Iterator[Finding]:
    if reading.total.deficit == ZERO:
        return
    known = plain(reading.total.known.lower)
    for part in reading.parts:
        factory = replace(factory, sheet=part.table.sheet)
        for portion in part.explosion.portions:
            if not portion.amount.fills:
                continue
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
    reading: FormulaParts, part: TableReading, factory: FindingFactory
) -> Iterator[Finding]:
    """Compare the sheet's own total with its lines."""
    if reading.total.deficit > ZERO:
        return
    computed = reading.total.interval
    composition = share_columns_of(frozenset(part.table.columns)).inner
    for stated in part.read.totals:
        amount = part.amounts.total_in(stated.column, stated.cell)
        # Columns of compositions and of bounds have no total to compare with.
        uncompared = {composition, Column.MIN, Column.MAX}
        if amount is None or amount.is_rest or stated.column in uncompared:
            continue
        value = amount.interval.upper
        of_part = (
            part.total.interval.distance(value) if len(reading.parts) > 1 else None
        )
        if of_part is not None and of_part <= reading.tolerance:
            continue
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
    reading: TableReading, factory: FindingFactory
) -> Iterator[Finding]:
    for cell in reading.amounts.unreadable:
        reason = formula_messages()["reasons"][why_unreadable(cell.text)]
        words = {"text": cell.text or cell.formula or ""}
        words |= {f"reason_{language}": text for language, text in reason.items()}
        code = "negative-quantity" if is_negative(cell) else "unreadable-quantity"
        yield factory.make(code, Severity.BLOCKING, cell.address, words)
    for cell in reading.amounts.contradictions:
        words = {"text": cell.text}
        yield factory.make("range-contradicts", Severity.BLOCKING, cell.address, words)


def _quantities_over_hundred(
    reading: TableReading, factory: FindingFactory
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


def _unknown_units(reading: TableReading, factory: FindingFactory) -> Iterator[Finding]:
    """Report each unknown unit once, at its first cell."""
    first_cells: dict[str, str] = {}
    for unit, cell in reading.amounts.unknown_units:
        first_cells.setdefault(unit, cell.address)
    for unit, address in first_cells.items():
        yield factory.make(
            "unknown-unit", Severity.BLOCKING, address, {"unit": unit}, unit=unit
        )


def _missing_quantities(
    reading: TableReading, factory: FindingFactory
) -> Iterator[Finding]:
    stated = {row for row, _ in reading.amounts.amounts}
    amounts = reading.amounts
    unreadable = {
        cell.address for cell in (*amounts.unreadable, *amounts.contradictions)
    }
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


def _names_alone(reading: TableReading, factory: FindingFactory) -> Iterator[Finding]:
    """Report names between the ingredients that have neither quantity nor row mates."""
    kinds = reading.read.kinds
    columns = {n for role, n in reading.table.columns.items() if role in NAMES}
    ingredients = [row for row, kind in kinds.items() if kind is RowKind.INGREDIENT]
    last = max(ingredients, default=0)
    for row, kind in kinds.items():
        cells = reading.table.cells_of(row)
        if kind is not RowKind.REMARK or row > last + 1 or len(cells) != 1:
            continue
        cell, grid = cells[0], reading.table.grid
        is_merged = any(
            grid.shown_at(row, column) for column in grid.columns_of(row)[1:]
        )
        if cell.column in columns and not is_merged and may_be_name(cell.text):
            words = {"name": cell.text}
            yield factory.make(
                "name-without-quantity", Severity.WARNING, cell.address, words
            )


def _unplaced_rows(reading: TableReading, factory: FindingFactory) -> Iterator[Finding]:
    """Report rows whose share counts nowhere, so that no ingredient is lost."""
    placed = {
        ingredient.row.key
        for portion in reading.explosion.portions
        for ingredient in portion.ingredients
    }
    for row in reading.read.rows:
        stated = [
            amount.cell
            for (key, _), amount in reading.amounts.amounts.items()
            if key == row.key
        ]
        name = inci_of(row)
        if row.key not in placed and stated and name is not None:
            text = f"{name} | {stated[0].text}"
            cell = stated[0].address
            yield factory.make("row-not-read", Severity.BLOCKING, cell, {"text": text})


def _missing_and_blended_names(
    reading: TableReading, factory: FindingFactory
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
            elif is_blend(name) or _lists_names(row):
                yield factory.make(
                    "mixture-not-exploded",
                    Severity.WARNING,
                    _name_cell(row),
                    {"name": name},
                    ingredient=name,
                )


def _lists_names(row: SourceRow) -> bool:
    """Return whether one row lists several names, each with its CAS number."""
    name = row.text(Column.INCI) or row.text(Column.NAME) or ""
    count = len([each for each in name.split("\n") if each.strip()])
    return count > 1 and count == len(read_cas(row.text(Column.CAS) or "").numbers)


def _name_cell(row: SourceRow) -> str | None:
    return row.cells.get(Column.INCI) or row.cells.get(Column.NAME)


def _material_name(row: SourceRow) -> str:
    columns = (Column.TRADE_NAME, Column.NAME, Column.CAS)
    known = (row.text(column) for column in columns)
    return next((text for text in known if text), f"row {row.row}")


def _wrong_identifiers(
    reading: TableReading, factory: FindingFactory
) -> Iterator[Finding]:
    for row in reading.read.rows:
        # Some sheets write the EC number beside the CAS number.
        ec_column = Column.EC if row.text(Column.EC) else Column.CAS
        wrong = [
            *((code, each, Column.CAS) for code, each in _wrong_cas(row)),
            *(("ec-check-digit", each, ec_column) for each in _wrong_ec(row)),
        ]
        for code, number, column in wrong:
            is_harmless = code == "cas-without-hyphens"
            yield factory.make(
                code,
                Severity.INFO if is_harmless else Severity.WARNING,
                row.cells[column],
                {
                    "number": number,
                    "cas": " / ".join(read_cas(row.text(Column.CAS) or "").numbers),
                },
                ingredient=inci_of(row),
            )


def _wrong_cas(row: SourceRow) -> list[tuple[str, str]]:
    text = row.text(Column.CAS) or ""
    found = read_cas(text)
    if found.turned_into is not None:
        code = "cas-restored" if found.numbers else "cas-became-date"
        return [(code, found.turned_into)]
    if not found.numbers and not find_ec(text) and _is_number_like(text):
        return [("cas-check-digit", text)]
    if found.numbers and text.strip().isdigit():
        return [("cas-without-hyphens", text)]
    return [("cas-check-digit", each) for each in found.numbers if not is_cas(each)]


def _wrong_ec(row: SourceRow) -> list[str]:
    text = row.text(Column.EC) or row.text(Column.CAS) or ""
    numbers = find_ec(text)
    if row.text(Column.EC) and not numbers and _is_number_like(text):
        return [text]
    return [number for number in numbers if not is_ec(number)]


def _is_number_like(text: str) -> bool:
    return not is_missing(text) and any(character.isdigit() for character in text)


def _sheets_not_read(
    reading: FormulaParts, factory: FindingFactory
) -> Iterator[Finding]:
    """Report sheets that may hold a part; a complete formula lacks none."""
    is_closed = reading.total.is_closed
    severity = Severity.WARNING if is_closed else Severity.BLOCKING
    for name in reading.choice.unread:
        yield factory.make("sheet-not-read", severity, None, {"name": name})


def _not_read(
    reading: FormulaParts,
    sheet: SheetReading,
    accounting: Accounting,
    factory: FindingFactory,
) -> Iterator[Finding]:
    """Report what a sheet holds beside the lines of the formula.

    It blocks where the formula could lack it: a rest fills up, or 100 is not met.
    """
    is_closed = reading.total.is_closed
    severity = Severity.WARNING if is_closed else Severity.BLOCKING
    for row in accounting.rows:
        wide = Severity.BLOCKING if row.kind is RowKind.WIDE else severity
        yield factory.make(_CODE_OF_ROW[row.kind], wide, row.cell, {"text": row.text})
    for table, standing in zip(sheet.tables, sheet.standings, strict=True):
        if standing in {TableStanding.UNREAD, TableStanding.OTHER}:
            is_other = standing is TableStanding.OTHER
            yield factory.make(
                "table-not-read",
                Severity.WARNING if is_other else Severity.BLOCKING,
                range_of(table).partition(":")[0],
                {"range": range_of(table), "title": table.table.title},
            )
    if accounting.numbers:
        shown = [f"{c.address} {c.text}".strip() for c in accounting.numbers]
        words = {"cells": ", ".join(shown[:_MAX_CELLS]), "count": str(len(shown))}
        first = accounting.numbers[0].address
        yield factory.make("numbers-not-read", Severity.WARNING, first, words)
    for column, samples in accounting.unknown_columns:
        has_numbers = any(cell.number is not None for cell in samples)
        yield factory.make(
            "unknown-column",
            Severity.WARNING if has_numbers else Severity.INFO,
            column.address or None,
            {
                "header": column.header,
                "samples": ", ".join(" ".join(c.text.split())[:60] for c in samples),
            },
        )


def _hidden_content(
    reading: FormulaParts, factory: FindingFactory
) -> Iterator[Finding]:
    """Name the hidden sheet, rows and columns that the formula depends on."""
    sheet = reading.main.table.grid.sheet
    if sheet.is_hidden:
        yield factory.make(
            "hidden-sheet-read", Severity.WARNING, None, {"name": sheet.name}
        )
    if reading.left_out_rows:
        shown = ", ".join(map(str, reading.left_out_rows))
        yield factory.make(
            "hidden-rows-left-out", Severity.WARNING, None, {"rows": shown}
        )
    rows = [row for part in reading.parts for row in part.read.rows if row.is_hidden]
    if rows and reading.total.rest is not None:
        shown = ", ".join(map(str, sorted({row.row for row in rows})))
        yield factory.make("hidden-rows-read", Severity.WARNING, None, {"rows": shown})
    for part in reading.parts:
        for role, column in part.table.header.items():
            if role in QUANTITIES and column.is_hidden:
                yield factory.make(
                    "hidden-column-read",
                    Severity.WARNING,
                    column.address or None,
                    {"name": column.shown},
                )


def _narrow_rows(part: TableReading, factory: FindingFactory) -> Iterator[Finding]:
    """Report rows of delimited text that end before the last column that is read."""
    widths = part.table.grid.sheet.row_widths
    needed = QUANTITIES | NAMES | {Column.CAS}
    last = max(n for role, n in part.table.columns.items() if role in needed)
    rows = [row.row for row in part.read.rows if widths and widths[row.row - 1] < last]
    if rows:
        words = {
            "rows": ", ".join(map(str, rows[:_MAX_CELLS])),
            "count": str(len(rows)),
        }
        yield factory.make("row-narrower-than-header", Severity.WARNING, None, words)


def _duplicates(
    lines: tuple[ParsedLine, ...], source: FormulaSource
) -> Iterator[Finding]:
    first: dict[str, ParsedLine] = {}
    for line in lines:
        key = folded(line.inci or "")
        if not key:
            continue
        earlier = first.setdefault(key, line)
        if earlier is line:
            continue
        factory = FindingFactory(source, line.sheet)
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
    reading: TableReading, factory: FindingFactory
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
