"""What the documents of a requirement must name one by one: raw materials, sites.

Every raw material of the formula needs data (PIF Reg. Art. 3(1)(9) and (10)). Every
site that compounds, fills or packs needs a certificate that was valid when the batches
were made (Art. 3(1)(5)); a certificate of today says nothing about them.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Final
from uuid import UUID

from dossier.documents.facts.folding import name_key, pieces
from dossier.documents.facts.types import FactName, IdentityState
from dossier.pif.constants import Coverage, ItemState, JudgementCode
from dossier.pif.rules.evidence import (
    Judgement,
    ReadDocument,
    ReadingState,
    Subject,
    identity_of,
)

_MAKING: Final = re.compile(
    r"調製|配製|製造|生產|充填|填充|灌裝|分裝|包裝"
    r"|compound|manufactur|produc|bulk|fill|pack",
    re.IGNORECASE,
)
_NOT_MAKING: Final = re.compile(
    r"外包裝|外盒|貼標|標示|貯存|儲存|倉儲|物流|運輸|檢驗|檢測|試驗|研發|輸入|進口|銷售"
    r"|(?:secondary|outer)\s+pack\w*|label|stor(?:age|ing)|warehous|logistic|transport"
    r"|test|laborator|inspect|research|develop|import|distribut|sale|kitting",
    re.IGNORECASE,
)
_SUBSTANCE_FACTS: Final = (
    FactName.TRADE_NAME,
    FactName.PRODUCT_NAME,
    FactName.INCI_NAME,
    FactName.CAS_NUMBER,
)
_COVERS_NOTHING: Final = frozenset(
    {
        JudgementCode.OTHER_PRODUCT,
        JudgementCode.EXPIRED,
        JudgementCode.OTHER_FORMULA,
        JudgementCode.DRAFT,
    }
)
_MATERIAL_DATA: Final = frozenset(
    {"sds", "raw_material_spec", "toxicology", "product_spec"}
)
"""Kinds whose words on a material are data of it; a formula only lists it."""

_NO_DATA: Final = (
    r"(?:no (?:\w+ ){0,2}(?:data|information|stud(?:y|ies))\b|data gap"
    r"|(?:data )?(?:not available|not assessed|not evaluated|missing)\b"
    r"|(?:查無|尚無|缺乏|無|无)(?:任何|相關|毒理|安全|可用|試驗|其)*(?:資料|數據|数据)"
    r"|資料不足|未評估|待補)"
)
_MARKS: Final = r"[\s():,;|/\u2013\u2014-]*"
_DENIED_AFTER: Final = re.compile(
    rf"{_MARKS}(?:\d{{2,7}}-\d\d-\d)?{_MARKS}(?:之|的)?\s*"
    rf"{_NO_DATA}[^\d\n.;。]*(?:[\n.;。]|$)"
)
"""What follows the name of a material of which there is no data, to the sentence's end.

A sentence with figures states something of the material.
"""

_DENIED_BEFORE: Final = re.compile(
    r"no (?:\w+ ){0,2}(?:data|information|stud(?:y|ies)) (?:\w+ ){0,3}"
    r"(?:for|on|of|about)[^\n.;]{0,80}$"
    r"|(?:查無|尚無|缺乏|無|无) ?(?:[^\s.;。、]{0,20}\()?$"
)
_DENIAL_REACH: Final = 120

_BEFORE: Final = r"(?:^|[\t\n,;:/()、，；：•·] ?|\. |  |[\u4e00-\u9fff] ?)"
_AFTER: Final = r"(?=$|[\t\n,;:/()、，；：。]|\.(?:\s|$)|  | ?[\u4e00-\u9fff]| ≤?\d)"


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverageRow:
    """A material or site, the documents that cover it, or why it needs none.

    `undated` are days of manufacture on which no certificate of the site was valid. A
    material without INCI name and CAS number is not identified: no data can be its own.
    """

    name: str
    documents: tuple[UUID, ...] = ()
    reason: str | None = None
    undated: tuple[date, ...] = ()
    is_identified: bool = True

    @property
    def is_covered(self) -> bool:
        """Return whether nothing is left to show."""
        return bool(self.reason or self.documents) and not self.undated


def coverage_of(
    coverage: Coverage | None,
    judgements: Sequence[Judgement],
    subject: Subject,
    exempt: Mapping[str, str],
) -> tuple[CoverageRow, ...]:
    """Return a row for each material or site that a requirement speaks of."""
    if coverage is Coverage.MATERIALS:
        return _materials(judgements, subject, exempt)
    if coverage is Coverage.SITES:
        return _sites(judgements, subject)
    return ()


def state_with(rows: Sequence[CoverageRow], state: ItemState) -> ItemState:
    """Return the state of documents that leave some rows uncovered."""
    if state is not ItemState.PRESENT or all(row.is_covered for row in rows):
        return state
    if all(row.is_covered or (row.documents and row.undated) for row in rows):
        return ItemState.STALE
    return ItemState.UNCONFIRMED


def _materials(
    judgements: Sequence[Judgement], subject: Subject, exempt: Mapping[str, str]
) -> tuple[CoverageRow, ...]:
    counting = [
        each.document
        for each in judgements
        if each.code not in _COVERS_NOTHING and is_material_data(each.document)
    ]
    named = {document.document_id: _named_keys(document) for document in counting}
    texts = {
        each.document_id: unicodedata.normalize(
            "NFKC", "\n".join(page.text for page in each.pages)
        ).casefold()
        for each in counting
    }
    rows: dict[str, CoverageRow] = {}
    for material in subject.identity.materials:
        names = (*material.inci_names, *material.trade_names, *material.cas_numbers)
        keys = {name_key(name) for name in names} - {""}
        label = names[0] if names else ""
        if label in rows or not label:
            continue
        folded = [unicodedata.normalize("NFKC", each).casefold() for each in names]
        documents = tuple(
            document.document_id
            for document in counting
            if (
                keys & named[document.document_id]
                or _names_in_text(folded, texts[document.document_id])
            )
            and not _only_denied(folded, texts[document.document_id])
        )
        reason = next((exempt[key] for key in sorted(keys) if key in exempt), None)
        rows[label] = CoverageRow(
            name=label,
            documents=documents,
            reason=reason,
            is_identified=bool(material.inci_names or material.cas_numbers),
        )
    return tuple(rows.values())


def is_material_data(document: ReadDocument) -> bool:
    """Return whether a document says something about materials that it names."""
    return (
        document.reading is ReadingState.READ
        and document.kind is not None
        and document.kind.kind in _MATERIAL_DATA
    )


def _named_keys(document: ReadDocument) -> set[str]:
    return {
        name_key(part)
        for name in _SUBSTANCE_FACTS
        for fact in document.read(name)
        for part in (fact.value, *pieces(fact.value))
    } - {""}


def _names_in_text(names: Sequence[str], text: str) -> bool:
    """Return whether a name stands by itself: "Glycerin" is no "Glyceryl Stearate"."""
    # Searching the plain string first spares most of the patterns.
    return any(
        name in text and re.search(_BEFORE + re.escape(name) + _AFTER, text)
        for name in map(str.strip, names)
    )


def _only_denied(names: Sequence[str], text: str) -> bool:
    """Return whether a text names a material only to say that it has no data of it."""
    is_denied = False
    for name in filter(None, names):
        for match in re.finditer(re.escape(name), text):
            before = text[max(0, match.start() - _DENIAL_REACH) : match.start()]
            if not (
                _DENIED_BEFORE.search(before) or _DENIED_AFTER.match(text, match.end())
            ):
                return False
            is_denied = True
    return is_denied


def _sites(
    judgements: Sequence[Judgement], subject: Subject
) -> tuple[CoverageRow, ...]:
    """Return the sites: those that compound, fill or pack with their certificates.

    An expired certificate covers the batches that were made before. A person may
    confirm that a certificate covers a site, but not that it was valid on a day outside
    of its validity.
    """
    rows = []
    for site, step in zip(subject.identity.sites, subject.site_steps, strict=True):
        if not is_making(step):
            # No certificate is asked for there; what is done says why.
            rows.append(CoverageRow(name=site.name, reason=step))
            continue
        alone = replace(subject, identity=replace(subject.identity, sites=(site,)))
        own = [
            each
            for each in judgements
            if each.code
            in {JudgementCode.READ, JudgementCode.EXPIRED, JudgementCode.CONFIRMED}
            and (
                each.code is JudgementCode.CONFIRMED
                or identity_of(each.document, alone).state is IdentityState.THIS_PRODUCT
            )
        ]
        undated = tuple(
            day
            for day in subject.batch_dates
            if own and not any(_covers(o.document, day) for o in own)
        )
        valid = [o for o in own if o.state is ItemState.PRESENT]
        rows.append(
            CoverageRow(
                name=site.name,
                documents=tuple(each.document.document_id for each in valid),
                undated=undated,
            )
        )
    return tuple(rows)


def is_making(step: str) -> bool:
    """Return whether a site needs GMP: unless all that it does is none of the making.

    Words that nobody knows ("OEM") may stand for compounding or filling.
    """
    rest = _NOT_MAKING.sub(" ", step)
    return rest == step or bool(_MAKING.search(rest))


def _covers(document: ReadDocument, day: date) -> bool:
    starts = document.read(FactName.VALID_FROM) or document.read(FactName.DOCUMENT_DATE)
    ends = document.read(FactName.VALID_UNTIL)
    after_start = not starts or date.fromisoformat(starts[0].value) <= day
    return after_start and (not ends or day <= date.fromisoformat(ends[0].value))
