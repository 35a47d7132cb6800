"""What the spreadsheet formats share: size limits, exact numbers, merged ranges."""

import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, time
from decimal import Decimal
from typing import Final
from xml.etree.ElementTree import ParseError
from zipfile import BadZipFile

from defusedxml.common import DefusedXmlException

from dossier.core.spreadsheets import Cell, address_of
from dossier.integrations.parsing.exceptions import (
    UnreadableFileError,
    UnreadableReason,
)
from dossier.integrations.parsing.package import DTD_DETAIL, DTD_DETAIL_ZH

# More than any formula has.
MAX_ROWS: Final = 20_000
MAX_COLUMNS: Final = 256
MAX_CELLS: Final = 400_000
MAX_SHEETS: Final = 64
_QUOTED: Final = re.compile(r'"[^"]*"|\\.|\[[^\]]*\]|_.|\*.')
_DATE_FORMAT: Final = re.compile(r"[ymdhs]", re.IGNORECASE)
# A format of digit places and dashes, such as `00000` or `0000000-00-0`.
_CODE_FORMAT: Final = re.compile(r"[0#]*0{2}[0#]*|[0#]+(?:-[0#]+)+")
_CAS_FORMAT: Final = re.compile(r"[0#]{2,7}-00-[0#]")
_SUPERSCRIPTS: Final = str.maketrans(
    "0123456789+-=()abcdefghijklmnoprstuvwxyz",
    "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ᵃᵇᶜᵈᵉᶠᵍʰⁱʲᵏˡᵐⁿᵒᵖʳˢᵗᵘᵛʷˣʸᶻ",
)

PACKAGE_DAMAGES: Final = (
    BadZipFile,
    zlib.error,
    EOFError,
    NotImplementedError,
    DefusedXmlException,
    ParseError,
    ArithmeticError,
    LookupError,
    OSError,  # from seeking to a place that the zip directory invents
    TypeError,
    ValueError,
)
"""What reading the XML parts of a damaged zip file raises."""

Position = tuple[int, int]
"""Row and column."""


def check_size(sheet: str, rows: int, columns: int) -> None:
    """Refuse a sheet whose used area is larger than any formula's."""
    if rows > MAX_ROWS or columns > MAX_COLUMNS or rows * columns > MAX_CELLS:
        detail = (
            f"sheet {sheet!r} has {rows} rows and {columns} columns; at most "
            f"{MAX_ROWS} rows, {MAX_COLUMNS} columns and {MAX_CELLS} cells are read"
        )
        raise UnreadableFileError(UnreadableReason.TOO_LARGE, detail)


def check_sheet_count(count: int) -> None:
    """Refuse a workbook with more sheets than any formula's."""
    if count > MAX_SHEETS:
        detail = f"the workbook has {count} sheets; at most {MAX_SHEETS} are read"
        raise UnreadableFileError(UnreadableReason.TOO_LARGE, detail)


@contextmanager
def corrupt_on(*errors: type[Exception]) -> Iterator[None]:
    """Turn a library's own errors into the reason `corrupt`."""
    try:
        yield
    except UnreadableFileError:
        raise
    except DefusedXmlException as error:
        reason = UnreadableReason.CORRUPT
        raise UnreadableFileError(reason, DTD_DETAIL, DTD_DETAIL_ZH) from error
    except errors as error:
        # The library's own words stay in the traceback: nobody can act upon them.
        detail = "the file is damaged; open it in the program that made it and save it"
        raise UnreadableFileError(UnreadableReason.CORRUPT, detail) from error


def exact_decimal(stored: float | Decimal) -> Decimal:
    """Return the decimal that a person typed into a cell.

    Spreadsheets keep 15 significant digits of what is typed, and show no more; what a
    double holds beyond them (0.1 + 0.2) is an artefact of computing.
    """
    return plain(Decimal(f"{stored:.15g}"))


def plain(value: Decimal) -> Decimal:
    """Return the value without exponent and without zeros after the last digit."""
    digits = format(value, "f")
    if "." in digits:
        digits = digits.rstrip("0").rstrip(".")
    return Decimal(0) if digits in {"-0", ""} else Decimal(digits)


def percent_factor(number_format: str | None) -> int:
    """Return 100 for a format that shows a fraction as per cent, else 1."""
    if number_format is None:
        return 1
    return 100 if "%" in _QUOTED.sub("", number_format) else 1


def is_date_format(number_format: str | None) -> bool:
    """Return whether a format shows a number as a day or a time."""
    bare = _QUOTED.sub("", number_format or "")
    return bare.lower() != "general" and _DATE_FORMAT.search(bare) is not None


def superscript(text: str) -> str:
    """Return the text in Unicode superscripts, as far as they exist."""
    return text.translate(_SUPERSCRIPTS)


def number_text(value: Decimal, factor: int, number_format: str | None = None) -> str:
    """Return the text of a number as the cell shows it, unrounded.

    Digit places that a format adds to a code are shown: 123 as `00123`.
    """
    if factor != 1:
        return f"{value:f}%"
    code = re.sub(r"\\(?=-)", "", number_format or "").replace('"-"', "-")
    if _CODE_FORMAT.fullmatch(code) and value == value.to_integral() and value >= 0:
        shown = _in_digit_places(f"{value:f}", code)
        # No CAS number begins with a zero.
        return shown.lstrip("0") if _CAS_FORMAT.fullmatch(code) else shown
    return f"{value:f}"


def _in_digit_places(digits: str, code: str) -> str:
    left = list(digits)
    shown: list[str] = []
    for place in reversed(code):
        if place == "-":
            shown.append("-")
        elif left:
            shown.append(left.pop())
        elif place == "0":
            shown.append("0")
    return "".join([*left, *reversed(shown)]).strip("-")


def number_cell(
    position: Position,
    value: Decimal,
    number_format: str | None,
    formula: str | None = None,
) -> Cell:
    """Return the cell of a stored number, multiplied where its format says per cent."""
    row, column = position
    factor = percent_factor(number_format)
    number = plain(value * factor)
    return Cell(
        row=row,
        column=column,
        text=number_text(number, factor, number_format),
        number=number,
        number_format=number_format,
        factor=factor,
        formula=formula,
    )


def day_text(day: datetime) -> str:
    """Return a date in ISO 8601, with the time only where it is not midnight."""
    return day.date().isoformat() if day.time() == time() else day.isoformat()


def crossed_out(cell: Cell) -> Cell:
    """Return the cell with all its text crossed out and no value."""
    return replace(
        cell,
        text="",
        number=None,
        factor=1,
        formula=None,
        struck_text=" ".join(filter(None, (cell.text, cell.struck_text))),
    )


def covered_cells(
    merged: list[tuple[Position, Position]], filled: set[Position]
) -> dict[Position, Cell]:
    """Return the cells that merged ranges hide, each naming its anchor.

    Ranges count from 0 and include both corners. A range without content is skipped.
    """
    covered: dict[Position, Cell] = {}
    for (top, left), (bottom, right) in merged:
        anchor = (top + 1, left + 1)
        if anchor not in filled:
            continue
        check_size("merged range", bottom - top + 1, right - left + 1)
        for row in range(top + 1, bottom + 2):
            for column in range(left + 1, right + 2):
                if (row, column) != anchor:
                    covered[row, column] = Cell(
                        row=row, column=column, merged_from=address_of(*anchor)
                    )
    return covered
