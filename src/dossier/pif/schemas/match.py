"""Requests and responses of matching documents to items."""

from collections.abc import Sequence
from uuid import UUID

from pydantic import Field

from dossier.core.schemas import RequestModel, ResponseModel
from dossier.pif.constants import Outcome
from dossier.pif.rules import Proposal, targets
from dossier.pif.schemas.snapshot import BilingualText
from dossier.products.constants import MatchedBy
from dossier.products.models import ProductDocument

MAX_MATCHED = 200
"""Documents that one request may have matched."""


class MatchRequest(RequestModel):
    """Have documents matched to the items by their names and words."""

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
    outcome: Outcome
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
            document_id=proposal.paper.document_id,
            filename=proposal.paper.filename,
            outcome=Outcome.STATED,
            serves=[MatchTarget.model_validate(link) for link in stated],
            matched_by=MatchedBy(stated[0].matched_by),
            reason=stated[0].reason or "stated by a person",
            candidates=[],
        )
    matched_by = None
    if proposal.serves:
        by_name = proposal.candidates[0].by_name
        matched_by = MatchedBy.FILENAME if by_name else MatchedBy.CONTENT
    reason = _reason(proposal)
    return MatchResponse(
        document_id=proposal.paper.document_id,
        filename=proposal.paper.filename,
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


def _reason(proposal: Proposal) -> str:
    if proposal.outcome is Outcome.MATCHED:
        return proposal.candidates[0].reason
    if proposal.outcome is Outcome.AMBIGUOUS:
        kinds = " or ".join(c.kind.en.lower() for c in proposal.candidates[:3])
        return f"could be {kinds}"
    return "too few known words in the file name and the text"
