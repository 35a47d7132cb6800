"""What a linked document shows of a requirement.

A document counts by what was read in it: its kind by content, the product, material,
site or signer that it names, the facts that the requirement needs, its dates and its
signature. A file name alone never counts. What was not read and nobody confirmed is
`unconfirmed`, never a guess.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from uuid import UUID

from dossier.documents.constants import TextState
from dossier.documents.facts.folding import name_key, pieces
from dossier.documents.facts.types import (
    Fact,
    FactName,
    FactState,
    IdentityReading,
    IdentityReason,
    IdentityState,
    Signature,
    Verdict,
)
from dossier.pif.constants import ItemState
from dossier.pif.rules.items import DocumentNeed

WATER_KEYS = frozenset(map(name_key, ("7732-18-5", "Aqua", "Water", "水")))


class EvidenceReason(StrEnum):
    """Why a document counts as it does; the first one that applies."""

    OTHER_PRODUCT = "other-product"
    EXPIRED = "expired"
    CONFIRMED = "confirmed"
    NOT_READ_YET = "not-read-yet"
    CANNOT_BE_READ = "cannot-be-read"
    KIND_UNKNOWN = "kind-unknown"
    OTHER_KIND = "other-kind"
    IDENTITY_UNKNOWN = "identity-unknown"
    FACT_NOT_READ = "fact-not-read"
    DRAFT = "draft"
    NOT_SIGNED = "not-signed"
    READ = "read"


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmation:
    """A person's statement that a document meets a requirement, with the reason."""

    item: int
    requirement: str
    document_id: UUID
    sha256: str
    reason: str
    actor_name: str
    confirmed_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkedDocument:
    """What was read of a linked document; `facts` is `None` where it was not read for.

    `kind` is the kind by content, `None` where the content does not decide; `cells`
    are the keys of its table cells, for a formula's materials to be found in.
    """

    document_id: UUID
    filename: str
    sha256: str
    text_state: TextState
    identity: IdentityReading | None = None
    kind: str | None = None
    facts: Mapping[str, tuple[Fact, ...]] | None = None
    cells: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Judgement:
    """What one document shows of one requirement; `state` is `None`: nothing.

    `facts` are the facts that decided, or the names of those that were not read.
    """

    document: LinkedDocument
    state: ItemState | None
    reason: EvidenceReason
    fact: Fact | None = None
    unread: tuple[FactName, ...] = ()
    confirmation: Confirmation | None = field(default=None)

    @property
    def failed(self) -> Fact | None:
        """Return the failing result that the document itself states, if it counts."""
        verdicts = (self.document.facts or {}).get(FactName.VERDICT, ())
        return next(
            (
                fact
                for fact in verdicts
                if self.state is not None and fact.value == Verdict.FAIL
            ),
            None,
        )


@dataclass(frozen=True, slots=True)
class Material:
    """A raw material of the formula; `name` is its trade name, else its INCI name."""

    name: str
    trade_name: str | None
    inci_names: tuple[str, ...]
    cas_numbers: tuple[str, ...]


def judge_document(
    document: LinkedDocument,
    need: DocumentNeed,
    *,
    as_of: date,
    confirmation: Confirmation | None = None,
) -> Judgement:
    """Judge one document against what a requirement needs; the first rule decides.

    Another product and an expired document cannot be confirmed.
    """
    identity = document.identity
    if identity is not None and identity.state is IdentityState.OTHER_PRODUCT:
        return Judgement(document, None, EvidenceReason.OTHER_PRODUCT)
    if (ended := _expired(document, as_of)) is not None:
        return Judgement(document, ItemState.STALE, EvidenceReason.EXPIRED, ended)
    if confirmation is not None and confirmation.sha256 == document.sha256:
        return Judgement(
            document,
            ItemState.PRESENT,
            EvidenceReason.CONFIRMED,
            confirmation=confirmation,
        )
    reason, fact, unread = _hindrance(document, need)
    state = ItemState.UNCONFIRMED if reason else ItemState.PRESENT
    return Judgement(document, state, reason or EvidenceReason.READ, fact, unread)


def _expired(document: LinkedDocument, as_of: date) -> Fact | None:
    """Return the date on which the document ended, if that is over.

    Of several dates the latest counts: a renewed certificate may print the old one.
    """
    ends = _read(document, FactName.VALID_UNTIL)
    latest = max(ends, key=lambda fact: fact.value, default=None)
    return latest if latest and latest.value < as_of.isoformat() else None


def _hindrance(
    document: LinkedDocument, need: DocumentNeed
) -> tuple[EvidenceReason | None, Fact | None, tuple[FactName, ...]]:
    """Return why the document does not show the requirement by itself.

    The facts are asked for only where kind and identity are known.
    """
    identity, reason = document.identity, None
    if document.text_state is TextState.UNREADABLE:
        reason = EvidenceReason.CANNOT_BE_READ
    elif document.facts is None:
        reason = EvidenceReason.NOT_READ_YET
    elif document.kind is None:
        reason = EvidenceReason.KIND_UNKNOWN
    elif document.kind not in need.kinds:
        reason = EvidenceReason.OTHER_KIND
    elif not _is_identified(document.kind, identity):
        reason = EvidenceReason.IDENTITY_UNKNOWN
    if reason is not None:
        return reason, None, ()
    if unread := tuple(name for name in need.facts if not _read(document, name)):
        return EvidenceReason.FACT_NOT_READ, None, unread
    signatures = _read(document, FactName.SIGNATURE)
    draft = next((each for each in signatures if each.value == Signature.DRAFT), None)
    if draft is not None:
        return EvidenceReason.DRAFT, draft, ()
    if need.signed and not any(each.value == Signature.SIGNED for each in signatures):
        return EvidenceReason.NOT_SIGNED, next(iter(signatures), None), ()
    return None, None, ()


def _is_identified(kind: str, identity: IdentityReading | None) -> bool:
    """Return whether a document is about this product.

    A toxicological summary often lists more substances than the formula has; which of
    the formula's it covers is counted apart.
    """
    if identity is None:
        return False
    return identity.state is IdentityState.THIS_PRODUCT or (
        kind == "toxicology" and identity.reason is IdentityReason.CAS_PARTLY_MATCHES
    )


def _read(document: LinkedDocument, name: FactName) -> list[Fact]:
    facts = document.facts or {}
    return [fact for fact in facts.get(name, ()) if fact.state is FactState.READ]


def uncovered(
    materials: Iterable[Material], judgements: Iterable[Judgement]
) -> tuple[str, ...]:
    """Return the raw materials that no document shows by INCI, CAS or trade name.

    Water needs none. A person's confirmation of one document stands for all of them.
    """
    judgements = list(judgements)
    if any(each.reason is EvidenceReason.CONFIRMED for each in judgements):
        return ()
    shown: set[str] = set()
    for judgement in judgements:
        if judgement.state is ItemState.PRESENT:
            shown |= judgement.document.cells
            for name in (FactName.TRADE_NAME, FactName.INCI_NAME, FactName.CAS_NUMBER):
                facts = _read(judgement.document, name)
                shown |= {name_key(fact.value) for fact in facts}
                shown |= {name_key(part) for f in facts for part in pieces(f.value)}
    gaps = []
    for material in materials:
        stated = (material.trade_name, *material.inci_names, *material.cas_numbers)
        keys = {name_key(each) for each in stated if each}
        if not keys & (shown | WATER_KEYS):
            gaps.append(material.name)
    return tuple(gaps)
