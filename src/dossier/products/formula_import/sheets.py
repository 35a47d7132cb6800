"""Chooses the sheet of a formula, and says what the other sheets are to it."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from dossier.core.spreadsheets import Workbook
from dossier.products.exceptions import FormulaSheetNotFoundError, NoFormulaFoundError
from dossier.products.formula_import.columns import standing
from dossier.products.formula_import.identifiers import states_identifier
from dossier.products.formula_import.labels import (
    is_other_sheet,
    names_formula,
    names_part,
)
from dossier.products.formula_import.numbers import folded
from dossier.products.formula_import.tables import (
    SheetReading,
    TableReading,
    read_sheet,
)
from dossier.products.formula_import.totals import total_of
from dossier.products.formula_import.types import HUNDRED, Grid

_CLEAR_LEAD: Final = 2
_HIDDEN_PENALTY: Final = 20
_VERSION: Final = re.compile(
    r"(?:v(?:er(?:sion)?)?|rev(?:ision)?)[ ._-]*(?P<en>\d+(?:\.\d+)*)|第?(?P<zh>\d+)版"
)


@dataclass(frozen=True, slots=True)
class SheetChoice:
    """The sheet that is read, and those that hold further parts of the same formula.

    `rivals` are as plausible; `unread` may hold parts of the formula; `others` look
    like formulas and are none of the two; `hidden` are the hidden sheets with content.
    """

    reading: SheetReading
    joined: tuple[SheetReading, ...] = ()
    rivals: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()

    @property
    def sheets(self) -> tuple[SheetReading, ...]:
        """Return every sheet that is read, in the order of the file."""
        return (self.reading, *self.joined)

    @property
    def parts(self) -> list[TableReading]:
        """Return the tables of all sheets that make the formula."""
        return [part for sheet in self.sheets for part in sheet.parts]


def choose_sheet(
    workbook: Workbook, filename: str, wanted: str | None, column: str | None
) -> SheetChoice:
    """Return the sheet with the formula, or raise where no sheet has one."""
    names = [each.name for each in workbook.sheets]
    if wanted is not None and wanted not in names:
        raise FormulaSheetNotFoundError(filename, wanted, names)
    grids = [Grid(each) for each in workbook.sheets if each.cells]
    searched = [grid for grid in grids if wanted in {None, grid.sheet.name}]
    readings = [found for grid in searched if (found := read_sheet(grid, column))]
    if not readings:
        raise NoFormulaFoundError(filename, names)
    if wanted is not None:
        others = tuple(
            grid.sheet.name
            for grid in grids
            if grid.sheet.name != wanted and not grid.sheet.is_hidden
        )
        return SheetChoice(
            readings[0], others=others, hidden=_hidden(grids, readings[0])
        )
    if column is not None:
        with_column = [each for each in readings if each.main.table.states_quantities]
        readings = with_column or readings
    if column is None and (together := _complete_together(readings)):
        apart = [each for each in readings if each not in together]
        return SheetChoice(
            reading=together[0],
            joined=tuple(together[1:]),
            others=tuple(_name(e) for e in apart if not e.grid.sheet.is_hidden),
            hidden=_hidden(grids, together[0]),
        )
    ranked = sorted(readings, key=_score, reverse=True)
    best = _of_newest_version(ranked)
    rest = [each for each in readings if each is not best]
    rivals = [each for each in rest if _is_rival(each, best)]
    unread = [
        *(
            _name(each)
            for each in rest
            if each not in rivals and _may_be_part(each, best)
        ),
        *_parts_without_header(grids, readings, best),
    ]
    return SheetChoice(
        reading=best,
        rivals=tuple(map(_name, rivals)),
        unread=tuple(unread),
        others=tuple(
            _name(each)
            for each in rest
            if each not in rivals
            and _name(each) not in unread
            and not each.grid.sheet.is_hidden
        ),
        hidden=_hidden(grids, best),
    )


def _complete_together(readings: Sequence[SheetReading]) -> list[SheetReading]:
    """Return the sheets that hold one formula in parts; none where it is not proven.

    They have the same columns, none is a formula by itself, and together they come to
    100: without a line that takes the rest, or with one where each is named as a part.
    """
    current = [
        each
        for each in readings
        if not each.grid.sheet.is_hidden
        and standing(_name(each)) >= 0
        and standing(each.main.table.title) >= 0
    ]
    parts = [
        each
        for each in current
        if names_part(_name(each))
        or not any(map(is_other_sheet, (_name(each), each.main.table.title)))
    ]
    portions = [p for e in parts for part in e.parts for p in part.explosion.portions]
    total = total_of(portions)
    if len(parts) < 2 or any(each.total.is_closed for each in parts):  # noqa: PLR2004
        return []
    headers = [{h.header for h in e.main.table.header.values()} for e in parts]
    rows = [row for e in parts for part in e.parts for row in part.read.rows]
    if any(each != headers[0] for each in headers) or any(r.is_hidden for r in rows):
        return []
    if total.rest is None:
        is_proven = total.is_closed
    else:
        is_proven = (
            sum(portion.amount.fills for portion in portions) == 1
            and total.known.upper <= HUNDRED
            and all(
                names_part(_name(e)) or names_part(e.main.table.title) for e in parts
            )
        )
    return parts if is_proven else []


def _hidden(grids: Sequence[Grid], best: SheetReading) -> tuple[str, ...]:
    """Return the names of the hidden sheets that are not read."""
    sheets = [grid.sheet for grid in grids if grid is not best.grid]
    return tuple(sheet.name for sheet in sheets if sheet.is_hidden)


def _name(reading: SheetReading) -> str:
    return reading.grid.sheet.name


def _score(reading: SheetReading) -> tuple[int, bool]:
    """Return the points of a sheet; the active one breaks a tie."""
    sheet, main = reading.grid.sheet, reading.main
    words = standing(sheet.name) or standing(main.table.title)
    is_other_kind = is_other_sheet(sheet.name) and not names_formula(sheet.name)
    points = 4 * words
    points += 1 * names_formula(sheet.name)
    points -= 4 * is_other_kind
    points += 2 * reading.is_whole
    points -= 2 * main.table.is_quantity_inferred
    points -= _HIDDEN_PENALTY * sheet.is_hidden
    return points, sheet.is_active


def _of_newest_version(ranked: Sequence[SheetReading]) -> SheetReading:
    """Return the best sheet; of versions of one name, that of the highest number."""
    best = ranked[0]
    for other in ranked[1:]:
        is_near = _score(best)[0] - _score(other)[0] < _CLEAR_LEAD
        if is_near and _is_newer(_name(other), _name(best)):
            best = other
    return best


def _is_newer(name: str, than: str) -> bool:
    one, other = _version(name), _version(than)
    return one is not None and other is not None and one[0] == other[0] and one > other


def _version(name: str) -> tuple[str, tuple[int, ...]] | None:
    """Return the rest of a name and its version number."""
    match = _VERSION.search(folded(name))
    if match is None:
        return None
    number = tuple(int(each) for each in (match["en"] or match["zh"]).split("."))
    return _VERSION.sub("", folded(name)).strip(" -_()"), number


def _is_rival(reading: SheetReading, best: SheetReading) -> bool:
    """Return whether a sheet is as plausible as the best and says otherwise."""
    if _score(best)[0] - _score(reading)[0] >= _CLEAR_LEAD:
        return False
    if _is_newer(_name(best), _name(reading)):
        return False
    return reading.main.content != best.main.content


def _may_be_part(reading: SheetReading, best: SheetReading) -> bool:
    """Return whether a sheet may hold a part of the formula that is not read."""
    sheet, title = reading.grid.sheet, reading.main.table.title
    if sheet.is_hidden or reading.is_whole:
        return False
    if standing(sheet.name) < 0 or standing(title) < 0:
        return False
    is_part = names_part(sheet.name) or names_part(title)
    if (is_other_sheet(sheet.name) or is_other_sheet(title)) and not is_part:
        return False
    return (is_part or _needs_more(best)) and not reading.names <= best.names


def _needs_more(best: SheetReading) -> bool:
    """Return whether a part could be missing: a rest fills up, or 100 is not met."""
    return not best.total.is_closed


def _parts_without_header(
    grids: Sequence[Grid], readings: Sequence[SheetReading], best: SheetReading
) -> Iterator[str]:
    """Yield visible sheets named as parts that list substances with numbers."""
    read = {_name(each) for each in readings}
    for grid in grids:
        sheet = grid.sheet
        if sheet.name in read or sheet.is_hidden or not names_part(sheet.name):
            continue
        has_substances = any(states_identifier(cell.text) for cell in sheet.cells)
        has_numbers = any(cell.number is not None for cell in sheet.cells)
        if has_numbers and (has_substances or _needs_more(best)):
            yield sheet.name
