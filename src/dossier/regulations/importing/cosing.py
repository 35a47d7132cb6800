"""One row of an EU annex into one rule.

Each cell is read by a strict grammar or kept as unread with the reason; `CellCount`
counts both, so that a report can say what share of the limits a machine has read.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from hashlib import sha256
from typing import Final, TypeVar

from dossier.regulations.constants import (
    ANNEX_PURPOSE,
    IngredientPurpose,
    RuleKind,
    UserGroup,
)
from dossier.regulations.importing.cells import (
    Segment,
    alphabet,
    clean,
    letters_of,
    segments,
    warning_codes,
    with_points,
)
from dossier.regulations.importing.conditions import (
    Conditions,
    read_conditions,
    take_dates,
    take_disclosure,
)
from dossier.regulations.importing.identity import Identity, read_names, read_numbers
from dossier.regulations.importing.layout import Row, read_day
from dossier.regulations.importing.maxima import LimitReading, read_maxima
from dossier.regulations.importing.scopes import read_scope
from dossier.regulations.rules.records import AnnexRule, Clause, Exclusion, Limb

_MOVED: Final = re.compile(r"moved or deleted", re.IGNORECASE)
_NANO: Final = re.compile(r"\bnano\b|nanoparticle|nanomaterial", re.IGNORECASE)
_ELSEWHERE: Final = re.compile(
    r"annex (ii|iii|iv|v|vi)\b|elsewhere in this (?:regulation|list)", re.IGNORECASE
)
_EXCEPTION: Final = re.compile(
    r"\bexcept|\bexception|\bunless|\bother than\b", re.IGNORECASE
)
_IF_CONTAINS: Final = re.compile(
    r"\bif (?:it|they) contains? ?(?:=\s?>?|>|≥)\s?(\d+(?:[.,]\d+)?)"
    r" ?% w/w ([\w,\[\]]+)",
    re.IGNORECASE,
)
_CHILDREN_BUT: Final = re.compile(
    r"not to be used in preparations for children under (\d+) years of age, with the"
    r" exception of (?P<but>(?:and |\([a-r]\)(?: “\w+”)?[ ,]*)+)\.?",
    re.IGNORECASE,
)
_NOT_USED: Final = re.compile(r"not to be used in .*$", re.IGNORECASE)


@dataclass(slots=True)
class CellCount:
    """What became of the cells of one annex; `reasons` count the unread."""

    rows: int = 0
    moved: int = 0
    limit_cells: int = 0
    structured: int = 0
    by_hand: int = 0
    text_only: int = 0
    refused: int = 0
    conditions: int = 0
    conditions_text_only: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    unread_refs: list[str] = field(default_factory=list)


def read_annex(rows: Iterable[Row], annex: str) -> tuple[list[AnnexRule], CellCount]:
    """Return the rules of an annex and the count of what was read."""
    count = CellCount()
    rules: list[AnnexRule] = []
    sequence: Counter[str] = Counter()
    for row in rows:
        count.rows += 1
        ref = re.sub(r"\s+", "", row.get("ref", ""))
        if not re.fullmatch(r"\d{1,4}[a-z]?", ref):
            count.refused += 1
            count.reasons["no reference number"] += 1
            continue
        sequence[ref] += 1
        if _MOVED.search(row.get("chemical", "")):
            count.moved += 1
            continue
        rules.append(read_row(row, annex, ref, sequence[ref], count))
    return rules, count


def read_row(row: Row, annex: str, ref: str, seq: int, count: CellCount) -> AnnexRule:
    """Return the rule of one row."""
    identity = Identity()
    read_numbers(identity, row.get("cas", ""), row.get("ec", ""))
    read_names(
        identity,
        chemical=row.get("chemical", ""),
        glossary=row.get("glossary", ""),
        listed=row.get("listed", ""),
        has_synonyms=annex == "II",
    )
    count.reasons.update(fault.rsplit(" ", 1)[0] for fault in identity.faults)
    base = AnnexRule(
        list=annex,
        ref=ref,
        seq=seq,
        names=tuple(identity.names),
        cas=tuple(identity.cas),
        ec=tuple(identity.ec),
        ci=tuple(identity.ci),
        purpose=ANNEX_PURPOSE.get(annex, IngredientPurpose.OTHER),
        regulation=clean(row.get("regulation", "")) or None,
        updated=read_day(row.get("updated", "")),
        nano=_is_nano(row, annex),
        unread=tuple(identity.faults),
        source_sha256=sha256("\x1f".join(row.values()).encode()).hexdigest()[:16],
    )
    return _prohibited(base, row) if annex == "II" else _limited(base, row, count)


def _is_nano(row: Row, annex: str) -> bool:
    """Return whether an entry is of the nano form alone."""
    chemical, glossary = clean(row.get("chemical", "")), clean(row.get("glossary", ""))
    if "including" in chemical.lower():
        return False
    if annex == "II" or _NANO.search(chemical):
        return bool(_NANO.search(chemical))
    names = [name for name in re.split(r"\s+/\s+", glossary) if name]
    return bool(names) and all(map(_NANO.search, names))


def _prohibited(base: AnnexRule, row: Row) -> AnnexRule:
    words = clean(row.get("chemical", ""))
    low = words.lower()
    elsewhere = {(match[1] or "any").upper() for match in _ELSEWHERE.finditer(low)} - {
        "II"
    }
    limbs: tuple[Limb, ...] = ()
    condition = None
    if "hair" in low and "dye products" in low:
        clauses: tuple[Clause, ...] = (("hair_dye",),)
        if "eyelash" in low:
            clauses += (("eyelash_dye",),)
        limbs = (Limb(clauses=clauses),)
    elif "as a fragrance ingredient" in low:
        limbs = (Limb(clauses=(("as_fragrance",),)),)
    elif match := _IF_CONTAINS.search(words):
        limit = with_points(match[1])
        condition = f"if_contains:{match[2].lower()}>{limit}"
    elif "refining history" in low:
        condition = "unless_refining_history_known"
    elif "releasable formaldehyde" in low:
        condition = "releasable_formaldehyde_max_percent:0.1"
    elif "normal content in" in low:
        condition = "except_natural_content"
    elif not elsewhere and (_EXCEPTION.search(low) or re.search(r"\bif\b", low)):
        condition = "see_entry"
    return replace(
        base,
        kind=RuleKind.PROHIBIT,
        limbs=limbs,
        condition=condition,
        except_lists=tuple(sorted(elsewhere)),
    )


_Value = TypeVar("_Value")
_Range = tuple[Decimal | None, Decimal | None]


@dataclass(slots=True)
class _Draft:
    """The limbs of an entry while its columns are read."""

    known: frozenset[str]
    scopes: dict[str, tuple[Clause, ...]] = field(default_factory=dict)
    maxima: dict[tuple[str, int | None], list[LimitReading]] = field(
        default_factory=dict
    )
    users: dict[tuple[str, int | None], UserGroup] = field(default_factory=dict)
    ph: dict[tuple[str, int | None], _Range] = field(default_factory=dict)
    unread: dict[str, str] = field(default_factory=dict)
    exclusions: list[Exclusion] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)

    def cut(self, text: str) -> list[Segment]:
        """Return the segments of a cell, by the letters of the entry."""
        return segments(text, self.known or None) or [Segment((), None, clean(text))]

    def letters(self) -> list[str]:
        """Return the letters of the entry; one empty one where it has none."""
        named = {*self.scopes, *self.unread}
        for keys in (self.maxima, self.users, self.ph):
            named.update(letter for letter, _ in keys)
        return sorted(named - {""}) or [""]


def _limited(base: AnnexRule, row: Row, count: CellCount) -> AnnexRule:
    disclosure, other = take_disclosure(row.get("other", ""))
    dates, other = take_dates(other)
    type_dates, product_type = take_dates(row.get("product_type", ""))
    maximum = row.get("maximum", "")
    draft = _Draft(known=letters_of(product_type, maximum))
    if draft.known != alphabet(len(draft.known)):
        draft.unread[""] = "letters out of order"
    _read_types(draft, product_type)
    _read_limits(draft, maximum, base, count)
    other = _children_but(draft, other)
    if not draft.known and letters_of(other) == alphabet(len(letters_of(other))):
        draft.known = letters_of(other)
    _read_others(draft, other, base, count)
    if base.list == "IV":
        wording = clean(row.get("wording", ""))
        _apply(draft, Segment((), None, ""), read_conditions(_used(wording), base.ref))
    limbs = _limbs(draft)
    if any(limb.maxima for limb in limbs):
        # The export lost some of these limits, which stand in the Official Journal.
        limbs = tuple(
            replace(limb, unread="no limit in the export")
            if ("hair_dye_oxidative",) in limb.clauses
            and not (limb.maxima or limb.unread)
            else limb
            for limb in limbs
        )
    has_limit = any(limb.maxima or limb.clauses or limb.ph for limb in limbs)
    is_read = not any(limb.unread for limb in limbs)
    kind = RuleKind.LIMIT
    if not has_limit and disclosure is not None:
        kind = RuleKind.DISCLOSE
    elif not has_limit and not is_read:
        kind = RuleKind.TEXT_ONLY
    return replace(
        base,
        kind=kind,
        limbs=limbs if kind is not RuleKind.DISCLOSE else (),
        exclusions=tuple(draft.exclusions),
        disclosure=disclosure,
        notes=tuple(dict.fromkeys(draft.notes)),
        warnings=warning_codes(row.get("wording", "")),
        new_from=dates.new_from or type_dates.new_from,
        all_from=dates.all_from or type_dates.all_from,
        unread=(*base.unread, *draft.left),
    )


def _read_types(draft: _Draft, text: str) -> None:
    for segment in draft.cut(text) if clean(text) else ():
        words = segment.text
        if match := _NOT_USED.search(words):
            _apply(draft, segment, read_conditions(match[0], ""))
            words = words[: match.start()]
        scope = read_scope(words)
        for letter in segment.letters or ("",):
            if scope is None:
                draft.unread[letter] = "product type not in the vocabulary"
            elif scope:
                draft.scopes[letter] = scope


def _read_limits(draft: _Draft, text: str, base: AnnexRule, count: CellCount) -> None:
    if not clean(text):
        return
    count.limit_cells += 1
    species = None
    for sentence in re.findall(
        r"The abovementioned percentages are calculated as [\w ]+", text
    ):
        text, species = text.replace(sentence, " "), "acid"
    reasons: list[str] = []
    for segment in draft.cut(text):
        reason = _read_limit(draft, segment, base, species)
        if reason:
            reasons.append(reason)
            for letter in segment.letters or ("",):
                draft.unread[letter] = reason
    reasons += [draft.unread[""]] if draft.unread.get("") and not reasons else []
    if reasons:
        count.text_only += 1
        count.reasons.update(reasons[:1])
        count.unread_refs.append(f"{base.list}/{base.ref}")
    else:
        count.structured += 1


def _read_limit(
    draft: _Draft, segment: Segment, base: AnnexRule, species: str | None
) -> str | None:
    """Read one segment of the column of maxima; return why it is unread, if it is."""
    read = read_maxima(segment.text, base.ref)
    if isinstance(read, str):
        scope = read_scope(segment.text)
        conditions = read_conditions(segment.text, base.ref)
        if scope:
            for letter in segment.letters or ("",):
                draft.scopes[letter] = scope
            return None
        if conditions.left:
            return read
        _apply(draft, segment, conditions)
        return None
    if species:
        read = [
            replace(each, maximum=replace(each.maximum, species=species))
            for each in read
        ]
    for letter in segment.letters or ("",):
        draft.maxima.setdefault((letter, segment.sub), []).extend(read)
    return None


def _children_but(draft: _Draft, text: str) -> str:
    """Take out the exclusion of children that spares lettered limbs."""
    match = _CHILDREN_BUT.search(text)
    if match is None:
        return text
    spared = set(re.findall(r"\(([a-r])\)", match["but"]))
    letters = tuple(each for each in draft.letters() if each not in spared)
    draft.exclusions.append(
        Exclusion(clauses=((f"under_{match[1]}",),), letters=letters)
    )
    return text.replace(match[0], " ")


def _read_others(draft: _Draft, text: str, base: AnnexRule, count: CellCount) -> None:
    text = clean(text)
    if not text:
        return
    count.conditions += 1
    before = len(draft.left)
    for segment in draft.cut(text):
        if base.list == "IV" and not isinstance(
            read_maxima(segment.text, base.ref), str
        ):
            _read_limit(draft, segment, base, None)
            continue
        conditions = read_conditions(segment.text, base.ref)
        _apply(draft, segment, conditions)
        for letter in segment.letters or ("",):
            has_limit = any(key[0] == letter or not letter for key in draft.maxima)
            if re.search(r"exceed \d[\d.]* ?%", conditions.left) and not has_limit:
                draft.unread[letter] = "a limit among the conditions"
    count.conditions_text_only += len(draft.left) > before


def _used(wording: str) -> str:
    match = _NOT_USED.search(wording)
    return match[0] if match else ""


def _apply(draft: _Draft, segment: Segment, found: Conditions) -> None:
    for letter in segment.letters or ("",):
        key = (letter, segment.sub)
        if found.maxima:
            draft.maxima.setdefault(key, []).extend(found.maxima)
        if found.user is not None:
            draft.users[key] = found.user
        if found.ph is not None:
            draft.ph[key] = found.ph
    for clauses in found.exclusions:
        draft.exclusions.append(Exclusion(clauses=clauses, letters=segment.letters))
    draft.notes.extend(found.notes)
    if found.left:
        draft.left.append("conditions beside the limit")


def _limbs(draft: _Draft) -> tuple[Limb, ...]:
    limbs: list[Limb] = []
    for letter in draft.letters():
        keys = [k for k in (*draft.maxima, *draft.users, *draft.ph) if k[0] == letter]
        named: set[int | None] = {k[1] for k in keys} - {None}
        subs = sorted(named, key=str) or [None]
        limbs.extend(each for sub in subs for each in _limb(draft, letter, sub))
    return tuple(limbs)


def _limb(draft: _Draft, letter: str, sub: int | None) -> list[Limb]:
    """Return the limb of a letter, or one for each user or product its text names."""
    ways = ((letter, sub), (letter, None), ("", sub), ("", None))
    plain = Limb(
        letter=letter,
        sub=sub,
        clauses=draft.scopes.get(letter) or draft.scopes.get("", ()),
        user=_first(draft.users, ways),
        ph=_first(draft.ph, ways),
        unread=draft.unread.get(letter) or draft.unread.get(""),
    )
    read = _first(draft.maxima, ways) or []
    groups: dict[tuple[tuple[Clause, ...], UserGroup | None], list[LimitReading]] = {}
    for each in read:
        groups.setdefault((each.clauses, each.user), []).append(each)
    return [
        replace(
            plain,
            clauses=_joined(plain.clauses, clauses),
            user=user or plain.user,
            maxima=tuple(dict.fromkeys(each.maximum for each in group)),
        )
        for (clauses, user), group in groups.items()
    ] or [plain]


def _first(
    values: Mapping[tuple[str, int | None], _Value],
    keys: Iterable[tuple[str, int | None]],
) -> _Value | None:
    return next((values[key] for key in keys if key in values), None)


def _joined(
    clauses: tuple[Clause, ...], more: tuple[Clause, ...]
) -> tuple[Clause, ...]:
    """Return the clauses that hold where both do."""
    if not (clauses and more):
        return clauses or more
    return tuple(
        tuple(dict.fromkeys((*one, *other))) for one in clauses for other in more
    )
