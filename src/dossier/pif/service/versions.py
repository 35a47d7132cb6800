"""Versions: snapshots of the file as it stood on a day. Commits nothing."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from uuid import UUID

import orjson

from dossier import __version__
from dossier.activity.service import ActivityService
from dossier.core.clock import now
from dossier.core.database import Session
from dossier.core.findings import finding_json
from dossier.core.pagination import PageParams, Slice
from dossier.core.reads import TenantReader
from dossier.core.tenancy import Actor
from dossier.documents.constants import CitationKind
from dossier.documents.facts.record import facts_of
from dossier.documents.facts.types import FactState
from dossier.documents.models import Document
from dossier.documents.service import DocumentsService
from dossier.pif import gateway
from dossier.pif.constants import Market
from dossier.pif.exceptions import VersionNotFoundError
from dossier.pif.models import PifVersion
from dossier.pif.schemas import PifSnapshot, item_members
from dossier.pif.service.board import Board, read_board
from dossier.products.models import (
    FormulaLine,
    FormulaVersion,
    Product,
    ProductDocument,
)
from dossier.products.service.formulas import FormulaService
from dossier.products.service.products import ProductsService

VERSION_ROLES = ("owner", "admin", "editor", "assessor")
"""Roles that may freeze a version."""

_NOT_CONTENT = ("version_number", "created_at", "as_of", "generator")
"""Members that differ although nothing about the product does."""

_PRODUCT = (
    "id",
    "code",
    "name_zh",
    "name_en",
    "category",
    "dosage_form",
    "use",
    "body_site",
    "population",
    "intended_use",
    "usage",
    "sites",
    "holder",
    "markets",
    "aliases",
    "exempt_materials",
)

_LINE = (
    "position",
    "phase",
    "trade_name",
    "supplier",
    "inci",
    "cas",
    "ec",
    "function",
    "percent_text",
    "percent_lower",
    "percent_upper",
    "is_qs",
)

# The strongest reason comes first where a document is linked more than once.
_MATCHED_BY = ("stated", "user", "filename", "content")


@dataclass(frozen=True, slots=True)
class VersionResult:
    """A version, and whether the content called for a new one."""

    version: PifVersion
    created: bool


class VersionsService:
    """The versions of one organisation's files."""

    def __init__(
        self,
        session: Session,
        actor: Actor,
        products: ProductsService,
        formulas: FormulaService,
        documents: DocumentsService,
    ) -> None:
        self._session = session
        self._actor = actor
        self._products = products
        self._formulas = formulas
        self._documents = documents
        self._activity = ActivityService(session, actor)

    async def snapshot_version(
        self, product_id: UUID, market: Market = "tw", as_of: date | None = None
    ) -> VersionResult:
        """Freeze the file as it stands; the same content is the same version.

        Without `as_of` validity is judged on the present day.
        """
        self._actor.require(*VERSION_ROLES)
        product = await self._products.lock_product(product_id)
        org_id = self._actor.org_id
        number = 1 + await gateway.last_number_for_org(
            self._session, org_id, product_id, market
        )
        snapshot = await self._snapshot(product, market, number, as_of)
        stored = snapshot.model_dump(mode="json")
        sha256 = content_sha256(stored)
        known = await gateway.find_version_by_content_for_org(
            self._session, org_id, product_id, market, sha256
        )
        if known is not None:
            return VersionResult(known, created=False)
        version = PifVersion(
            org_id=org_id,
            product_id=product_id,
            market=market,
            number=number,
            sha256=sha256,
            snapshot=stored,
        )
        await gateway.add_version(self._session, version)
        await self._documents.cite(
            (UUID(each["document_id"]) for each in stored["evidence"]),
            CitationKind.PIF_VERSION,
            version.id,
            product_id=product_id,
            number=number,
        )
        await self._activity.record(
            "create",
            "pif_version",
            version.id,
            details={"product_id": str(product_id), "number": number, "sha256": sha256},
        )
        return VersionResult(version, created=True)

    async def _snapshot(
        self, product: Product, market: Market, number: int, as_of: date | None
    ) -> PifSnapshot:
        reader = TenantReader(self._session, self._actor)
        board = await read_board(reader, product.id, market, as_of)
        await gateway.keep_finding_days_for_org(
            self._session,
            self._actor.org_id,
            product.id,
            market,
            {each.id for each in board.findings},
            board.as_of,
        )
        findings = [
            replace(each, since=each.since or board.as_of) for each in board.findings
        ]
        links = await self._products.list_links(product.id)
        linked = [
            await self._documents.get_document(document_id)
            for document_id in dict.fromkeys(link.document_id for link in links)
        ]
        documents = [each for each in linked if each.archived_at is None]
        formula = await self._formulas.latest(product.id)
        lines = await self._formulas.lines_of(formula) if formula else ()
        return PifSnapshot.model_validate(
            {
                "market": market,
                "version_number": number,
                "created_at": now(),
                "as_of": board.as_of,
                "product": product_members(product, board),
                "completeness": board.completeness,
                "items": [item_members(item) for item in board.items],
                "formula": formula and formula_members(formula, lines),
                "findings": [finding_json(finding) for finding in findings],
                "evidence": [evidence_members(each, links) for each in documents],
                "generator": {"name": "dossier", "version": __version__},
            }
        )

    async def get_version(
        self, product_id: UUID, number: int, market: Market = "tw"
    ) -> PifVersion:
        """Return one version by its number, or raise."""
        await self._products.get_product(product_id)
        version = await gateway.get_version_for_org(
            self._session, self._actor.org_id, product_id, market, number
        )
        if version is None:
            raise VersionNotFoundError(number)
        return version

    async def get_version_by_id(self, version_id: UUID) -> PifVersion:
        """Return one version by its key, or raise."""
        version = await gateway.get_version_by_id_for_org(
            self._session, self._actor.org_id, version_id
        )
        if version is None:
            raise VersionNotFoundError(version_id)
        return version

    async def list_versions(
        self, product_id: UUID, page: PageParams, market: Market = "tw"
    ) -> Slice[PifVersion]:
        """Return versions without their snapshots, the newest first."""
        await self._products.get_product(product_id)
        return await gateway.list_versions_for_org(
            self._session, self._actor.org_id, product_id, market, page
        )


def content_sha256(stored: dict[str, Any]) -> str:
    """Return the hash of the content of a version.

    Canonical: keys sorted, no spaces, UTF-8, decimals and instants as text.
    """
    content = {k: v for k, v in stored.items() if k not in _NOT_CONTENT}
    content["findings"] = [
        {k: v for k, v in finding.items() if k != "since"}
        for finding in stored["findings"]
    ]
    text = orjson.dumps(content, option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(text).hexdigest()


def product_members(product: Product, board: Board) -> dict[str, Any]:
    """Return a product as a snapshot keeps it."""
    category = board.category
    return {name: getattr(product, name) for name in _PRODUCT} | {
        "category_zh": category.name_zh,
        "category_en": category.name_en,
        "tfda_category": category.tfda_category_zh,
        "phase_in_on": category.phase_in_on,
    }


def formula_members(
    formula: FormulaVersion, lines: Sequence[FormulaLine]
) -> dict[str, Any]:
    """Return a formula version as a snapshot keeps it."""
    return {
        "number": formula.number,
        "sheet": formula.sheet,
        "filename": formula.filename,
        "sha256": formula.sha256,
        "total_lower": formula.total_lower,
        "total_upper": formula.total_upper,
        "tolerance": formula.tolerance,
        "lines": [
            {name: getattr(line, name) for name in _LINE}
            | {"cell": line.place.get("cell")}
            for line in lines
        ],
        "notes": formula.notes,
    }


def evidence_members(
    document: Document, links: Sequence[ProductDocument]
) -> dict[str, Any]:
    """Return a linked document as a snapshot keeps it."""
    own = [link for link in links if link.document_id == document.id]
    record = document.record
    first = min(own, key=lambda link: _MATCHED_BY.index(link.matched_by))
    return {
        "document_id": document.id,
        "filename": document.filename,
        "sha256": document.sha256,
        "size_bytes": document.size_bytes,
        "media_type": document.media_type,
        "items": sorted({link.item for link in own}),
        "matched_by": first.matched_by,
        "reason": first.reason,
        "kind": record and record["kind"]["kind"],
        "text_state": document.text_state,
        "facts": [
            {
                "name": name,
                "value": fact.value,
                "raw": fact.raw,
                "page": fact.page,
                "cell": fact.cell,
            }
            for name, facts in (facts_of(record) if record else {}).items()
            for fact in facts
            if fact.state is FactState.READ
        ],
    }
