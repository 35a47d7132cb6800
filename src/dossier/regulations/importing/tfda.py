"""One row of a list of Taiwan's FDA into one rule.

The lists write `(a1)8%(a2)11%(b)2%`, `以…計` (expressed as), `總量` (total) and area
classes of colourants: 1 every product, 2 not around the eyes, 3 not on mucous
membranes, 4 rinse-off only.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from decimal import Decimal
from hashlib import sha256
from typing import Final

from dossier.products.formula_import.identifiers import read_cas
from dossier.regulations.constants import IngredientPurpose, RuleKind, UserGroup
from dossier.regulations.importing.cells import (
    alphabet,
    clean,
    grammar,
    letters_of,
    segments,
    warning_codes,
)
from dossier.regulations.importing.cosing import CellCount
from dossier.regulations.importing.identity import Identity, read_names, read_numbers
from dossier.regulations.importing.layout import Row
from dossier.regulations.importing.maxima import percent, species_of
from dossier.regulations.importing.scopes import vocabulary
from dossier.regulations.rules.records import (
    AnnexRule,
    Clause,
    Exclusion,
    Limb,
    Maximum,
)

_PURPOSE: Final = {
    "preservatives": IngredientPurpose.PRESERVATIVE,
    "colourants": IngredientPurpose.COLOURANT,
    "uv_filters": IngredientPurpose.UV_FILTER,
}
_AREAS: Final[dict[str, tuple[tuple[Clause, ...], tuple[Clause, ...]]]] = {
    "1": ((), ()),
    "2": ((), (("eye",),)),
    "3": ((), (("mucosa",),)),
    "4": ((("rinse_off",),), ()),
}
"""Of each area class: in which products a colourant may be, and in which not."""
_SUB: Final = re.compile(r"\(([a-r])([12])\)")
_V: Final = (
    r"(\d+(?:\.\d+)?) ?(%|ppm)(?: ?\(40 volumes\))?(?: ?\((?:以|含釋出之) ?([^()]+?)"
    r" ?(?:計算|計)?\))?"
)
_SPECIES_ZH: Final = {
    "無水物": "anhydrous",
    "水溶液": "aqueous_solution",
    "cysteine": "cysteine",
    "H2O2": "H2O2",
}
_CHILD_BUT: Final = re.compile(
    r"除(洗髮)產品外,不得使用於三歲以下孩童之產品"
    r"|不得使用於三歲以下孩童之產品,但(沐浴和洗髮)產品除外"
)
_NOT_IN: Final = re.compile(r"不得使用於([^。;]+?)(?=[。;]|$| \()")
_TOTALS: Final = {
    "其氟總量": "F",
    "其strontium總量": "Sr",
    "其汞總殘留量": "Hg",
}
_NOTES: Final = tuple(
    (re.compile(pattern), code) for pattern, code in grammar()["notes_zh"]
)
_PH: Final = re.compile(
    r"pH ?[::]? ?(?:(\d+(?:\.\d+)?) ?- ?(\d+(?:\.\d+)?)|([<>]) ?(\d+(?:\.\d+)?))"
)
_RESIDUE: Final = re.compile(
    r"殘留量,?不得超過([\d.]+) ?(ppm)|不得超過([\d.]+) ?(ppm)|(不得檢出)"
)
_EXCEPT: Final = {
    "防腐劑": "preservatives",
    "色素": "colourants",
    "口腔製劑另有規定": "restricted",
    "染髮": "restricted",
    "限制表": "restricted",
    "髮類產品": "restricted",
}


def read_list(rows: Iterable[Row], list_name: str) -> tuple[list[AnnexRule], CellCount]:
    """Return the rules of one of Taiwan's lists and the count of what was read."""
    count = CellCount()
    rules: list[AnnexRule] = []
    sequence: Counter[str] = Counter()
    for number, row in enumerate(rows, start=1):
        count.rows += 1
        ref = row.get("ref", str(number)).strip()
        if not re.fullmatch(r"\d{1,4}", ref):
            count.refused += 1
            count.reasons["no number"] += 1
            continue
        sequence[ref] += 1
        rules.append(_rule(row, list_name, ref, sequence[ref], count))
    return rules, count


def _half(text: str) -> str:
    """Return the text half width, without spaces around brackets and Han characters."""
    flat = unicodedata.normalize("NFKC", clean(text.replace("\u3000", " ")))
    flat = flat.replace("、、", "、")
    return re.sub(r"(?<=[\u4e00-\u9fff,;]) +| +(?=[\u4e00-\u9fff,;])", "", flat).strip()


def _rule(row: Row, list_name: str, ref: str, seq: int, count: CellCount) -> AnnexRule:
    identity = Identity()
    read_numbers(identity, row.get("cas", ""))
    if not identity.cas:  # a spreadsheet may have made a date of it
        identity.cas = [*read_cas(row.get("cas", "").strip()).numbers]
    slashes = re.compile(r"\s*[/\n]\s*(?=[A-Za-z(])|(?<=[a-z]) \(and\) ")
    chemical = _half(row.get("chemical", ""))
    read_names(
        identity,
        chemical=re.sub(r" ?\(([\u4e00-\u9fff]+)\)", r" / \1", chemical),
        glossary=";".join(slashes.split(row.get("glossary", ""))),
        listed=",".join(row.get("listed", "").splitlines()),
        has_synonyms=list_name == "prohibited",
    )
    count.reasons.update(fault.rsplit(" ", 1)[0] for fault in identity.faults)
    base = AnnexRule(
        list=list_name,
        ref=ref,
        seq=seq,
        names=tuple(identity.names),
        cas=tuple(identity.cas),
        ci=tuple(identity.ci),
        purpose=_PURPOSE.get(list_name, IngredientPurpose.OTHER),
        certainty="S" if list_name == "uv_filters" else "V",
        unread=tuple(identity.faults),
        warnings=warning_codes(row.get("wording", "")),
        source_sha256=sha256("\x1f".join(row.values()).encode()).hexdigest()[:16],
    )
    if list_name == "prohibited":
        return _prohibited(base, row, count)
    return _limited(base, row, count)


def _prohibited(base: AnnexRule, row: Row, count: CellCount) -> AnnexRule:
    remark = _half(row.get("remark", ""))
    name = row.get("chemical", "").lower()
    notes: list[str] = []
    condition: str | None = None
    lists: set[str] = set()
    if remark:
        count.conditions += 1
        if "殘留" in remark or "檢出" in remark:
            values = [next(filter(None, m.groups())) for m in _RESIDUE.finditer(remark)]
            notes += [f"residue_max_ppm:{each}" for each in values if each[0].isdigit()]
        if "除外" in remark or "應參考" in remark:
            lists = {code for word, code in _EXCEPT.items() if word in remark}
        if not notes and not lists:
            condition = "see_entry"
            count.conditions_text_only += 1
    if re.search(r"except for normal content", name):
        condition = "except_natural_content"
    elif re.search(r"\bexcept|\bexception|\bif\b|\bunless\b", name):
        condition = condition or "see_entry"
    return replace(
        base,
        kind=RuleKind.PROHIBIT,
        notes=tuple(notes),
        condition=condition,
        except_lists=tuple(sorted(lists)),
    )


def _limited(base: AnnexRule, row: Row, count: CellCount) -> AnnexRule:
    types, limits, other = (
        _SUB.sub(lambda m: f"({m[1]}) ({'i' * int(m[2])}) ", _half(row.get(name, "")))
        for name in ("product_type", "maximum", "other")
    )
    match = re.search(r"限量:([\d.]+ ?(?:%|ppm))", other)
    if base.list == "colourants" and match:
        # A limit for lips or for the nano form alone is left to a person.
        limits = other if re.search("唇用|奈米", other) else match[1]
    known = letters_of(types, limits)
    scopes: dict[str, tuple[Clause, ...] | None] = {}
    for segment in (segments(types, known or None) or []) if types else []:
        for letter in segment.letters or ("",):
            scopes[letter] = _scope(segment.text)
    maxima, reason = _read_maxima(limits, known, base, count)
    if known != alphabet(len(known)) or None in scopes.values():
        reason = reason or "product type not in the vocabulary"
    conditions = [
        (segment.letters, segment.sub, _conditions(segment.text))
        for segment in (segments(other, known or None) or [])
        if segment.text
    ]
    notes = [note for _, _, (_, noted, _) in conditions for note in noted]
    is_left = any(remainder for _, _, (_, _, remainder) in conditions)
    count.conditions += bool(other)
    count.conditions_text_only += is_left
    limbs: list[Limb] = []
    for letter in sorted(known) or [""]:
        subs: list[int | None] = sorted(
            {s for (at, s) in maxima if at == letter and s}
        ) or [None]  # type: ignore[assignment]
        for sub in subs:
            found = maxima.get((letter, sub)) or maxima.get(("", None), [])
            limbs.append(_limb(letter, sub, scopes, found, conditions, reason))
    rule = replace(
        base,
        limbs=tuple(limbs),
        exclusions=tuple(
            Exclusion(clauses=each, letters=letters)
            for letters, _, (excluded, _, _) in conditions
            for each in excluded
        ),
        notes=tuple(
            dict.fromkeys(
                n for n in notes if n != "professional" and not n.startswith("ph:")
            )
        ),
        unread=(*base.unread, *(["conditions beside the limit"] if is_left else [])),
    )
    return _narrowed(rule, row.get("area", "1").strip(), other)


def _narrowed(rule: AnnexRule, area: str, other: str) -> AnnexRule:
    """Apply what holds of the whole entry: area class, totals, rinse-off only."""
    clauses, excluded = _AREAS.get(area, ((), ()))
    limbs = list(rule.limbs)
    if area not in _AREAS:
        limbs = [replace(limb, unread="area class unknown") for limb in limbs]
    if clauses:
        limbs = [replace(limb, clauses=clauses) for limb in limbs]
    group = next((code for word, code in _TOTALS.items() if word in other), None)
    if group:
        limbs = [_grouped(limb, group) for limb in limbs]
    if "rinse_off_only" in rule.notes:
        limbs = [
            replace(
                limb, clauses=tuple((*c, "rinse_off") for c in limb.clauses or ((),))
            )
            for limb in limbs
        ]
    is_text = all(limb.unread for limb in limbs)
    more = (Exclusion(clauses=excluded),) if excluded else ()
    return replace(
        rule,
        limbs=_merged(limbs),
        kind=RuleKind.TEXT_ONLY if is_text else RuleKind.LIMIT,
        exclusions=(*rule.exclusions, *more),
    )


_Conditions = tuple[list[tuple[Clause, ...]], list[str], str]


def _limb(
    letter: str,
    sub: int | None,
    scopes: dict[str, tuple[Clause, ...] | None],
    maxima: list[Maximum],
    conditions: list[tuple[tuple[str, ...], int | None, _Conditions]],
    reason: str | None,
) -> Limb:
    user, ph = None, None
    for letters, at, (_, notes, _left) in conditions:
        if (not letters or letter in letters) and at in (None, sub):
            user = UserGroup.PROFESSIONAL if "professional" in notes else user
            ph = next((_ph(n) for n in notes if n.startswith("ph:")), ph)
    return Limb(
        letter=letter,
        sub=sub,
        clauses=scopes.get(letter) or scopes.get("") or (),
        maxima=tuple(maxima),
        user=user,
        ph=ph,
        unread=reason,
    )


def _merged(limbs: list[Limb]) -> tuple[Limb, ...]:
    """Join limbs that no product tells apart: their maxima all hold."""
    kinds = {(limb.clauses, limb.user, limb.ph, limb.unread) for limb in limbs}
    if len(limbs) < 2 or len(kinds) > 1:  # noqa: PLR2004
        return tuple(limbs)
    every = dict.fromkeys(each for limb in limbs for each in limb.maxima)
    return (replace(limbs[0], letter="", sub=None, maxima=tuple(every)),)


def _grouped(limb: Limb, group: str) -> Limb:
    return replace(
        limb, maxima=tuple(replace(each, group=group) for each in limb.maxima)
    )


def _scope(text: str) -> tuple[Clause, ...] | None:
    words = vocabulary("zh")
    if text in words:
        return words[text]
    found: list[Clause] = []
    for part in re.split(r"[、或](?![^(]*\))", text):
        if part not in words:
            return None
        found.extend(words[part])
    return tuple(found)


def _read_maxima(
    text: str, known: frozenset[str], base: AnnexRule, count: CellCount
) -> tuple[dict[tuple[str, int | None], list[Maximum]], str | None]:
    """Return the maxima by letter and sub-limb, or why the cell is left unread."""
    if not text:
        return {}, None
    count.limit_cells += 1
    found: dict[tuple[str, int | None], list[Maximum]] = {}
    reason: str | None = None
    cut = segments(text, known or None)
    for segment in cut or []:
        read = _maxima(segment.text.strip(" ;。"), base)
        if not read:
            reason = "words not in the grammar of limits"
            continue
        for letter in segment.letters or ("",):
            found.setdefault((letter, segment.sub), []).extend(read)
    if cut is None:
        reason = "letters out of order"
    if reason:
        count.text_only += 1
        count.reasons[reason] += 1
        count.unread_refs.append(f"{base.list}/{base.ref}")
        return {}, reason
    count.structured += 1
    return found, None


def _one(match: re.Match[str], _: AnnexRule) -> list[Maximum]:
    return [_maximum(*match.groups()[:3])]


def _two(match: re.Match[str], _: AnnexRule) -> list[Maximum]:
    return [_maximum(*match.groups()[:3]), _maximum(*match.groups()[3:6])]


def _each(match: re.Match[str], _: AnnexRule) -> list[Maximum]:
    return [replace(_maximum(*match.groups()[:3]), each=True)]


def _group(match: re.Match[str], base: AnnexRule) -> list[Maximum]:
    refs = sorted({base.ref, *re.findall(r"編號(\d+)", match.string)})
    refs += [r for r in re.findall(r"及(\d+)之成分", match.string) if r not in refs]
    if base.list == "preservatives":
        refs = ["32", "33"]
    group = "+".join(f"{base.list}/{ref}" for ref in refs)
    return [replace(_maximum(*match.groups()[:3]), group=group)]


def _form(
    build: Callable[[re.Match[str], AnnexRule], list[Maximum]], *parts: str
) -> tuple[re.Pattern[str], Callable[[re.Match[str], AnnexRule], list[Maximum]]]:
    return re.compile("".join(parts)), build


_FORMS: Final = (
    _form(_one, rf"{_V}(?:\(總量\)| ?\(相當於silver [\d.]+ ?%\))?"),
    _form(_one, rf"{_V}\(含釋出之(H2O2)\)"),
    _form(_two, rf"{_V} ?{_V}"),
    _form(
        _one,
        rf"{_V}\(單一使用或混合使用cetrimonium chloride及",
        r"steartrimonium chloride ?\)",
    ),
    _form(
        _group,
        rf"{_V}\(單一使用或混合使用cetrimonium chloride,steartrimonium chloride",
        r"及behentrimonium chloride\),惟[^%]*編號31之規定",
    ),
    _form(_each, rf"{_V},單獨使用"),
    _form(
        _group,
        rf"{_V},混合使用(?:編號32及33之成分,",
        r"惟[a-zA-Z\u4e00-\u9fff ]*不得超過0\.14 ?%)?",
    ),
    _form(
        _one,
        rf"{_V} ?Benzalkonium chloride,bromide及saccharinate",
        r"成分之烷基鏈長為C14以下者,其限量為0\.1% ?\(以benzalkonium chloride計\)",
    ),
    _form(_one, rf"{_V} ?\((?:倘)?作為(?:保護|收斂)劑用途,限量≤ ?[\d.]+%\)"),
)


def _maxima(text: str, base: AnnexRule) -> list[Maximum]:
    for pattern, build in _FORMS:
        if match := pattern.fullmatch(text):
            return build(match, base)
    return []


def _maximum(number: str, unit: str, basis: str | None) -> Maximum:
    species = None
    if basis:
        words = basis.strip()
        species = _SPECIES_ZH.get(words) or species_of(words.lower())
        species = species or words.lower().replace(" ", "_")
    return Maximum(value=percent(number, unit), unit=unit, species=species)


def _conditions(text: str) -> _Conditions:
    """Return exclusions, notes and what is left of a restriction's text."""
    left, notes = text, []
    exclusions: list[tuple[Clause, ...]] = []
    if match := _CHILD_BUT.search(left):
        spared = ("!shampoo",) if match[1] else ("!bath", "!shower_gel", "!shampoo")
        exclusions.append((("under_3", *spared),))
        left = left.replace(match[0], "")
    for match in list(_NOT_IN.finditer(left)):
        scope = _scope(match[1])
        if scope:
            exclusions.append(scope)
            left = left.replace(match[0], "")
    if match := _PH.search(left):
        low, high, sign, value = match.groups()
        if sign:
            low, high = (value, None) if sign == ">" else (None, value)
        notes.append(f"ph:{low or ''}:{high or ''}")
        left = left.replace(match[0], "")
    for pattern, code in _NOTES:
        if pattern.search(left):
            notes += [code] if code else []
            left = pattern.sub("", left)
    return exclusions, notes, left.strip(" .。;,:()")


def _ph(note: str) -> tuple[Decimal | None, Decimal | None]:
    low, high = (Decimal(each) if each else None for each in note.split(":")[1:])
    return low, high
