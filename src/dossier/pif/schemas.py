"""Requests, responses and the snapshot of the product information file.

The snapshot holds everything that the printed file needs. Nothing else is read when a
version is rendered, so the same version always gives the same pages. Decimals are
written as strings, instants as ISO 8601 in UTC. Members with a default came with
`dossier.pif/2`; versions of `dossier.pif/1` stay as they were stored, without them.
"""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, Final, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from dossier.core.schemas import DecimalText, RequestModel, ResponseModel
from dossier.pif.constants import DecisionKind, FileStatus, MatchOutcome
from dossier.pif.rules.board import BoardItem
from dossier.pif.rules.evidence import Judgement
from dossier.pif.rules.matching import Proposal, targets
from dossier.pif.rules.messages import judgement_words
from dossier.products.constants import MatchedBy
from dossier.products.models import ProductDocument
from dossier.products.schemas import Line, Paragraph

PIF_SCHEMA: Final = "dossier.pif/2"

MAX_MATCHED = 200
"""Documents that one request may have matched."""

FindingJson = dict[str, Any]
"""A finding as `dossier.core.findings.finding_json` writes it."""


class SnapshotPart(BaseModel):
    """A part of a snapshot: frozen, closed, written by its outside names."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        from_attributes=True,
        validate_by_name=True,
        validate_by_alias=True,
        serialize_by_alias=True,
    )


class BilingualText(SnapshotPart):
    """The same words in Traditional Chinese and English."""

    zh: str
    en: str


class SnapshotUsage(SnapshotPart):
    """How the product is applied."""

    method: str | None
    amount: str | None
    frequency: str | None


class SnapshotSite(SnapshotPart):
    """A manufacturing site and the step that it carries out."""

    step: str
    name: str
    address: str
    country: str | None


class SnapshotHolder(SnapshotPart):
    """Who answers for the product in the market."""

    name: str
    address: str | None
    phone: str | None


class SnapshotExemptMaterial(SnapshotPart):
    """A raw material that needs no data of its own, and why."""

    name: str
    reason: str


class SnapshotProduct(SnapshotPart):
    """The product's facts, with the words of its category."""

    id: UUID
    code: str | None
    name_zh: str | None
    name_en: str | None
    category: str
    category_zh: str
    category_en: str
    tfda_category: str
    phase_in_on: date | None
    dosage_form: str | None
    use: Literal["leave_on", "rinse_off"]
    body_site: str | None
    population: str | None
    intended_use: str | None
    usage: SnapshotUsage | None
    sites: list[SnapshotSite]
    holder: SnapshotHolder
    markets: list[str]
    aliases: list[str] = []
    exempt_materials: list[SnapshotExemptMaterial] = []


class SnapshotCompleteness(SnapshotPart):
    """How many of the sixteen items are in which state."""

    present: int
    declared: int
    waived: int
    not_applicable: int
    stale: int
    unconfirmed: int = 0
    missing: int
    blocked: int = 0
    complete: int
    total: int
    status: FileStatus | None = None


class SnapshotConfirmation(SnapshotPart):
    """A person's statement that a document meets a requirement."""

    reason: str
    actor_name: str
    at: datetime


class SnapshotFact(SnapshotPart):
    """A value that was read in a document, with the words that state it."""

    name: str
    value: str
    raw: str
    page: int | None
    cell: str | None = None


class SnapshotJudgement(SnapshotPart):
    """How one document counts for a requirement; without a state it does not count."""

    document_id: UUID
    state: str | None
    code: str
    reason: BilingualText
    confirmation: SnapshotConfirmation | None


class SnapshotCoverage(SnapshotPart):
    """A raw material or site, the documents that name it, or why it needs none."""

    name: str
    documents: list[UUID]
    reason: str | None
    is_covered: bool


class SnapshotRequirement(SnapshotPart):
    """One requirement of an item, its state and the documents that meet it."""

    code: str
    zh: str
    en: str
    article: str
    state: str
    documents: list[UUID]
    judgements: list[SnapshotJudgement] = []
    coverage: list[SnapshotCoverage] = []
    closes_by: BilingualText


class SnapshotDecision(SnapshotPart):
    """A waiver or a declaration, with its reason and the person who made it."""

    kind: Literal["waiver", "declaration"]
    reason: str
    actor_name: str
    at: datetime


class SnapshotItem(SnapshotPart):
    """One of the sixteen items."""

    number: int = Field(ge=1, le=16)
    title_zh: str
    title_en: str
    article: str
    state: str
    requirements: list[SnapshotRequirement]
    decision: SnapshotDecision | None


class SnapshotLine(SnapshotPart):
    """One line of the composition, with the cell that it was read from."""

    position: int
    phase: str | None
    trade_name: str | None
    supplier: str | None
    inci: str | None
    cas: str | None
    ec: str | None
    function: str | None
    percent_text: str | None
    percent_lower: DecimalText | None
    percent_upper: DecimalText | None
    is_qs: bool
    cell: str | None


class SnapshotNote(SnapshotPart):
    """What was chosen, left out or assumed in reading the formula, or its remark.

    Formulas that an earlier release imported have notes without a kind.
    """

    code: str
    kind: str | None = None
    zh: str
    en: str
    cell: str | None


class SnapshotFormula(SnapshotPart):
    """The formula version that the file is based on."""

    number: int
    sheet: str | None
    filename: str | None
    sha256: str | None
    total_lower: DecimalText | None
    total_upper: DecimalText | None
    tolerance: DecimalText
    lines: list[SnapshotLine]
    notes: list[SnapshotNote] = []


class SnapshotEvidence(SnapshotPart):
    """One linked document: its hash, the items it serves, why it was linked."""

    document_id: UUID
    filename: str
    sha256: str
    size_bytes: int
    media_type: str
    items: list[int]
    matched_by: str
    reason: str | None
    kind: str | None = None
    text_state: str | None = None
    facts: list[SnapshotFact] = []


class SnapshotGenerator(SnapshotPart):
    """The program that made the snapshot."""

    name: str
    version: str


class PifSnapshot(SnapshotPart):
    """One version of the file for one market."""

    schema_id: Literal["dossier.pif/1", "dossier.pif/2"] = Field(
        PIF_SCHEMA, alias="schema"
    )
    market: str
    version_number: int
    created_at: datetime
    as_of: date | None = None
    product: SnapshotProduct
    completeness: SnapshotCompleteness
    items: list[SnapshotItem]
    formula: SnapshotFormula | None
    findings: list[FindingJson]
    evidence: list[SnapshotEvidence]
    generator: SnapshotGenerator


class DecisionRequest(RequestModel):
    """State why an item needs no document."""

    reason: Paragraph = Field(
        examples=["The product holds no water; microbes cannot grow in it."]
    )


class DecisionResponse(ResponseModel):
    """A waiver or a declaration."""

    id: UUID
    market: str
    item: int
    kind: DecisionKind
    reason: str
    actor_name: str
    created_at: datetime


class ConfirmationRequest(RequestModel):
    """Confirm that a document meets an item, or one requirement of it."""

    document_id: UUID
    requirement: Line | None = Field(None, examples=["tw-9.product"])
    reason: Paragraph = Field(examples=["Read on paper: pH and viscosity on page 2."])


class ConfirmationResponse(ResponseModel):
    """A person's statement that a document meets an item or a requirement."""

    id: UUID
    market: str
    item: int
    requirement: str | None
    document_id: UUID
    sha256: str
    reason: str
    actor_name: str
    created_at: datetime


class BoardItemResponse(SnapshotItem):
    """One of the sixteen items, and the decision that it allows."""

    allows: DecisionKind | None


class BoardFormulaResponse(ResponseModel):
    """The newest formula and what was chosen, left out and assumed in reading it."""

    number: int
    sheet: str
    filename: str
    notes: list[SnapshotNote]


class BoardResponse(ResponseModel):
    """The sixteen items of a product's file for one market."""

    product_id: UUID
    market: str
    as_of: date
    phase_in_on: date | None
    completeness: SnapshotCompleteness
    items: list[BoardItemResponse]
    formula: BoardFormulaResponse | None
    findings: list[FindingJson]


class VersionSummary(ResponseModel):
    """A version without its snapshot."""

    id: UUID
    market: str
    number: int
    sha256: str
    created_at: datetime


class VersionResponse(VersionSummary):
    """A version with its snapshot."""

    snapshot: PifSnapshot


def item_members(item: BoardItem) -> dict[str, Any]:
    """Return an item as the board and the snapshot show it."""
    decision = item.decision
    return {
        "number": item.rule.number,
        "title_zh": item.rule.title.zh,
        "title_en": item.rule.title.en,
        "article": item.rule.article,
        "state": item.state.value,
        "requirements": [
            {
                "code": requirement.rule.code,
                "zh": requirement.rule.name.zh,
                "en": requirement.rule.name.en,
                "article": requirement.rule.article,
                "state": requirement.state.value,
                "documents": requirement.documents,
                "coverage": requirement.coverage,
                "judgements": list(map(judgement_members, requirement.judgements)),
                "closes_by": requirement.rule.closes_by,
            }
            for requirement in item.requirements
        ],
        "decision": decision
        and {
            "kind": decision.kind.value,
            "reason": decision.reason,
            "actor_name": decision.actor_name,
            "at": decision.at,
        },
    }


def judgement_members(judgement: Judgement) -> dict[str, Any]:
    """Return how a document counts, as the board and the snapshot show it."""
    confirmation = judgement.confirmation
    return {
        "document_id": judgement.document.document_id,
        "state": judgement.state,
        "code": judgement.code,
        "reason": judgement_words(judgement),
        "confirmation": confirmation
        and {
            "reason": confirmation.reason,
            "actor_name": confirmation.actor_name,
            "at": confirmation.at,
        },
    }


class MatchRequest(RequestModel):
    """Match documents to the items by their names and words."""

    document_ids: list[UUID] | None = Field(
        None,
        max_length=MAX_MATCHED,
        description="Without it: the newest documents that are linked to no product.",
    )
    apply: bool = Field(default=False, description="Link what is matched.")


class MatchTarget(ResponseModel):
    """An item, or a requirement of it."""

    item: int
    requirement: str | None


class MatchCandidate(ResponseModel):
    """A kind that a document may be."""

    kind: str
    name: BilingualText
    score: int
    reason: str


class MatchResponse(ResponseModel):
    """The result for one document, and its reason."""

    document_id: UUID
    filename: str
    outcome: MatchOutcome
    serves: list[MatchTarget]
    matched_by: MatchedBy | None
    reason: str
    candidates: list[MatchCandidate]


class MatchList(ResponseModel):
    """The result for each document."""

    items: list[MatchResponse]
    is_applied: bool


def match_response(
    proposal: Proposal, stated: Sequence[ProductDocument], hindrance: str | None
) -> MatchResponse:
    """Return the result for one document; what a person stated takes precedence.

    `hindrance` says why the text could not be judged.
    """
    if stated:
        return MatchResponse(
            document_id=proposal.document.document_id,
            filename=proposal.document.filename,
            outcome=MatchOutcome.STATED,
            serves=[MatchTarget.model_validate(link) for link in stated],
            matched_by=MatchedBy(stated[0].matched_by),
            reason=stated[0].reason or "stated by a person",
            candidates=[],
        )
    matched_by = None
    if proposal.serves:
        by_name = proposal.candidates[0].by_name
        matched_by = MatchedBy.FILENAME if by_name else MatchedBy.CONTENT
    if proposal.outcome is MatchOutcome.MATCHED:
        reason = proposal.candidates[0].reason
    elif proposal.outcome is MatchOutcome.AMBIGUOUS:
        kinds = " or ".join(c.kind.en.lower() for c in proposal.candidates[:3])
        reason = f"could be {kinds}"
    else:
        reason = "too few known words in the file name and the text"
    return MatchResponse(
        document_id=proposal.document.document_id,
        filename=proposal.document.filename,
        outcome=proposal.outcome,
        serves=[MatchTarget.model_validate(t) for t in targets(proposal.serves)],
        matched_by=matched_by,
        reason=f"{reason}; {hindrance}" if hindrance else reason,
        candidates=[
            MatchCandidate(
                kind=candidate.kind.kind,
                name=BilingualText(zh=candidate.kind.zh, en=candidate.kind.en),
                score=candidate.score,
                reason=candidate.reason,
            )
            for candidate in proposal.candidates
        ],
    )
