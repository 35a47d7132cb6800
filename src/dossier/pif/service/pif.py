"""Use cases of the product information file. Commits nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from dossier.activity.service import ActivityService
from dossier.core.clock import now
from dossier.core.database import Session
from dossier.core.pagination import PageParams, Slice
from dossier.core.reads import TenantReader
from dossier.core.tenancy import Actor
from dossier.documents.constants import CitationKind
from dossier.documents.service import DocumentsService
from dossier.pif import gateway, rules
from dossier.pif.constants import DecisionKind, Market
from dossier.pif.exceptions import (
    DecisionNotAllowedError,
    DecisionNotFoundError,
    VersionNotFoundError,
)
from dossier.pif.models import PifDecision, PifVersion
from dossier.pif.schemas import MatchResponse, PifSnapshot
from dossier.pif.service.board import read_board
from dossier.pif.service.matches import Matcher
from dossier.pif.service.snapshot import (
    content_sha256,
    evidence_members,
    formula_members,
    make_snapshot,
    snapshot_json,
)
from dossier.products.models import Product
from dossier.products.service import FormulaService, ProductsService

DECIDERS = {
    DecisionKind.WAIVER: ("owner", "assessor"),
    DecisionKind.DECLARATION: ("owner", "admin", "editor"),
}
"""Roles that may state that an item needs no paper."""

MAKERS = ("owner", "admin", "editor", "assessor")
"""Roles that may freeze a version."""


@dataclass(frozen=True, slots=True)
class VersionResult:
    """A version, and whether the content called for a new one."""

    version: PifVersion
    created: bool


class PifService:
    """The product information files of one organisation."""

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

    async def declare(
        self, product_id: UUID, item: int, reason: str, market: Market = "tw"
    ) -> PifDecision:
        """State that an item is declared instead of shown by a paper."""
        return await self._decide(
            DecisionKind.DECLARATION, product_id, item, reason, market
        )

    async def waive(
        self, product_id: UUID, item: int, reason: str, market: Market = "tw"
    ) -> PifDecision:
        """State that a test report need not be made for this product."""
        return await self._decide(DecisionKind.WAIVER, product_id, item, reason, market)

    async def _decide(
        self,
        kind: DecisionKind,
        product_id: UUID,
        item: int,
        reason: str,
        market: Market,
    ) -> PifDecision:
        self._actor.require(*DECIDERS[kind])
        await self._products.lock_product(product_id)
        _check_allowed(kind, item, market)
        known = await self._decision(product_id, item, market)
        if known is not None and known.reason == reason:
            return known
        if known is not None:
            await gateway.delete_decision_for_org(
                self._session, self._actor.org_id, known.id
            )
        decision = PifDecision(
            org_id=self._actor.org_id,
            product_id=product_id,
            market=market,
            item=item,
            kind=kind,
            reason=reason,
            actor_id=self._actor.user_id,
            actor_name=self._actor.name,
        )
        await gateway.add_decision(self._session, decision)
        await self._record("update" if known else "create", decision)
        return decision

    async def revoke(
        self,
        product_id: UUID,
        item: int,
        kind: DecisionKind,
        market: Market = "tw",
    ) -> None:
        """Take a waiver or a declaration back."""
        self._actor.require(*DECIDERS[kind])
        await self._products.lock_product(product_id)
        decision = await self._decision(product_id, item, market)
        if decision is None or decision.kind != kind:
            raise DecisionNotFoundError(kind, item)
        await gateway.delete_decision_for_org(
            self._session, self._actor.org_id, decision.id
        )
        await self._record("delete", decision)

    async def propose_matches(
        self, product_id: UUID, document_ids: Sequence[UUID] | None = None
    ) -> list[MatchResponse]:
        """Say which items papers seem to serve; nothing is stored."""
        return await self._matcher(product_id).propose(document_ids)

    async def apply_matches(
        self, product_id: UUID, document_ids: Sequence[UUID] | None = None
    ) -> list[MatchResponse]:
        """Link papers to the items that they serve, where that is sure."""
        return await self._matcher(product_id).apply(document_ids)

    async def snapshot_version(
        self, product_id: UUID, market: Market = "tw"
    ) -> VersionResult:
        """Freeze the file as it stands; the same content is the same version."""
        self._actor.require(*MAKERS)
        product = await self._products.lock_product(product_id)
        org_id = self._actor.org_id
        number = 1 + await gateway.last_number_for_org(
            self._session, org_id, product_id, market
        )
        stored = snapshot_json(await self._snapshot(product, market, number))
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
        self, product: Product, market: Market, number: int
    ) -> PifSnapshot:
        reader = TenantReader(self._session, self._actor)
        board = await read_board(reader, product.id, market)
        links = await self._products.list_links(product.id)
        documents = [
            await self._documents.get_document(document_id)
            for document_id in dict.fromkeys(link.document_id for link in links)
        ]
        formula = await self._formulas.latest(product.id)
        lines = await self._formulas.lines_of(formula) if formula else ()
        return make_snapshot(
            board,
            product,
            formula_members(formula, lines) if formula else None,
            [evidence_members(document, links) for document in documents],
            number=number,
            at=now(),
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

    def _matcher(self, product_id: UUID) -> Matcher:
        return Matcher(self._products, self._documents, product_id)

    async def _decision(
        self, product_id: UUID, item: int, market: Market
    ) -> PifDecision | None:
        return await gateway.get_decision_for_org(
            self._session, self._actor.org_id, product_id, market, item
        )

    async def _record(self, action: str, decision: PifDecision) -> None:
        details = {
            "product_id": str(decision.product_id),
            "market": decision.market,
            "item": decision.item,
            "kind": str(decision.kind),
            "reason": decision.reason,
        }
        await self._activity.record(
            action, "pif_decision", decision.id, details=details
        )


def _check_allowed(kind: DecisionKind, item: int, market: str) -> None:
    items = rules.rulebook(market).items
    allowed = [rule.number for rule in items if rule.allows is kind]
    if item not in allowed:
        numbers = ", ".join(map(str, allowed))
        detail = f"A {kind.value} is possible for items {numbers}, not for {item}."
        raise DecisionNotAllowedError(detail)
