"""Matches of papers to items as clients ask for and see them."""

from collections.abc import Sequence
from uuid import UUID

from pydantic import Field

from dossier.core.schemas import RequestModel, ResponseModel
from dossier.pif.constants import Outcome
from dossier.pif.rules import Candidate, Proposal, targets
from dossier.pif.schemas.snapshot import BilingualText
from dossier.products.constants import MatchedBy
from dossier.products.models import ProductDocument

MAX_MATCHED = 200
"""Papers that one request may have matched."""


class MatchRequest(RequestModel):
    """Have papers matched to the items by their names and words."""

    document_ids: list[UUID] | None = Field(
        None,
        max_length=MAX_MATCHED,
        description="Without it: the newest papers that no product rests on.",
    )
    apply: bool = Field(default=False, description="Link what is matched.")


class MatchTarget(ResponseModel):
    """An item, or a requirement of it."""

    item: int
    requirement: str | None


class MatchCandidate(ResponseModel):
    """A kind that a paper may be."""

    kind: str
    name: BilingualText
    score: int
    reason: str


class MatchResponse(ResponseModel):
    """What became of one paper, and why."""

    document_id: UUID
    filename: str
    outcome: Outcome
    serves: list[MatchTarget]
    matched_by: MatchedBy | None
    reason: str
    candidates: list[MatchCandidate]


class MatchList(ResponseModel):
    """What became of each paper."""

    items: list[MatchResponse]
    is_applied: bool


def match_response(
    proposal: Proposal, stated: Sequence[ProductDocument], hindrance: str | None
) -> MatchResponse:
    """Return what became of a paper; what a person stated goes first."""
    if stated:
        return _stated(proposal, stated)
    best = proposal.candidates[0] if proposal.serves else None
    return MatchResponse(
        document_id=proposal.paper.document_id,
        filename=proposal.paper.filename,
        outcome=proposal.outcome,
        serves=[MatchTarget.model_validate(t) for t in targets(proposal.serves)],
        matched_by=_matched_by(best) if best else None,
        reason=_reason(proposal, hindrance),
        candidates=[_candidate(candidate) for candidate in proposal.candidates],
    )


def _stated(proposal: Proposal, links: Sequence[ProductDocument]) -> MatchResponse:
    return MatchResponse(
        document_id=proposal.paper.document_id,
        filename=proposal.paper.filename,
        outcome=Outcome.STATED,
        serves=[MatchTarget.model_validate(link) for link in links],
        matched_by=MatchedBy(links[0].matched_by),
        reason=links[0].reason or "stated by a person",
        candidates=[],
    )


def _matched_by(candidate: Candidate) -> MatchedBy:
    return MatchedBy.FILENAME if candidate.by_name else MatchedBy.CONTENT


def _reason(proposal: Proposal, hindrance: str | None) -> str:
    said = _judgement(proposal)
    return f"{said}; {hindrance}" if hindrance else said


def _judgement(proposal: Proposal) -> str:
    if proposal.outcome is Outcome.MATCHED:
        return proposal.candidates[0].reason
    if proposal.outcome is Outcome.AMBIGUOUS:
        kinds = " or ".join(c.kind.en.lower() for c in proposal.candidates[:3])
        return f"could be {kinds}"
    return "too few known words in the file name and the text"


def _candidate(candidate: Candidate) -> MatchCandidate:
    return MatchCandidate(
        kind=candidate.kind.kind,
        name=BilingualText(zh=candidate.kind.zh, en=candidate.kind.en),
        score=candidate.score,
        reason=candidate.reason,
    )
