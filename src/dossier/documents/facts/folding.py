"""Normalised forms of text and names. Names are compared by them, never fuzzily."""

import re
import threading
import unicodedata
from functools import lru_cache
from typing import Any, Final

CJK: Final = "\u3005-\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_INVISIBLE: Final = dict.fromkeys(map(ord, "\u00ad\u200b\u200c\u200d\u2060\ufeff"))
_DASHES: Final = dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe63", "-")
_LOCAL: Final = threading.local()

COMPANY_FORMS: Final = (
    r"股份有限公司|有限责任公司|有限公司|集团公司|公司|企业社|工作室|商行"
    r"|(?<![a-z])(?:co(?:mpany)?\.?,?\s*(?:ltd|limited|inc|llc)\.?|company|corporation"
    r"|corp\.?|inc\.?|incorporated|limited|ltd\.?|llc|llp|plc|gmbh|s\.a\.s?\.?"
    r"|s\.?r\.l\.?|b\.v\.?|k\.k\.?|pte\.?|pty\.?|co\."
    r"|(?:sas|sarl|srl|ag|sa|bv|nv|oy|kg)(?=[ ,.]*$))(?![a-z])"
)
"""Legal forms, in folded text."""

_COMPANY_FORM: Final = re.compile(COMPANY_FORMS)
_BETWEEN_DIGITS: Final = re.compile(r"(?<=\d)\s*([-.,/:])\s*(?=\d)")
_DROPPED: Final = re.compile(r"[^\w+%\x01-\x05]|_")
_KEPT: Final = {"-": "\x01", ".": "\x02", ",": "\x03", "/": "\x04", ":": "\x05"}
_NET_CONTENT: Final = re.compile(
    r"[\s,(]*\d+(?:\.\d+)?\s*(?:ml|g|kg|l|oz|毫升|公克|克)\s*\)?\s*$"
)
_PIECE: Final = re.compile(rf"[{CJK}]")
_TITLES: Final = re.compile(
    r"(?<![a-z])(?:dr|mr|mrs|ms|prof|professor|ph\.?\s?d|m\.?sc|b\.?sc|md|erts?|dabt)"
    r"(?![a-z])\.?|博士|先生|女士|小姐|教授|老师|药师|医师|硕士|君$"
)
_POSTCODE: Final = re.compile(r"^\s*\(?\d{3}(?:\d{2,3})?\)?\s*(?=[^\d\s])")
_NUMERALS: Final = str.maketrans("一二三四五六七八九", "123456789")
_COUNTED: Final = re.compile(r"[一二三四五六七八九](?=[段楼路])")


def visible(text: str) -> str:
    """Return text without characters of no width."""
    return text.translate(_INVISIBLE)


@lru_cache(maxsize=1024)
def fold(text: str) -> str:
    """Return text in one width, case and Chinese script, of the same length.

    The length is kept so that a place in folded text is the place in the original.
    """
    plain = "".join(map(_fold_character, text))
    simplified = _simplifier().convert(plain)
    if len(simplified) == len(plain):
        return str(simplified)
    characters = ((each, _simplifier().convert(each)) for each in plain)
    return "".join(new if len(new) == 1 else old for old, new in characters)


@lru_cache(maxsize=4096)
def _fold_character(character: str) -> str:
    folded = unicodedata.normalize("NFKC", character)
    folded = _DASHES.get(folded, folded).lower()
    if len(folded) != 1:
        return character
    return " " if folded.isspace() and folded not in "\t\n" else folded


def _simplifier() -> Any:
    """Return this thread's converter of Traditional to Simplified Chinese."""
    if not hasattr(_LOCAL, "converter"):
        from opencc import OpenCC  # noqa: PLC0415 - 7 MiB, only where documents are read

        _LOCAL.converter = OpenCC("t2s")
    return _LOCAL.converter


def printed(text: str) -> str:
    """Return text as printed, in one width and with single spaces."""
    return " ".join(unicodedata.normalize("NFKC", visible(text)).split())


@lru_cache(maxsize=8192)
def name_key(text: str) -> str:
    """Return what two spellings of one name or code have in common.

    Width, case, script, spaces and punctuation are dropped, but not between digits
    (1.5 is not 15), and neither are + and % (SPF50+ is not SPF50).
    """
    folded = fold(printed(text)).casefold()
    kept = _BETWEEN_DIGITS.sub(lambda match: _KEPT[match[1]], folded)
    return _DROPPED.sub("", kept)


@lru_cache(maxsize=8192)
def product_key(text: str) -> str:
    """Return the key of a product name without a net content at its end."""
    return name_key(_NET_CONTENT.sub("", fold(printed(text))))


def company_key(text: str) -> str:
    """Return the key of a company name without its legal form."""
    return name_key(_COMPANY_FORM.sub(" ", fold(printed(text))))


def address_key(text: str) -> str:
    """Return the key of an address: no postal code or country, floors in one form."""
    folded = _POSTCODE.sub("", fold(printed(text)))
    folded = re.sub(r"^(?:中华民国|台湾)(?:省)?", "", folded)
    folded = _COUNTED.sub(lambda match: match[0].translate(_NUMERALS), folded)
    folded = re.sub(r"(\d)\s*(?:f(?![a-z])|fl\.?|楼)", r"\1楼", folded)
    return name_key(re.sub(r"之\s*(?=\d)", "-", folded))


def person_keys(text: str) -> frozenset[str]:
    """Return the keys of a person's name, one for each script.

    Latin names are compared whatever the order of their parts.
    """
    keys = set()
    for piece in pieces(_TITLES.sub(" ", fold(printed(text)))):
        parts = [piece] if has_cjk(piece) else re.split(r"[\s,]+", piece)
        keys.add(" ".join(sorted(map(name_key, parts))))
    return frozenset(keys) - {""}


def pieces(text: str) -> list[str]:
    """Split a name that is printed in two scripts: 玫瑰霜 Rose Cream."""
    found: list[str] = []
    for token in re.split(r"[\s()/·|、]+", printed(text)):
        if not token:
            continue
        if found and (has_cjk(token) == has_cjk(found[-1]) or token.isdigit()):
            found[-1] = f"{found[-1]} {token}"
        else:
            found.append(token)
    return found


def has_cjk(text: str) -> bool:
    """Return whether a text has a Chinese character."""
    return _PIECE.search(text) is not None
