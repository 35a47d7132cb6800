"""The maximum concentrations that a limb's text states.

Strict: the patterns must account for the whole text; what they do not is a reason to
leave the text unread, because a wrong limit is worse than none.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

from dossier.regulations.constants import UserGroup
from dossier.regulations.importing.cells import clean, with_points
from dossier.regulations.rules.records import Clause, Maximum

_VALUE: Final = r"(\d+(?:\.\d+)?) ?(%%?|ppm|mg/kg)"
_PER_PERCENT: Final = {"%": Decimal(1), "ppm": Decimal(10000), "mg/kg": Decimal(10000)}
_SPECIES: Final = {
    r"acid|thioglycoll?ic acid|etidronic acid|boric acid": "acid",
    r"phenol": "phenol",
    r"(?:quinine|free)? ?base|chlorhexidine": "free_base",
    r"zinc": "Zn",
    r"strontium": "Sr",
    r"f": "F",
    r"sulphur": "S",
    r"zirconium": "Zr",
    r"silver": "Ag",
    r"nh3": "NH3",
    r"(?:free )?so2": "SO2",
    r"a[li]": "Al",
    r"hg": "Hg",
    r"agcl": "AgCl",
    r"h2o2(?: \(40 volumes\))?, present or released": "H2O2",
    r"re|retinol equivalent(?: \(re\))?": "retinol",
    r"hydro-?chlor?ride|hydrocloride": "hydrochloride",
    r"sul(?:ph|f)ate(?: salt)?": "sulfate",
    r"dihydrochloride": "dihydrochloride",
    r"tetrahydro-?chloride(?: salt)?": "tetrahydrochloride",
    r"benzalkonium chloride": "benzalkonium_chloride",
    r"calcium hydroxide": "calcium_hydroxide",
    r"anhydrous aluminium zirconium chloride hydroxide": "anhydrous",
    r"% of anhydrous substance": "anhydrous",
    r"a % of ethanol and isopropyl alcohol": "share_of_alcohols",
}
"""What a value is expressed as, in the words of the source."""
_BASIS: Final = (
    r"(?: ?\(? ?(?:(?:as|of|calculated as|expressed as) )?("
    + "|".join(f"(?:{words})" for words in _SPECIES)
    + r")\)?)"
)
_V: Final = _VALUE + _BASIS + "?"
_FOOTNOTE: Final = re.compile(
    r"(?<=%)\*? ?\(\d{1,2} ?\)$| footnote \(?\*?\d\)?:? .*$|^as from \d+ \w+ \d{4}: "
)
_GAP: Final = re.compile(r"\d \d")


@dataclass(frozen=True, slots=True)
class LimitReading:
    """One maximum and the products, user that its text adds to those of the limb."""

    maximum: Maximum
    clauses: tuple[Clause, ...] = ()
    user: UserGroup | None = None


def read_maxima(text: str, ref: str) -> list[LimitReading] | str:
    """Return the maxima of a limb's text, or why it is left unread."""
    flat = with_points(clean(text)).lower().strip(" .;'")
    flat = _FOOTNOTE.sub("", flat).strip(" .;")
    if _GAP.search(flat.replace("% ", "%")):
        return "a number is written with a space"
    for pattern, build in _FORMS:
        if match := pattern.fullmatch(flat):
            found = build(match, ref)
            return found or "the numbers of the limit do not agree"
    return "words not in the grammar of limits"


def species_of(words: str | None) -> str | None:
    """Return the code of what a value is expressed as."""
    for pattern, code in _SPECIES.items():
        if words and re.fullmatch(pattern, words.strip()):
            return code
    return None


def percent(number: str, unit: str) -> Decimal:
    """Return a value of a limit in percent."""
    return Decimal(number) / _PER_PERCENT[unit.replace("%%", "%")]


def _maximum(number: str, unit: str, basis: str | None) -> Maximum:
    unit = unit.replace("%%", "%")
    value = percent(number, unit)
    return Maximum(value=value, unit=unit, species=species_of(basis))


def _one(match: re.Match[str], _: str) -> list[LimitReading]:
    return [LimitReading(_maximum(*match.groups()[:3]))]


def _mixed(match: re.Match[str], _: str) -> list[LimitReading]:
    return [LimitReading(replace(_maximum(*match.groups()[:3]), after_mixing=True))]


def _two(match: re.Match[str], _: str) -> list[LimitReading]:
    """Two bases of one limit: both hold."""
    first, second = match.groups()[:3], match.groups()[3:6]
    after = "after mixing" in match.string
    return [
        LimitReading(replace(_maximum(*each), after_mixing=after))
        for each in (first, second)
    ]


def _between(match: re.Match[str], _: str) -> list[LimitReading]:
    low, high = match.groups()[:3], match.groups()[3:6]
    above = percent(low[0], low[1])
    return [LimitReading(replace(_maximum(*high), above=above))]


def _total_as(match: re.Match[str], _: str) -> list[LimitReading]:
    number, unit, basis, total = match.groups()[:4]
    if Decimal(number) != Decimal(total):
        return []
    maximum = _maximum(number, unit, basis)
    return [LimitReading(replace(maximum, group=maximum.species))]


def _with_nano(match: re.Match[str], ref: str) -> list[LimitReading]:
    number, unit, _, total = match.groups()[:4]
    if total is not None and Decimal(number) != Decimal(total):
        return []
    base = re.sub(r"\D", "", ref)
    group = _NANO_PAIRS.get(ref, f"VI/{base}+VI/{base}a")
    return [LimitReading(replace(_maximum(number, unit, None), group=group))]


_NANO_PAIRS: Final = {"33": "VI/33+VI/34", "34": "VI/33+VI/34"}


def _esters(match: re.Match[str], _: str) -> list[LimitReading]:
    single = replace(_maximum(*match.groups()[:3]), each=True)
    mixed = replace(_maximum(*match.groups()[3:6]), group="V/12+V/12a")
    return [LimitReading(single), LimitReading(mixed)]


def _sum_and_mixture(match: re.Match[str], _: str) -> list[LimitReading]:
    total, mixed = match.groups()[:3], match.groups()[3:6]
    if Decimal(total[0]) != Decimal(match.groups()[6]):
        return []
    group = replace(_maximum(*mixed), group="V/12+V/12a")
    return [LimitReading(_maximum(*total)), LimitReading(group)]


def _alone_and_combined(match: re.Match[str], _: str) -> list[LimitReading]:
    alone, combined = match.groups()[:3], match.groups()[3:6]
    group = replace(_maximum(*combined), group="III/89+III/173")
    return [LimitReading(_maximum(*alone)), LimitReading(group)]


def _trimonium(match: re.Match[str], ref: str) -> list[LimitReading]:
    group = "III/286+III/287" if ref == "287" else None
    return [LimitReading(replace(_maximum(*match.groups()[:3]), group=group))]


def _by_user(match: re.Match[str], _: str) -> list[LimitReading]:
    general, professional = match.groups()[:3], match.groups()[3:6]
    return [
        LimitReading(_maximum(*general), user=UserGroup.GENERAL),
        LimitReading(_maximum(*professional), user=UserGroup.PROFESSIONAL),
    ]


def _for_products(match: re.Match[str], _: str) -> list[LimitReading]:
    tag = _PRODUCTS[match["products"]]
    return [LimitReading(_maximum(*match.groups()[:3]), clauses=((tag,),))]


_PRODUCTS: Final = {
    "in fine fragrance": "fine_fragrance",
    "in eau de toilette": "eau_de_toilette",
    "in other products": "other",
    "rinse-off products": "rinse_off",
    "when used in lip products": "lip",
}

_AFTER: Final = (
    r"(?:as from \d+ \w+ \d{4}, )?afth?er mixing,? ?(?:under )?o?xidative conditions ?"
    r"(?:the ?maximum ?(?:use )?concentrati?on? ?(?:applied )?to (?:hair)?(?: or )?"
    r"(?:eyes?lashes)?|the ?maximum ?(?:use )?concentrat?io?n? applied to hair)"
    r" must not exceed "
)


def _form(
    build: Callable[[re.Match[str], str], list[LimitReading]], *parts: str
) -> tuple[re.Pattern[str], Callable[[re.Match[str], str], list[LimitReading]]]:
    return re.compile("".join(parts)), build


_FORMS: Final = (
    _form(_one, rf"\(?(?:≤ )?{_V}\)?"),
    _form(_mixed, rf"{_VALUE} (?:\(|-)?after mixing for use\)?(){{0}}"),
    _form(_between, rf"> {_V} ≤ {_V}"),
    _form(_two, rf"{_V},? (?:or )?\(?{_V}\)?"),
    _form(
        _total_as,
        rf"{_V}[.:]? (?:when|if) mixed with other (?:fluorine compounds permitted",
        r" under this annex|permitted strontium products|mercurial compounds",
        r" authorized by this (?:regulation|directive)),? (?:the )?(?:total f|total",
        r" strontium|maximum) (?:concentration|content)(?: of hg)? (?:must not",
        r" exceed|remains fixed at) (\d+(?:\.\d+)?) ?%",
    ),
    _form(
        _with_nano,
        rf"(?:- )?{_VALUE}()(?: ?\*| ?\(\*\))?(?: ?\*:| ?\(\*\)| -| ?\()? ?in case",
        r" of combined use of .{10,200}? the sum shall not exceed(?: the limit",
        r" (?:given in column g.{0,80}|of))?(?: ?(\d+(?:\.\d+)?) ?%\)?)?",
    ),
    _form(_esters, rf"{_V} for single ester {_V} for mixtures of esters"),
    _form(
        _sum_and_mixture,
        rf"- {_V} for the sum of the individual concentrations - {_V} for mixtures",
        r" of substances mentioned in entry 12 and 12a, here the sum of the",
        r" individual concentrations of butyl and propylparaben and their salts",
        r" does not exceed (\d+(?:\.\d+)?)%",
    ),
    _form(
        _alone_and_combined,
        rf"{_V} when used alone when present in combination with methyl (?:hept|oct)",
        r"ine carbonate, the combined level in the finished product sh\w+ not",
        rf" exceed {_V} \(of which methyl octine carbonate sh\w+ not be more than",
        r" 0\.002 ?%\)",
    ),
    _form(
        _trimonium,
        rf"{_V} for the individual concentra\w+ (?:of behentrimonium chloride )?or",
        r" the sum of the individual concentrations of cetrimonium chloride(?: and|,)",
        r" str?eartrimonium chloride[^%]{0,320}",
    ),
    _form(
        _by_user,
        rf"{_V},? \(?(?:for )?general (?:use|consumers)\)?,? and {_V} \(?(?:for )?",
        r"professional use\)?",
    ),
    _form(_for_products, rf"{_V},? (?P<products>{'|'.join(_PRODUCTS)})"),
    _form(
        _one,
        rf"{_V} (?:corresponding to \d+(?:\.\d+)?% of silver|of cumin oil)",
    ),
    _form(_one, rf"{_VALUE}() \(of (?:a|the) mixture in the ratio \d:\d of [^%]*"),
    _form(_two, rf"salicylic acid: {_V} salicylic acid salts: {_V}"),
    _form(_mixed, rf"{_AFTER}{_V}"),
    _form(_two, rf"{_AFTER}{_V},? (?:or )?\(?{_V}\)?"),
)
