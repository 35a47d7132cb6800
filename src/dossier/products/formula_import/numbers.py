"""Text and numbers as people type them, folded to one spelling.

Widths, dashes and tildes; decimal points or commas; grouped thousands.
"""

import re
import unicodedata
from collections.abc import Iterable
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from typing import Final

# Hyphens, en and em dash, horizontal bar, minus sign, small and full-width hyphen.
DASHES: Final = dict.fromkeys(
    map(ord, "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe63\uff0d"), "-"
)
# Full-width tilde, wave dash, tilde operator, small tilde.
_TILDES: Final = dict.fromkeys(map(ord, "\uff5e\u301c\u223c\u02dc"), "~")

# Zero-width and direction marks, soft hyphen: nothing of them is seen.
_INVISIBLE: Final = dict.fromkeys(
    (
        *range(0x200B, 0x2010),
        *range(0x202A, 0x202F),
        *range(0x2060, 0x2065),
        *range(0x2066, 0x206A),
        0x00AD,
        0xFEFF,
    )
)
_RAISED_DIGITS: Final = "\u2070\u00b9\u00b2\u00b3\u2074-\u2079"
_RAISED: Final = re.compile(
    f"[{_RAISED_DIGITS}\u2071\u207a-\u207f\u02b0-\u02b8\u1d2c-\u1d61\u1d9b-\u1dbf]+"
)
_NAME_MARKS: Final = re.compile(
    f"(?:[*\u2020\u2021\u00a7\u00b6]|[{_RAISED_DIGITS}\u207d\u207e\u1d43-\u1d4b\u1d9c])+$"
)
_POWER_OF_TEN: Final = re.compile(
    f"\\s*[x\u00d7\u00b7]\\s*10(?P<power>[\u207b\u207a]?[{_RAISED_DIGITS}]+)"
)
_POWER_TYPED: Final = re.compile(r"(?<=\d)\s*[x\u00d7]\s*10\s*\^\s*(?P<power>[-+]?\d+)")

# The simplified characters of the words that are searched for, and their traditional
# forms, so that one vocabulary reads both scripts.
_TRADITIONAL: Final = str.maketrans(
    "编号别称码类厂应产质浓总计余补适当复组实际级规价额单旧审签页备注说检测试验结温间时转"
    "数颜气无标记制来进项顺占体积净纯经过于许极种样确认发订历变录约调节剂湿机购证电话联"
    "络范围稳层员国阶领书货备饰贸药会后",
    "編號別稱碼類廠應產質濃總計餘補適當複組實際級規價額單舊審簽頁備註說檢測試驗結溫間時轉"
    "數顏氣無標記製來進項順佔體積淨純經過於許極種樣確認發訂歷變錄約調節劑濕機購證電話聯"
    "絡範圍穩層員國階領書貨備飾貿藥會後",
)

_GROUPED_BY_COMMA: Final = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?")
_GROUPED_BY_POINT: Final = re.compile(r"\d{1,3}(?:\.\d{3})+,\d+|\d{1,3}(?:\.\d{3}){2,}")
_GROUPED_BY_SPACE: Final = re.compile(r"\d{1,3}(?: \d{3})+(?:[.,]\d+)?")
_DECIMAL: Final = re.compile(r"(?:\d+(?:[.,]\d+)?|[.,]\d+)(?:e[+-]?\d+)?")
_CLEAR_COMMA: Final = re.compile(
    r"(?<![\d.,])\d+,(?:\d{1,2}|\d{4,})(?![\d.,])|\d\.\d{3},\d"
)
_CLEAR_POINT: Final = re.compile(r"(?<![\d.,])\d+\.\d+(?![\d,])")
_MAX_DIGITS: Final = 30
_MAX_EXPONENT: Final = 30

NUMBER: Final = (
    r"(?:\d{1,3}(?:[ ,.]\d{3})+(?:[.,]\d+)?|\d+(?:[.,]\d+)?|[.,]\d+)(?:e[+-]?\d{1,2})?"
)
"""A number in a longer text; `parse_number` decides whether it really is one."""


class DecimalMark(StrEnum):
    """The character between the whole and the fraction."""

    POINT = "."
    COMMA = ","


def half_width(text: str) -> str:
    """Return the text with full-width letters and digits narrowed, and one dash.

    Superscripts are footnote marks and dropped, except in a power of ten.
    """
    seen = text.translate(_INVISIBLE)
    seen = _POWER_OF_TEN.sub(_exponent, seen)
    # Dashes and tildes go before NFKC, which would turn the small tilde into a space.
    seen = _RAISED.sub("", seen).translate(DASHES | _TILDES)
    narrow = unicodedata.normalize("NFKC", seen)
    return _POWER_TYPED.sub(lambda match: f"e{match['power']}", narrow)


def _exponent(match: re.Match[str]) -> str:
    return "e" + unicodedata.normalize("NFKC", match["power"]).replace("\u2212", "-")


def without_footnote_marks(text: str) -> str:
    """Return a name in single spaces, without the marks that refer to a footnote."""
    return _NAME_MARKS.sub("", " ".join(text.translate(_INVISIBLE).split())).strip()


@lru_cache(maxsize=8192)
def folded(text: str) -> str:
    """Return the text for comparing: half width, lower case, single spaces.

    Simplified characters of the vocabulary are traditional ones.
    """
    return " ".join(half_width(text).lower().translate(_TRADITIONAL).split())


def parse_number(text: str, mark: DecimalMark | None = None) -> Decimal | None:
    """Return the value, or `None` when the text is no number.

    `1,000` is one thousand only where `mark` says that the column writes points: a
    share is rarely a thousand and often given with three decimals. Marks that are
    mixed or doubled (`10.5,0`, `0..5`) are no number.
    """
    bare = re.sub(r"['\u00a0\u202f]", " ", text).strip()
    if len(bare) > _MAX_DIGITS:
        return None
    if _GROUPED_BY_SPACE.fullmatch(bare):
        bare = bare.replace(" ", "")
    has_one_comma_only = "." not in bare and bare.count(",") == 1
    is_ambiguous = has_one_comma_only and mark is not DecimalMark.POINT
    if _GROUPED_BY_COMMA.fullmatch(bare) and not is_ambiguous:
        return Decimal(bare.replace(",", ""))
    if _GROUPED_BY_POINT.fullmatch(bare):
        return Decimal(bare.replace(".", "").replace(",", "."))
    # "02" is a code or a part of a telephone number.
    if not _DECIMAL.fullmatch(bare) or re.match(r"0\d", bare):
        return None
    value = Decimal(bare.replace(",", "."))
    exponent = value.adjusted() if value else 0
    return value if abs(exponent) <= _MAX_EXPONENT else None


def column_mark(texts: Iterable[str]) -> DecimalMark | None:
    """Return the decimal mark that the unambiguous numbers agree on, if they do."""
    every = list(texts)
    commas = any(_CLEAR_COMMA.search(text) for text in every)
    points = any(_CLEAR_POINT.search(text) for text in every)
    if commas == points:
        return None
    return DecimalMark.COMMA if commas else DecimalMark.POINT


def plain(value: Decimal) -> Decimal:
    """Return the value without exponent and without zeros after its last digit."""
    digits = format(value, "f")
    if "." in digits:
        digits = digits.rstrip("0").rstrip(".")
    return Decimal(digits)
