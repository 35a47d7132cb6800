"""How a product is used, as item 7 asks for it: amount, frequency, site, population.

An amount of a whole day is no amount per use, and "a suitable amount" is no amount:
the exposure cannot be computed from either (PIF Regulation, Art. 3(1)7).
"""

import re
from typing import Final

from dossier.documents.facts.folding import fold, printed
from dossier.documents.facts.values import SPARE, Value
from dossier.documents.facts.vocabulary import PLACEHOLDER

LONGEST_WORDS: Final = 300
LONGEST_RAW: Final = 80

_NUMBER: Final = r"\d+(?:\.\d+)?"
_RANGE: Final = rf"{_NUMBER}(?:\s*(?:-|~|至|到|to)\s*{_NUMBER})?"
_AMOUNT: Final = re.compile(
    rf"(?<![\d.])(?P<number>{_RANGE})\s*"
    r"(?P<unit>(?:mg|g|ml|cc|μl|cm|ftus?)(?:\s*/\s*cm(?:2|²))?(?![a-z])"
    r"|(?:grams?|millilit(?:re|er)s?|drops?|pumps?|sprays?|sheets?|pieces?|puffs?"
    r"|tea ?spoons?|(?:finger[ -]?tip )units?|tablets?|capsules?|sachets?)(?![a-z])"
    r"|公克|毫克|克|毫升|公分|滴|下|次按压|次喷|片|张|颗|粒|条|匙|茶匙|包|指尖单位)"
)
_PER_DAY: Final = re.compile(
    fold(r"每日|每天|一日|一天|/\s*(?:day|d|日|天)(?![a-z])|(?:per|a) day|daily")
)
_NO_AMOUNT: Final = re.compile(
    fold(r"適量|視需要|依需要|少許|as (?:needed|required)|sufficient|suitable|small")
)
_DIGITS: Final = {
    **{c: n for n, c in enumerate("一二三四五六七八九十", start=1)},
    "两": 2,
    "once": 1, "twice": 2, "thrice": 3, "one": 1, "two": 2, "three": 3, "four": 4,
    "five": 5, "six": 6,
}  # fmt: skip
_COUNT: Final = r"(?:\d+|[一二两三四五六七八九十]|one|two|three|four|five|six)"
_COUNTS: Final = (
    rf"(?P<low>{_COUNT})(?:\s*(?:-|~|至|到|to|or|或)\s*(?P<high>{_COUNT}))?"
)
_UNIT_ZH: Final = r"(?P<unit>日|天|周|星期|月)"
_UNIT_EN: Final = r"(?P<unit>daily|weekly|monthly|day|week|month)"
_UNITS: Final = {
    "日": "day", "天": "day", "周": "week", "星期": "week", "月": "month",
    "daily": "day", "weekly": "week", "monthly": "month",
}  # fmt: skip
_BETWEEN: Final = r"[^\d\n,.;，。；]{0,12}?"
_FREQUENCIES: Final = (
    re.compile(rf"[每一]{_UNIT_ZH}{_BETWEEN}各?\s*{_COUNTS}\s*[次回]"),
    re.compile(rf"{_COUNTS}\s*[次回]\s*[/每]\s*{_UNIT_ZH}"),
    re.compile(
        r"(?<![a-z])(?P<low>once|twice|thrice)"
        r"(?:\s*(?:or|-|to)\s*(?P<high>twice|thrice))?"
        rf"\s*(?:(?:a|per|each|every)\s*)?{_UNIT_EN}(?![a-z])"
    ),
    re.compile(
        rf"(?<![a-z\d.]){_COUNTS}\s*(?:x|\u00d7|times?|applications?|uses?)?\s*"
        rf"(?:/|a |per |each |every )?\s*{_UNIT_EN}(?![a-z])"
    ),
)
_TWICE: Final = re.compile(
    fold(
        r"早晚|早上?[、及與和]晚上?"
        r"|(?:every |each )?morning (?:and|&) (?:evening|night)"
        r"|a\.?m\.?\s*(?:&|and|/)\s*p\.?m\.?|day and night"
    )
)
_AT_MOST: Final = re.compile(
    fold(r"up to|at most|(?:no|not) more than|maximum|最多|至多|不超過|上限")
)
_ONCE: Final = re.compile(
    fold(r"每(?:日)?(?:晚|早|天早上|天晚上)|(?:every|each) (?:morning|evening|night)")
)
_PER_UNIT: Final = re.compile(
    r"每(?P<zh>日|天|周)|(?:per|/|times/) ?(?P<en>day|week)|(?P<daily>daily)"
)
_BARE: Final = re.compile(rf"^{_COUNTS}(?:\s*(?:次|times?|x))?$")


def amounts(text: str) -> list[Value]:
    """Return the amount of one use; none where several or only daily ones stand."""
    folded = fold(text)
    outside = re.sub(r"\([^)]*\)", lambda match: " " * len(match[0]), folded)
    found = list(_AMOUNT.finditer(outside)) or list(_AMOUNT.finditer(folded))
    if len(found) != 1 or _PER_DAY.search(folded):
        return []
    raw = text[found[0].start() : found[0].end()].strip()
    number = re.sub(r"\s*(?:-|~|至|到|to)\s*", "-", found[0]["number"])
    unit = text[found[0].start("unit") : found[0].end("unit")]
    return [Value(f"{number} {printed(unit)}", raw, is_whole=True)]


def is_vague_amount(text: str) -> bool:
    """Return whether a text says only that some amount is used."""
    return _NO_AMOUNT.search(fold(text)) is not None


def frequencies(text: str, label: str = "") -> list[Value]:
    """Return how often a product is used, if the text says it in one way.

    A limit ("up to 10 times a day") says less.
    A bare number counts where the label names its unit: "Uses per day: 2".
    """
    folded = fold(text).strip()
    found: dict[str, str] = {}
    rest = folded
    for pattern in _FREQUENCIES:
        for match in pattern.finditer(rest):
            unit = _UNITS.get(match["unit"], match["unit"])
            found.setdefault(f"{_counted(match)} per {unit}", match[0].strip())
        rest = pattern.sub(" ", rest)
    # "每日早晚各一次" is twice.
    if twice := _TWICE.search(folded):
        if set(found) <= {"1 per day", "2 per day"}:
            found = {"2 per day": folded if found else twice[0]}
    elif not found and (once := _ONCE.search(folded)):
        found = {"1 per day": once[0]}
    per = _PER_UNIT.search(fold(label))
    bare = _BARE.match(folded)
    if not found and per and bare:
        unit = "day" if per["daily"] else _UNITS.get(per["zh"] or "", per["en"] or "")
        found = {f"{_counted(bare)} per {unit}": folded}
    if len(found) != 1 or _AT_MOST.search(folded):
        return []
    return [Value(next(iter(found)), text.strip()[:LONGEST_RAW])]


def _counted(match: re.Match[str]) -> str:
    """Return the count of a match in digits: 2, or 1-2."""
    counts = [match["low"], match["high"]] if match["high"] else [match["low"]]
    return "-".join(str(_DIGITS.get(count, count)) for count in counts)


def words(text: str) -> list[Value]:
    """Return the words of a field that says something."""
    raw = text.strip(SPARE)
    folded = fold(raw)
    if PLACEHOLDER.match(folded) or not 1 < len(raw) <= LONGEST_WORDS:
        return []
    return [Value(printed(raw), raw)]
