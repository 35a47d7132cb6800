"""Gathering what a board rests on, and the board of a product."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

from dossier.core.findings import Finding, finding_json
from dossier.pif import rules
from dossier.pif.constants import DecisionKind
from dossier.pif.models import PifDecision
from dossier.pif.schemas import BoardResponse, item_members
from dossier.pif.service.findings import finding_of
from dossier.products.models import FormulaVersion, Product, ProductDocument
from dossier.products.service import Category, category_of

TAIPEI = timezone(timedelta(hours=8))
"""Days of law begin at midnight in Taipei, all the year round."""

_FACTS = (
    "name_zh",
    "name_en",
    "category",
    "dosage_form",
    "body_site",
    "population",
    "intended_use",
    "usage",
    "sites",
    "holder",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """The rows that a board is computed from."""

    product: Product
    links: Sequence[ProductDocument]
    decisions: Sequence[PifDecision]
    formula: FormulaVersion | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """The items of one product's file on one day."""

    market: str
    as_of: date
    gathered: Gathered
    category: Category
    items: tuple[rules.BoardItem, ...]
    completeness: rules.Completeness
    findings: tuple[Finding, ...]


def day_in_taipei(at: datetime) -> date:
    """Return the day on which an instant falls in Taipei."""
    return at.astimezone(TAIPEI).date()


def board_of(gathered: Gathered, market: str, as_of: date) -> Board:
    """Compute the board."""
    category = category_of(gathered.product.category)
    evidence = _evidence(gathered, category, as_of)
    items = rules.board_items(evidence, market)
    return Board(
        market=market,
        as_of=as_of,
        gathered=gathered,
        category=category,
        items=items,
        completeness=rules.completeness(items),
        findings=rules.board_findings(items, evidence, market),
    )


def _evidence(gathered: Gathered, category: Category, as_of: date) -> rules.Evidence:
    formula = gathered.formula
    return rules.Evidence(
        as_of=as_of,
        phase_in_on=category.phase_in_on,
        filled=rules.filled_fields(_facts(gathered.product)),
        has_formula=formula is not None,
        formula_findings=_formula_findings(formula),
        links=tuple(
            rules.Link(link.document_id, link.item, link.requirement)
            for link in gathered.links
        ),
        decisions=tuple(decision_of(row) for row in gathered.decisions),
    )


def _facts(product: Product) -> dict[str, Any]:
    return {name: getattr(product, name) for name in _FACTS}


def _formula_findings(formula: FormulaVersion | None) -> tuple[Finding, ...]:
    if formula is None:
        return ()
    return tuple(finding_of(stored) for stored in formula.findings)


def decision_of(row: PifDecision) -> rules.Decision:
    """Return a stored decision as the rules take it."""
    return rules.Decision(
        kind=DecisionKind(row.kind),
        item=row.item,
        reason=row.reason,
        actor_name=row.actor_name,
        at=row.created_at,
    )


def board_response(board: Board) -> BoardResponse:
    """Return the board as clients see it."""
    return BoardResponse.model_validate(
        {
            "product_id": board.gathered.product.id,
            "market": board.market,
            "as_of": board.as_of,
            "phase_in_on": board.category.phase_in_on,
            "completeness": board.completeness,
            "items": [
                item_members(item) | {"allows": item.rule.allows}
                for item in board.items
            ],
            "findings": [finding_json(finding) for finding in board.findings],
        }
    )


def document_ids(gathered: Gathered) -> list[UUID]:
    """Return the papers that the file rests on, each once, in order of item."""
    return list(dict.fromkeys(link.document_id for link in gathered.links))
