"""The board of a product: what it is computed from, and how clients see it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter

from dossier.core.clock import now
from dossier.core.findings import Finding, finding_json
from dossier.core.reads import Row, TenantReader
from dossier.documents.constants import WITH_TEXT, TextState
from dossier.documents.facts.folding import name_key
from dossier.documents.facts.record import facts_of, kind_of
from dossier.documents.facts.types import (
    MaterialIdentity,
    OtherProduct,
    ProductIdentity,
    SiteIdentity,
)
from dossier.documents.service import read_pages
from dossier.pif import gateway
from dossier.pif.constants import TAIPEI, DecisionKind, Market
from dossier.pif.rules.board import (
    BoardItem,
    Completeness,
    Decision,
    Evidence,
    EvidenceLink,
    board_items,
    completeness,
    filled_fields,
)
from dossier.pif.rules.coverage import is_material_data
from dossier.pif.rules.evidence import (
    Confirmation,
    ReadDocument,
    ReadingState,
    names_nothing,
)
from dossier.pif.rules.findings import board_findings
from dossier.pif.schemas import item_members
from dossier.products.categories import category_of
from dossier.products.exceptions import ProductNotFoundError
from dossier.products.service.products import formula_content
from dossier.products.types import Category

_FINDING = TypeAdapter(Finding)

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
"""Facts of a product that can meet a requirement."""


@dataclass(frozen=True, slots=True)
class BoardFormula:
    """The newest formula and what was chosen, left out and assumed in reading it."""

    number: int
    sheet: str
    filename: str
    notes: tuple[Mapping[str, Any], ...]


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
    formula: BoardFormula | None


def day_in_taipei(at: datetime) -> date:
    """Return the day on which an instant falls in Taipei."""
    return at.astimezone(TAIPEI).date()


async def read_board(
    reader: TenantReader,
    product_id: UUID,
    market: Market = "tw",
    as_of: date | None = None,
) -> Board:
    """Return the items of a product's file as they stand, or raise.

    Without `as_of`: on the present day in Taipei.
    """
    row = await gateway.read_board_for_org(reader, reader.org_id, product_id, market)
    if row is None:
        raise ProductNotFoundError(product_id)
    category = category_of(row["category"])
    evidence = await _with_texts(
        reader, _evidence(row, category, as_of or day_in_taipei(now()))
    )
    items = board_items(evidence, market)
    days = row["finding_days"]
    findings = tuple(
        replace(each, since=date.fromisoformat(days[each.id]))
        if each.id in days
        else each
        for each in board_findings(items, evidence, market)
    )
    return Board(
        product_id=product_id,
        market=market,
        as_of=evidence.as_of,
        category=category,
        items=items,
        completeness=completeness(items, findings),
        findings=findings,
        formula=_formula(row),
    )


def _formula(row: Row) -> BoardFormula | None:
    if row["formula_number"] is None:
        return None
    return BoardFormula(
        row["formula_number"],
        row["formula_sheet"],
        row["formula_filename"],
        tuple(row["formula_notes"]),
    )


def _evidence(row: Row, category: Category, as_of: date) -> Evidence:
    formula_findings = row["formula_findings"]
    return Evidence(
        as_of=as_of,
        phase_in_on=category.phase_in_on,
        filled=filled_fields({name: row[name] for name in _FACTS}),
        has_formula=formula_findings is not None,
        is_formula_undecided=not row["formula_lines"],
        formula_findings=tuple(map(finding_of, formula_findings or ())),
        links=tuple(
            EvidenceLink(
                UUID(link["document_id"]),
                link["item"],
                link["requirement"],
                link["formula"],
            )
            for link in row["links"]
        ),
        decisions=tuple(
            Decision(
                kind=DecisionKind(decision["kind"]),
                item=decision["item"],
                reason=decision["reason"],
                actor_name=decision["actor_name"],
                at=_instant(decision["at"]),
            )
            for decision in row["decisions"]
        ),
        documents=tuple(map(_document, row["documents"])),
        confirmations=tuple(
            Confirmation(
                **entry
                | {
                    "document_id": UUID(entry["document_id"]),
                    "at": _instant(entry["at"]),
                }
            )
            for entry in row["confirmations"]
        ),
        identity=_identity(row),
        formula_document_id=row["formula_document_id"],
        formula=formula_content(
            (
                line["inci"] or line["cas"] or line["trade_name"],
                Decimal(line["percent_lower"]),
                Decimal(line["percent_upper"]) if line["percent_upper"] else None,
                line["is_qs"],
            )
            for line in row["formula_lines"]
        ),
        formula_at=row["formula_at"],
        earlier_formulas=tuple(map(_document, row["earlier_formulas"])),
        site_steps=tuple(site["step"] for site in row["sites"]),
        exempt_materials={
            name_key(each["name"]): each["reason"] for each in row["exempt_materials"]
        },
    )


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def _document(row: Row) -> ReadDocument:
    record, state = row["record"], row["text_state"]
    reading = ReadingState.READ
    if state == TextState.UNREADABLE:
        reading = ReadingState.UNREADABLE
    elif state not in WITH_TEXT or record is None:
        reading = ReadingState.NOT_YET
    read_record = record if reading is ReadingState.READ else None
    return ReadDocument(
        document_id=UUID(row["id"]),
        filename=row["filename"],
        sha256=row["sha256"],
        reading=reading,
        kind=kind_of(read_record) if read_record else None,
        facts=dict(facts_of(read_record).items()) if read_record else {},
    )


def _identity(row: Row) -> ProductIdentity:
    """Return what documents of the product name, from its facts and formula."""
    lines = row["formula_lines"]
    return ProductIdentity(
        names=_stated(row["name_zh"], row["name_en"], *row["aliases"]),
        codes=_stated(row["code"]),
        materials=tuple(
            MaterialIdentity(
                trade_names=_stated(line["trade_name"]),
                inci_names=_stated(line["inci"]),
                cas_numbers=_stated(line["cas"]),
            )
            for line in lines
        ),
        sites=tuple(
            SiteIdentity(site["name"], site["address"]) for site in row["sites"]
        ),
        others=tuple(
            OtherProduct(_stated(name_zh, name_en, *aliases), _stated(code))
            for code, name_zh, name_en, aliases in row["others"]
        ),
    )


def _stated(*values: str | None) -> tuple[str, ...]:
    return tuple(value for value in values if value)


async def _with_texts(reader: TenantReader, evidence: Evidence) -> Evidence:
    """Add the texts of documents of which facts alone do not tell enough.

    Those that name no product in a labelled field, and those that may name materials.
    The texts of all documents would be megabytes.
    """
    silent = [each for each in evidence.documents if names_nothing(each)]
    data = [each for each in evidence.documents if is_material_data(each)]
    wanted = sorted({each.document_id for each in (*silent, *data)})
    if not wanted:
        return evidence
    texts = await read_pages(reader, wanted)
    documents = tuple(
        replace(each, pages=texts.get(each.document_id, ()))
        for each in evidence.documents
    )
    return replace(evidence, documents=documents)


def finding_of(stored: Mapping[str, Any]) -> Finding:
    """Return the finding that `finding_json` wrote."""
    members = {name: value for name, value in stored.items() if name != "id"}
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
        "formula": board.formula,
        "findings": [finding_json(finding) for finding in board.findings],
    }
