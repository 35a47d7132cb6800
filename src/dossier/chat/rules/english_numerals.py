"""English number words: `thirty-six months`, `two and a half`, `half a dozen`.

`one` counts before a unit of measure only: `one of them` is no number.
"""

import re
from collections.abc import Iterator
from decimal import Decimal

from dossier.chat.types import Number, Readings

_ONES = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_TEENS = (
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
)
_TENS = (
    "twenty",
    "thirty",
    "forty",
    "fifty",
    "sixty",
    "seventy",
    "eighty",
    "ninety",
)
_WORDS = (
    {"zero": 0, "a": 1, "an": 1, "once": 1, "twice": 2, "thrice": 3}
    | {word: value for value, word in enumerate(_ONES, start=1)}
    | {word: value for value, word in enumerate(_TEENS, start=10)}
    | {word: value * 10 for value, word in enumerate(_TENS, start=2)}
)
ENGLISH_SCALES = {
    "dozen": 12,
    "hundred": 100,
    "thousand": 10**3,
    "million": 10**6,
    "billion": 10**9,
}
_PARTS = {
    "half": 2,
    "halves": 2,
    "third": 3,
    "quarter": 4,
    "fourth": 4,
    "fifth": 5,
    "sixth": 6,
    "seventh": 7,
    "eighth": 8,
    "ninth": 9,
    "tenth": 10,
    "hundredth": 100,
    "thousandth": 1000,
}

_FLAGS = re.IGNORECASE | re.ASCII
_START, _END = "(?<![a-z])", "(?![a-z])"
_GAP = r"[\s-]+"
_ONE = "|".join(_ONES)
_TINY = (
    rf"(?:(?:{'|'.join(_TENS)})(?:{_GAP}(?:{_ONE}))?|{'|'.join(_TEENS)}|{_ONE}){_END}"
)
_SMALL = (
    rf"(?:(?:{_TINY}|an?){_GAP}hundred{_END}(?:(?:\s+and)?{_GAP}{_TINY})?"
    rf"|(?:{_TINY}|an?){_GAP}dozen{_END}|{_TINY}|zero{_END})"
)
_LARGE = rf"(?:thousand|million|billion){_END}"
_CARDINAL = (
    rf"(?:(?:{_SMALL}|an?){_GAP}{_LARGE}"
    rf"(?:(?:\s+and|,)?{_GAP}{_SMALL}(?:{_GAP}{_LARGE})?)*|{_SMALL})"
)
_MEASURE = (
    rf"(?:percent|per\s+cent|months?|years?|days?|weeks?|hours?|minutes?|seconds?|log"
    r"|(?:milli|micro|kilo|centi|nano)?(?:grams?|lit(?:er|re)s?|met(?:er|re)s?)|degrees?"
    rf"|[kcmnuµμ]?(?:g|l|m|mol|pa|w|v)|iu|ppm|ppb|cfu|h|min|fold){_END}"
    r"|%|‰|°"
)
_OFTEN = r"(?:a|per|every|each)\s+(?:hour|day|week|month|year)|daily|weekly|monthly"
_FIGURES = r"\d{1,12}(?:\.\d{1,12})?"
_FOLDS = "|".join((_ONE, *_TEENS, *_TENS))
_PART = rf"(?P<part>{_TINY}|a(?={_GAP}\w+\s+of{_END})){_GAP}"
_POINT = rf"(?:\s+point(?P<decimals>(?:{_GAP}(?:zero|{_ONE}){_END})+))?"
_FORMS = (
    rf"(?P<mixed>{_CARDINAL}|{_FIGURES})\s+and\s+(?:a|one){_GAP}half",
    rf"half{_GAP}(?:an?{_GAP})?(?P<half_of>dozen|hundred|thousand|million)",
    rf"{_PART}(?P<whole>{'|'.join(_PARTS)})s?(?!{_GAP}part(?:y|ies))",
    rf"(?P<half>half)(?={_GAP}(?:(?:an?|of|the){_END}|{_MEASURE}))",
    rf"(?P<value>{_CARDINAL}){_POINT}",
    rf"(?P<fold>{_FOLDS})fold",
    r"(?P<times>once|twice|thrice)",
)
# The first letter comes first, or each place of a text would be tried seven times.
_NUMBERS = re.compile(rf"{_START}(?=[aefhnostz\d])(?:{'|'.join(_FORMS)}){_END}", _FLAGS)
_BEFORE_MEASURE = re.compile(rf"[\s-]*(?:{_MEASURE})", _FLAGS)
_BEFORE_OFTEN = re.compile(rf"\s+(?:{_OFTEN}){_END}", _FLAGS)
_PERCENT = re.compile(rf"\s*(?:%|per\s?cent{_END})", _FLAGS)
_WORD = re.compile("[a-z]+")
_HALF = Decimal("0.5")


def english_numbers(text: str) -> Iterator[Number]:
    """Yield the numbers that are written in English words."""
    for found in _NUMBERS.finditer(text):
        yield Number(
            found.group(),
            found.start(),
            found.end(),
            _readings(found),
            is_percent=bool(_PERCENT.match(text, found.end())),
            is_quantity=_is_quantity(found, text),
        )


def _is_quantity(found: re.Match[str], text: str) -> bool:
    said = found.group().lower()
    if said == "one":
        return bool(_BEFORE_MEASURE.match(text, found.end()))
    if said == "once":
        return bool(_BEFORE_OFTEN.match(text, found.end()))
    return True


def _readings(found: re.Match[str]) -> Readings:
    groups = {name: words.lower() for name, words in found.groupdict().items() if words}
    if "whole" in groups:
        part, whole = _value(groups["part"]), Decimal(_PARTS[groups["whole"]])
        return ((part, whole), (part / whole,))
    if "half_of" in groups:
        return ((ENGLISH_SCALES[groups["half_of"]] * _HALF,),)
    if "half" in groups:
        return ((_HALF,),)
    if "mixed" in groups:
        return ((_value(groups["mixed"]) + _HALF,),)
    whole = _value(groups.get("value") or groups.get("fold") or groups["times"])
    digits = "".join(str(_WORDS[w]) for w in _WORD.findall(groups.get("decimals", "")))
    return ((whole + Decimal(digits or 0).scaleb(-len(digits)),),)


def _value(written: str) -> Decimal:
    """Read `one hundred and five`."""
    if written[0].isdigit():
        return Decimal(written)
    total, below = 0, 0
    for word in _WORD.findall(written):
        scale = ENGLISH_SCALES.get(word)
        if scale is None:
            below += _WORDS.get(word, 0)
        elif scale < ENGLISH_SCALES["thousand"]:
            below = (below or 1) * scale
        else:
            total, below = total + (below or 1) * scale, 0
    return Decimal(total + below)
