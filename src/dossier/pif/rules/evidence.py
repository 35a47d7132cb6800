"""How a document counts for a requirement: read, about this product, valid, signed.

A document never counts by its file name. What was not read or is not certain leaves
the requirement unconfirmed until a person confirms it; a person cannot make another
product's document, or one that has expired, count.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from dossier.documents.facts.folding import fold, name_key, product_key
from dossier.documents.facts.identity import judge_identity
from dossier.documents.facts.types import (
    Fact,
    FactName,
    FactState,
    IdentityReading,
    IdentityState,
    KindReading,
    OtherProduct,
    PageText,
    ProductIdentity,
    Signature,
    StatedVerdict,
)
from dossier.documents.facts.vocabulary import MATERIAL_KINDS
from dossier.pif.constants import (
    STATE_ORDER,
    DecisionKind,
    IdentityKey,
    ItemState,
    JudgementCode,
)
from dossier.pif.rules.items import DocumentNeed, Requirement

_DECLARATION: Final = re.compile(r"聲明|声明|declaration|statement", re.IGNORECASE)
_NO_FORMULA_KINDS: Final = MATERIAL_KINDS | {"gmp", "credentials", "formula"}
"""Kinds whose documents speak of no formula, or of several versions of it."""

_NAMING_FACTS: Final = (
    FactName.PRODUCT_NAME,
    FactName.TRADE_NAME,
    FactName.PRODUCT_CODE,
)


_NO_SIGNATURE: Final = {Signature.BLANK, Signature.UNSIGNED}
"""What shows that nobody signed; `unknown` may be a signature that a scan hides."""


class ReadingState(StrEnum):
    """How far a document was read."""

    NOT_YET = "not_read_yet"
    UNREADABLE = "unreadable"
    READ = "read"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadDocument:
    """A document with the kind and the facts that were read in it.

    `pages` are given only where a name is searched for in the text.
    """

    document_id: UUID
    filename: str
    sha256: str
    reading: ReadingState = ReadingState.READ
    kind: KindReading | None = None
    facts: Mapping[str, Sequence[Fact]] = field(default_factory=dict)
    pages: tuple[PageText, ...] = ()

    def read(self, name: FactName) -> list[Fact]:
        """Return the facts of a name whose values are certain."""
        return [
            fact for fact in self.facts.get(name, ()) if fact.state is FactState.READ
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmation:
    """A person's statement that a document meets an item or one requirement of it.

    `formula` are the first digits of the hash of the composition that it was confirmed
    for; without them it counts for every formula that was imported before `at`.
    """

    item: int
    requirement: str | None
    document_id: UUID
    sha256: str
    reason: str
    actor_name: str
    at: datetime
    formula: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What documents are compared with: the product on one day.

    Versions are normalised. An empty set of versions means that none is known.
    `site_steps` are what the sites of the identity do, in the same order; `batch_dates`
    are days on which batches of the product were made.
    """

    as_of: date
    identity: ProductIdentity
    formula_codes: frozenset[str] = frozenset()
    formula_versions: frozenset[str] = frozenset()
    pack_versions: frozenset[str] = frozenset()
    site_steps: tuple[str, ...] = ()
    batch_dates: tuple[date, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """How one document counts for one requirement, and what decided it.

    `state` is `None` for a document that does not count. `lacking` are the needed facts
    that were not read.
    """

    document: ReadDocument
    state: ItemState | None
    code: JudgementCode
    identity: IdentityReading | None = None
    fact: Fact | None = None
    lacking: tuple[FactName, ...] = ()
    change: str = ""
    confirmation: Confirmation | None = None


def judge_document(
    document: ReadDocument,
    requirement: Requirement,
    subject: Subject,
    *,
    allows: DecisionKind | None = None,
    confirmation: Confirmation | None = None,
    formula_change: str = "",
) -> Judgement:
    """Judge one document; the first rule that applies decides.

    `formula_change` says how the formula has changed since it was linked, where that
    concerns the requirement.
    """
    identity = identity_of(document, subject)
    title = document.kind.raw if document.kind else ""
    declares = allows is DecisionKind.DECLARATION and _DECLARATION.search(title)
    fact: Fact | None = None
    lacking: tuple[FactName, ...] = ()
    state: ItemState | None = ItemState.UNCONFIRMED
    if identity.state is IdentityState.OTHER_PRODUCT:
        state, code = None, JudgementCode.OTHER_PRODUCT
    elif outdated := _outdated(document, requirement, subject):
        state, (code, fact) = ItemState.STALE, outdated
    elif formula_change:
        state, code = ItemState.STALE, JudgementCode.FORMULA_CHANGED
    elif confirmation is not None and confirmation.sha256 == document.sha256:
        # A confirmed declaration is still a declaration.
        state = ItemState.DECLARED if declares else ItemState.PRESENT
        code = JudgementCode.CONFIRMED
    elif obstacle := _obstacle(document, requirement, identity):
        code = obstacle
    elif declares:
        state, code = ItemState.DECLARED, JudgementCode.DECLARATION
    elif lacking := _lacking(document, requirement):
        code = JudgementCode.FACTS_NOT_READ
    else:
        state, code = ItemState.PRESENT, JudgementCode.READ
    return Judgement(
        document=document,
        state=state,
        code=code,
        identity=identity,
        fact=fact,
        lacking=lacking,
        change=formula_change,
        confirmation=confirmation if code is JudgementCode.CONFIRMED else None,
    )


def subject_of(
    as_of: date,
    identity: ProductIdentity,
    documents: Sequence[ReadDocument],
    *,
    formula_document_id: UUID | None = None,
    signed: Sequence[UUID] = (),
    site_steps: Sequence[str] = (),
) -> Subject:
    """Return what documents are compared with, from the product and its documents.

    The code and version of the formula are those in the document that it was imported
    from. `signed` are documents linked to item 16(1): who signed one is the signer.
    """
    formula = [each for each in documents if each.document_id == formula_document_id]
    codes = _values(formula, FactName.FORMULA_CODE)
    versions = _values(formula, FactName.FORMULA_VERSION)
    identity = replace(
        identity,
        formula_codes=(*identity.formula_codes, *sorted(codes)),
        others=others_named(documents, identity.others),
    )
    subject = Subject(
        as_of=as_of,
        identity=identity,
        formula_codes=frozenset(map(name_key, codes)),
        formula_versions=frozenset(map(version_key, versions)),
    )
    own = [
        document
        for document in documents
        if document.kind is not None
        and identity_of(document, subject).state is IdentityState.THIS_PRODUCT
    ]
    packs = [document for document in own if _kind(document) == "packaging"]
    made = [each for each in own if _kind(each) not in _NO_FORMULA_KINDS]
    return replace(
        subject,
        identity=replace(identity, signers=_signers(own, signed)),
        pack_versions=frozenset(
            version_key(value) for value in _values(packs, FactName.PACK_VERSION)
        ),
        site_steps=tuple(site_steps) or ("",) * len(identity.sites),
        batch_dates=tuple(
            sorted(
                date.fromisoformat(value)
                for value in _values(made, FactName.MANUFACTURE_DATE)
            )
        ),
    )


def _signers(
    documents: Iterable[ReadDocument], signed: Sequence[UUID]
) -> tuple[str, ...]:
    """Return who signed an assessment of the product."""
    return tuple(
        fact.value
        for document in documents
        if document.document_id in signed and _kind(document) == "assessment"
        if {f.value for f in document.read(FactName.SIGNATURE)} == {Signature.SIGNED}
        for fact in document.read(FactName.SIGNER_NAME)
    )


def _values(documents: Iterable[ReadDocument], name: FactName) -> set[str]:
    return {fact.value for document in documents for fact in document.read(name)}


def _kind(document: ReadDocument) -> str | None:
    return document.kind.kind if document.kind else None


def identity_of(document: ReadDocument, subject: Subject) -> IdentityReading:
    """Return whether a document is about the product, judged by its kind."""
    return judge_identity(
        _kind(document), document.facts, subject.identity, document.pages
    )


def _outdated(
    document: ReadDocument, requirement: Requirement, subject: Subject
) -> tuple[JudgementCode, Fact] | None:
    """Return what shows that a document is not valid or speaks of another version."""
    if any(need.expires for need in requirement.documents):
        for fact in document.read(FactName.VALID_UNTIL):
            if date.fromisoformat(fact.value) < subject.as_of:
                return JudgementCode.EXPIRED, fact
        for fact in document.read(FactName.VALID_FROM):
            if date.fromisoformat(fact.value) > subject.as_of:
                return JudgementCode.NOT_VALID_YET, fact
    if _kind(document) is None or _kind(document) in _NO_FORMULA_KINDS:
        return None
    return _of_another_version(document, subject)


def _of_another_version(
    document: ReadDocument, subject: Subject
) -> tuple[JudgementCode, Fact] | None:
    codes = document.read(FactName.FORMULA_CODE)
    own_codes = {name_key(code) for code in subject.identity.codes}
    if subject.formula_codes and codes:
        known = own_codes | subject.formula_codes
        if not any(
            name_key(fact.value) in known
            or _extends(name_key(fact.value), subject.formula_codes)
            for fact in codes
        ):
            return JudgementCode.OTHER_FORMULA, codes[0]
    for name, versions, code in (
        (
            FactName.FORMULA_VERSION,
            subject.formula_versions,
            JudgementCode.OTHER_FORMULA,
        ),
        (FactName.PACK_VERSION, subject.pack_versions, JudgementCode.OTHER_PACK),
    ):
        stated = document.read(name)
        if versions and stated:
            keys = {version_key(fact.value) for fact in stated}
            if not keys & versions:
                return code, stated[0]
    return None


def _extends(code: str, known: Iterable[str]) -> bool:
    """Return whether a code is a known one with something added, or a part of it."""
    return any(code.startswith(each) or each.startswith(code) for each in known)


def version_key(version: str) -> str:
    """Return the form in which versions and formula codes are compared: 4 for V04."""
    key = name_key(version)
    number = re.fullmatch(r"(?:v|ver|version|rev|版|第)*0*(\d+)(?:版)?", key)
    return number[1] if number else key


def _need_of(document: ReadDocument, requirement: Requirement) -> DocumentNeed | None:
    kind = _kind(document)
    return next((need for need in requirement.documents if need.kind == kind), None)


def _obstacle(
    document: ReadDocument, requirement: Requirement, identity: IdentityReading
) -> JudgementCode | None:
    """Return why a document shows nothing by itself."""
    need = _need_of(document, requirement)
    if document.reading is not ReadingState.READ:
        return JudgementCode(document.reading)
    if need is None:
        return (
            JudgementCode.KIND_UNKNOWN
            if _kind(document) is None
            else JudgementCode.OTHER_KIND
        )
    if (
        need.identity is not IdentityKey.NONE
        and identity.state is not IdentityState.THIS_PRODUCT
    ):
        return JudgementCode.IDENTITY_UNKNOWN
    return _unfinished(document, is_signed=need.signed)


def _unfinished(document: ReadDocument, *, is_signed: bool) -> JudgementCode | None:
    """Return how a document lacks its signature; a draft counts nowhere."""
    signatures = {fact.value for fact in document.facts.get(FactName.SIGNATURE, ())}
    if Signature.DRAFT in signatures:
        return JudgementCode.DRAFT
    if not is_signed:
        return JudgementCode.DRAFT if Signature.UNSIGNED in signatures else None
    if signatures == {Signature.SIGNED}:
        return None
    is_known = signatures and signatures <= _NO_SIGNATURE
    return JudgementCode.UNSIGNED if is_known else JudgementCode.NOT_SIGNED


def _lacking(document: ReadDocument, requirement: Requirement) -> tuple[FactName, ...]:
    """Return the needed facts that were not read; an unfinished test has no verdict."""
    need = _need_of(document, requirement)
    verdicts = {fact.value for fact in document.read(FactName.VERDICT)}
    unfinished = StatedVerdict.INCOMPLETE in verdicts
    return tuple(
        name
        for name in (need.facts if need else ())
        if not document.read(name) or (name is FactName.VERDICT and unfinished)
    )


def others_named(
    documents: Iterable[ReadDocument], others: Sequence[OtherProduct]
) -> tuple[OtherProduct, ...]:
    """Return those of many products that some document may name.

    Comparing every document with every product of a large organisation takes seconds.
    """
    printed = " ".join(
        product_key(fact.value)
        for document in documents
        for name in _NAMING_FACTS
        for fact in document.read(name)
    )
    # A text counts only where no field names a product.
    texts = [
        fold(" ".join(page.text.split()))
        for document in documents
        if names_nothing(document)
        for page in document.pages
    ]
    return tuple(
        other
        for other in others
        if any(
            product_key(each) in printed or any(fold(each) in text for text in texts)
            for each in (*other.names, *other.codes)
        )
    )


def names_nothing(document: ReadDocument) -> bool:
    """Return whether only the text of a document can show whose it is."""
    return (
        document.reading is ReadingState.READ
        and _kind(document) not in MATERIAL_KINDS | {"gmp", "credentials"}
        and not any(document.read(name) for name in _NAMING_FACTS)
    )


def best_state(judgements: Iterable[Judgement]) -> ItemState:
    """Return the best state that documents reach; without any: missing."""
    states = [each.state for each in judgements if each.state is not None]
    return min(states, key=STATE_ORDER.__getitem__, default=ItemState.MISSING)
