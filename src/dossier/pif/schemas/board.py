"""The board, its decisions and its versions as clients send and see them."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from pydantic import Field

from dossier.core.schemas import RequestModel, ResponseModel
from dossier.pif.constants import DecisionKind
from dossier.pif.rules import BoardItem, BoardRequirement, Decision
from dossier.pif.schemas.snapshot import (
    FindingJson,
    PifSnapshot,
    SnapshotCompleteness,
    SnapshotItem,
)
from dossier.products.schemas import Paragraph


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


class BoardItemResponse(SnapshotItem):
    """One of the sixteen items, and the decision that it allows."""

    allows: DecisionKind | None


class BoardResponse(ResponseModel):
    """The sixteen items of a product's file for one market."""

    product_id: UUID
    market: str
    as_of: date
    phase_in_on: date | None
    completeness: SnapshotCompleteness
    items: list[BoardItemResponse]
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
    return {
        "number": item.rule.number,
        "title_zh": item.rule.title.zh,
        "title_en": item.rule.title.en,
        "article": item.rule.article,
        "state": item.state.value,
        "requirements": [_requirement(part) for part in item.requirements],
        "decision": _decision(item.decision),
    }


def _requirement(part: BoardRequirement) -> dict[str, Any]:
    return {
        "code": part.rule.code,
        "zh": part.rule.name.zh,
        "en": part.rule.name.en,
        "article": part.rule.article,
        "state": part.state.value,
        "documents": part.documents,
        "closes_by": part.rule.closes_by,
    }


def _decision(decision: Decision | None) -> dict[str, Any] | None:
    if decision is None:
        return None
    return {
        "kind": decision.kind.value,
        "reason": decision.reason,
        "actor_name": decision.actor_name,
        "at": decision.at,
    }
