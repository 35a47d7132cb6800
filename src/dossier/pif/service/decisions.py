"""Decisions on items: waivers and declarations. Commits nothing."""

from uuid import UUID

from dossier.activity.service import ActivityService
from dossier.core.database import Session
from dossier.core.tenancy import Actor
from dossier.pif import gateway
from dossier.pif.constants import DecisionKind, Market
from dossier.pif.exceptions import DecisionNotAllowedError, DecisionNotFoundError
from dossier.pif.models import PifDecision
from dossier.pif.rules.items import rulebook
from dossier.products.service.products import ProductsService

DECISION_ROLES = {
    DecisionKind.WAIVER: ("owner", "assessor"),
    DecisionKind.DECLARATION: ("owner", "admin", "editor"),
}
"""Roles that may state that an item needs no document."""


class DecisionsService:
    """The waivers and declarations of one organisation's files."""

    def __init__(
        self, session: Session, actor: Actor, products: ProductsService
    ) -> None:
        self._session = session
        self._actor = actor
        self._products = products
        self._activity = ActivityService(session, actor)

    async def declare(
        self, product_id: UUID, item: int, reason: str, market: Market = "tw"
    ) -> PifDecision:
        """State that an item is declared instead of shown by a document."""
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
        self._actor.require(*DECISION_ROLES[kind])
        await self._products.lock_product(product_id)
        items = rulebook(market).items
        allowed = [rule.number for rule in items if rule.allows is kind]
        if item not in allowed:
            numbers = ", ".join(map(str, allowed))
            detail = f"A {kind.value} is possible for items {numbers}, not for {item}."
            raise DecisionNotAllowedError(detail)
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
        self._actor.require(*DECISION_ROLES[kind])
        await self._products.lock_product(product_id)
        decision = await self._decision(product_id, item, market)
        if decision is None or decision.kind != kind:
            raise DecisionNotFoundError(kind, item)
        await gateway.delete_decision_for_org(
            self._session, self._actor.org_id, decision.id
        )
        await self._record("delete", decision)

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
