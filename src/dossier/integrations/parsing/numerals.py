"""Numbers of spreadsheet cells as exact decimals, and the text that shows them."""

import re
from decimal import Decimal
from typing import Final

_QUOTED: Final = re.compile(r'"[^"]*"|\\.|\[[^\]]*\]|_.|\*.')


def exact_decimal(stored: float) -> Decimal:
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


def shown(value: Decimal, factor: int) -> str:
    """Return the text of a number as the cell shows it, unrounded."""
    return f"{value:f}%" if factor != 1 else f"{value:f}"
