"""The board of a product: what it is computed from, and how clients see it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter

from dossier.core.clock import now
from dossier.core.findings import Finding, finding_json
from dossier.core.reads import Row, TenantReader
from dossier.documents.constants import TextState
from dossier.documents.facts.identity import judge_identity
from dossier.documents.facts.record import facts_of, kind_of
from dossier.documents.facts.types import (
    FactName,
    FactState,
    IdentityState,
    MaterialIdentity,
    OtherProduct,
    PageText,
    ProductIdentity,
    SiteIdentity,
)
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
from dossier.pif.rules.evidence import Confirmation, LinkedDocument, Material
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
    findings = board_findings(items, evidence, market)
    return Board(
        product_id=product_id,
        market=market,
        as_of=evidence.as_of,
        category=category,
        items=items,
        completeness=completeness(items, findings),
        findings=findings,
    )


def _evidence(row: Row, category: Category, as_of: date) -> Evidence:
    links, decisions = row.pop("links"), row.pop("decisions")
    formula_findings = row.pop("formula_findings")
    lines, others = row.pop("materials"), row.pop("other_products")
    confirmations = row.pop("confirmations")
    materials = _materials(lines)
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
        documents=_documents(links, _identity(row, materials, others)),
        confirmations=tuple(
            Confirmation(
                item=each["item"],
                requirement=each["requirement"],
                document_id=UUID(each["document_id"]),
                sha256=each["sha256"],
                reason=each["reason"],
                actor_name=each["actor_name"],
                confirmed_on=date.fromisoformat(each["confirmed_on"]),
            )
            for each in confirmations
        ),
        materials=materials,
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


def _materials(lines: Iterable[Sequence[str | None]]) -> tuple[Material, ...]:
    """Return the raw materials of a formula: lines of one trade name are one."""
    grouped: dict[str, list[Sequence[str | None]]] = {}
    for trade_name, inci, cas in lines:
        name = trade_name or inci or cas
        if name:
            grouped.setdefault(name, []).append((trade_name, inci, cas))
    return tuple(
        Material(
            name=name,
            trade_name=rows[0][0],
            inci_names=tuple(row[1] for row in rows if row[1]),
            cas_numbers=tuple(row[2] for row in rows if row[2]),
        )
        for name, rows in grouped.items()
    )


def _identity(
    row: Row,
    materials: Iterable[Material],
    others: Iterable[Sequence[str | None]],
) -> ProductIdentity:
    """Return what a document must name in order to be about this product."""
    return ProductIdentity(
        names=tuple(name for name in (row["name_zh"], row["name_en"]) if name),
        codes=(row["code"],) if row["code"] else (),
        materials=tuple(
            MaterialIdentity(
                trade_names=(each.trade_name,) if each.trade_name else (),
                inci_names=each.inci_names,
                cas_numbers=each.cas_numbers,
            )
            for each in materials
        ),
        sites=tuple(
            SiteIdentity(site["name"], site.get("address") or "")
            for site in row["sites"] or ()
        ),
        others=tuple(
            OtherProduct(
                names=tuple(name for name in names if name),
                codes=(code,) if code else (),
            )
            for code, *names in others
        ),
    )


def _documents(
    links: Iterable[Mapping[str, Any]], product: ProductIdentity
) -> dict[UUID, LinkedDocument]:
    """Return the linked documents with their identity.

    Credentials must name the signatory of an assessment of this product, so they are
    judged last.
    """
    found: dict[UUID, LinkedDocument] = {}
    signers: list[str] = []
    for link in sorted(links, key=_is_of_credentials):
        document = _document(link, replace(product, signers=tuple(signers)))
        found[document.document_id] = document
        identity = document.identity
        is_own = identity and identity.state is IdentityState.THIS_PRODUCT
        if document.kind == "assessment" and is_own and document.facts:
            names = document.facts.get(FactName.SIGNER_NAME, ())
            signers += [fact.value for fact in names if fact.state is FactState.READ]
    return found


def _is_of_credentials(link: Mapping[str, Any]) -> bool:
    record = link["record"]
    return record is not None and record["kind"]["kind"] == "credentials"


def _document(link: Mapping[str, Any], product: ProductIdentity) -> LinkedDocument:
    record = link["record"]
    kind = kind_of(record).kind if record else None
    facts = facts_of(record) if record else None
    opening = [PageText(1, record["opening"])] if record else []
    return LinkedDocument(
        document_id=UUID(link["document_id"]),
        filename=link["filename"],
        sha256=link["sha256"],
        text_state=TextState(link["text_state"]),
        identity=judge_identity(kind, facts, product, opening) if facts else None,
        kind=kind,
        facts=facts,
        cells=frozenset(record.get("cells", ())) if record else frozenset(),
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
