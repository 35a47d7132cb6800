"""The columns of a formula sheet and the header words that name them (zh and en)."""

import re
from collections.abc import Iterator
from enum import StrEnum
from functools import lru_cache
from typing import Final

from dossier.products.formula_import.numbers import folded


class Column(StrEnum):
    """What a column of a formula holds.

    `PERCENT` is a share of something that the header does not name; `RAW_PERCENT` is a
    raw material's share of the product, `SUB_PERCENT` an ingredient's share of its raw
    material, `PRODUCT_PERCENT` an ingredient's share of the product.
    """

    NUMBER = "number"
    PHASE = "phase"
    TRADE_NAME = "trade_name"
    SUPPLIER = "supplier"
    INCI = "inci"
    NAME = "name"
    CAS = "cas"
    EC = "ec"
    FUNCTION = "function"
    PERCENT = "percent"
    RAW_PERCENT = "raw_percent"
    SUB_PERCENT = "sub_percent"
    PRODUCT_PERCENT = "product_percent"


QUANTITIES: Final = frozenset(
    {Column.PERCENT, Column.RAW_PERCENT, Column.SUB_PERCENT, Column.PRODUCT_PERCENT}
)
NAMES: Final = frozenset({Column.INCI, Column.NAME, Column.TRADE_NAME})

_MAX_HEADER_CHARACTERS: Final = 80
_SHARE: Final = r"(?:%|percent|w/w|wt\b|conc|content|含量|比例|濃度|百分|用量|組成)"
_RAW: Final = r"(?:raw ?mat\w*|\brm\b|mixture|blend|trade ?name|原料|複方|混合)"
_PRODUCT: Final = r"(?:finished|final|product|formula|cosmetic|成品|產品|配方|製品)"

# The first match counts, so the narrower meanings come before the wider ones.
_PATTERNS: Final = tuple(
    (column, re.compile(words))
    for column, words in (
        (Column.CAS, r"\bcas\b|cas(?:編|號|登)|化學文摘"),
        (Column.EC, r"\bec\b|einecs|elincs|ec(?:編|號)"),
        (
            Column.SUB_PERCENT,
            (
                rf"{_SHARE}.*\b(?:in|of)\b.*{_RAW}|(?:mixture|blend|sub|breakdown|composition).*{_SHARE}"
                rf"|{_SHARE}.*(?:mixture|blend|breakdown|composition)|[佔占].{{0,3}}原料"
                rf"|原料.{{0,2}}[中內].*{_SHARE}|(?:複方|混合).*{_SHARE}|組成.*(?:比|%|百分)"
            ),
        ),
        (
            Column.PRODUCT_PERCENT,
            (
                rf"{_SHARE}.*\b(?:in|of)\b.*{_PRODUCT}|{_PRODUCT}.*{_SHARE}"
                rf"|(?:actual|net|active|inci)\b.*{_SHARE}|實際.*{_SHARE}"
                rf"|[佔占].{{0,3}}(?:成品|產品|配方)"
            ),
        ),
        (
            Column.RAW_PERCENT,
            (
                rf"{_RAW}.*{_SHARE}|{_SHARE}.*{_RAW}|{_RAW}.*添加|添加(?:量|比|%)|投料比|dosage"
                r"|(?:usage|use|addition) (?:level|rate)"
            ),
        ),
        (
            Column.PERCENT,
            (
                r"%|‰|\bpercent|\bw/w\b|\bw/v\b|\bwt\b|\bweight\b|百分|含量|用量|比例|濃度|重量"
                r"|配比|投料量|\bconc|\bcontent|\bamount|\bquantity|\bqty|\blevel\b"
                r"|g/ ?100|\bm?g/k?g\b|\bppm\b"
            ),
        ),
        (Column.PHASE, r"^phase|^part\b|相別|相位|^相$|^相\b|^組相|階段"),
        (Column.TRADE_NAME, r"trade|commercial|商品名"),
        (
            Column.SUPPLIER,
            (
                r"supplier|manufacturer|vendor|agent|producer|maker|供應|製造|廠商|廠牌"
                r"|代理|來源|產地"
            ),
        ),
        (Column.FUNCTION, r"function|purpose|\buse\b|功能|用途|作用|目的|功效"),
        (Column.INCI, r"\binci\b|inci|ctfa|國際命名|全成[分份]|英文"),
        (
            Column.TRADE_NAME,
            r"\bbrand|raw ?mat|\brm\b|material|原料|品名",
        ),
        (Column.NUMBER, r"^(?:no|nr|#|item|seq|s/?n|line)\b|^#|序號|項次|^編號|^項目"),
        (
            Column.NAME,
            r"ingredient|component|substance|chemical|成[分份]|名稱|\bname|物質",
        ),
    )
)

# A legal maximum is not a quantity of the formula.
_LEGAL: Final = re.compile(r"maximum (?:conc|allowed|auth)|permitted|\blimit|限量|限值")
_UNITS: Final = (
    ("mg/kg", re.compile(r"mg ?/ ?kg|\bppm\b")),
    ("g/kg", re.compile(r"\bg ?/ ?kg|‰")),
    ("mg/g", re.compile(r"mg ?/ ?g\b")),
    ("%w/v", re.compile(r"w/v|g ?/ ?100 ?ml")),
    ("%v/v", re.compile(r"v/v")),
    ("%", re.compile(r"%|percent|w/w|百分|g ?/ ?100 ?g|\bwt\b")),
)
_BRACKETED: Final = re.compile(r"[(\[]([^)\]]{1,12})[)\]]\s*$")
_UNIT_LIKE: Final = re.compile(
    r"(?:m|k|μ|u)?(?:g|l|iu|oz|lb|mol|公克|公斤|克)(?:/\w+)?"
)


@lru_cache(maxsize=4096)
def column_of(header: str) -> Column | None:
    """Return the column that a header cell names, or `None`."""
    return next(_matches(header), None)


@lru_cache(maxsize=4096)
def text_column_of(header: str) -> Column | None:
    """Return the column of text that a header names: INCI for `INCI (%)`."""
    return next((each for each in _matches(header) if each not in QUANTITIES), None)


def _matches(header: str) -> Iterator[Column]:
    text = folded(header)
    if not text or len(text) > _MAX_HEADER_CHARACTERS:
        return iter(())
    is_legal = _LEGAL.search(text) is not None
    return (
        column
        for column, words in _PATTERNS
        if words.search(text) and not (is_legal and column in QUANTITIES)
    )


def unit_of(header: str) -> str | None:
    """Return the unit that the header of a quantity names, or `None`."""
    text = folded(header)
    for unit, words in _UNITS:
        if words.search(text):
            return unit
    match = _BRACKETED.search(text)
    if match and _UNIT_LIKE.fullmatch(match[1].strip()):
        return match[1].strip()
    return None
