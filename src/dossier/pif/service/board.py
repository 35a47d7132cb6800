"""The board of a product: what it is computed from, and how clients see it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter

from dossier.core.clock import now
from dossier.core.findings import Finding, finding_json
from dossier.core.reads import Row, TenantReader
from dossier.pif import gateway
from dossier.pif.constants import DecisionKind, Market
from dossier.pif.rules.board import (
    BoardItem,
    Completeness,
    Decision,
    Evidence,
    EvidenceLink,
    board_findings,
    board_items,
    completeness,
    filled_fields,
)
from dossier.pif.schemas import item_members
from dossier.products.exceptions import ProductNotFoundError
from dossier.products.service import category_of
from dossier.products.types import Category

TAIPEI = timezone(timedelta(hours=8))
"""Days of law begin at midnight in Taipei, all the year round."""

_FINDING = TypeAdapter(Finding)


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """The items of one product's file on one day."""

    product_id: UUID
    market: str
    as_of: date
    category: Category
    items: tuple[BoardItem, ...]
    completeness: Completeness
    findings: tuple[Finding, ...]


def day_in_taipei(at: datetime) -> date:
    """Return the day on which an instant falls in Taipei."""
    return at.astimezone(TAIPEI).date()


async def read_board(
    reader: TenantReader, product_id: UUID, market: Market = "tw"
) -> Board:
    """Return the items of a product's file as they stand today, or raise."""
    row = await gateway.read_board_for_org(reader, reader.org_id, product_id, market)
    if row is None:
        raise ProductNotFoundError(product_id)
    category = category_of(row["category"])
    evidence = _evidence(row, category, day_in_taipei(now()))
    items = board_items(evidence, market)
    return Board(
        product_id=product_id,
        market=market,
        as_of=evidence.as_of,
        category=category,
        items=items,
        completeness=completeness(items),
        findings=board_findings(items, evidence, market),
    )


def _evidence(row: Row, category: Category, as_of: date) -> Evidence:
    links, decisions = row.pop("links"), row.pop("decisions")
    formula_findings = row.pop("formula_findings")
    return Evidence(
        as_of=as_of,
        phase_in_on=category.phase_in_on,
        filled=filled_fields(row),
        has_formula=formula_findings is not None,
        formula_findings=tuple(map(finding_of, formula_findings or ())),
        links=tuple(
            EvidenceLink(UUID(link["document_id"]), link["item"], link["requirement"])
            for link in links
        ),
        decisions=tuple(
            Decision(
                kind=DecisionKind(decision["kind"]),
                item=decision["item"],
                reason=decision["reason"],
                actor_name=decision["actor_name"],
                at=datetime.fromisoformat(decision["at"]).astimezone(UTC),
            )
            for decision in decisions
        ),
    )


def finding_of(stored: Mapping[str, Any]) -> Finding:
    """Return the finding that `finding_json` wrote."""
    members = dict(stored)
    if place := members.get("place"):
        members["place"] = place | {"box_pt": place.get("box")}
    return _FINDING.validate_python(members)


def board_members(board: Board) -> dict[str, Any]:
    """Return the members of a board as clients see it."""
    return {
        "product_id": board.product_id,
        "market": board.market,
        "as_of": board.as_of,
        "phase_in_on": board.category.phase_in_on,
        "completeness": board.completeness,
        "items": [
            item_members(item) | {"allows": item.rule.allows} for item in board.items
        ],
        "findings": [finding_json(finding) for finding in board.findings],
    }
