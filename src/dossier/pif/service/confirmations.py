"""Confirmations: a person answers for a document that was not read. Commits nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from uuid import UUID

from dossier.activity.service import ActivityService
from dossier.core.database import Session
from dossier.core.reads import TenantReader
from dossier.core.tenancy import Actor
from dossier.documents.service import DocumentsService
from dossier.pif import gateway
from dossier.pif.constants import (
    TAIPEI,
    DecisionKind,
    ItemState,
    JudgementCode,
    Market,
)
from dossier.pif.exceptions import (
    ConfirmationNotAllowedError,
    ConfirmationNotFoundError,
    ConfirmationRefusedError,
)
from dossier.pif.models import PifConfirmation
from dossier.pif.rules.board import SIGNED_REQUIREMENT
from dossier.pif.rules.items import rulebook
from dossier.pif.rules.messages import judgement_words
from dossier.pif.service.board import Board, read_board
from dossier.products.service.products import ProductsService

CONFIRMING_ROLES = ("owner", "admin", "editor")
"""Roles that may confirm that a document meets a requirement."""

SIGNED_ITEM_ROLES = ("owner", "assessor")
"""Roles that may confirm documents of the signatory's item."""


_COUNTS_BY_ITSELF = {
    JudgementCode.READ,
    JudgementCode.DECLARATION,
    JudgementCode.WAIVER_REASON,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class StatedConfirmation:
    """A confirmation as a folder's `product.yaml` states it."""

    item: int
    requirement: str | None
    document_id: UUID
    sha256: str
    reason: str
    by: str
    on: date
    formula: str | None = None


class ConfirmationsService:
    """The confirmations of one organisation's files."""

    def __init__(
        self,
        session: Session,
        actor: Actor,
        products: ProductsService,
        documents: DocumentsService,
    ) -> None:
        self._session = session
        self._actor = actor
        self._products = products
        self._documents = documents
        self._activity = ActivityService(session, actor)

    async def confirm(
        self,
        product_id: UUID,
        item: int,
        document_id: UUID,
        requirement: str | None,
        reason: str,
        market: Market = "tw",
    ) -> PifConfirmation:
        """State that a linked document meets an item, or a requirement of it."""
        self._actor.require(*roles_of(item, market))
        await self._products.lock_product(product_id)
        rules = rulebook(market).item(item).requirements
        if not any(r.documents and requirement in (None, r.code) for r in rules):
            detail = (
                f"{requirement} is no requirement of item {item} that documents meet."
                if requirement
                else f"Item {item} has no requirement that documents meet."
            )
            raise ConfirmationNotAllowedError(detail)
        document = await self._documents.get_evidence(document_id)
        reader = TenantReader(self._session, self._actor)
        board = await read_board(reader, product_id, market)
        if obstacle := _obstacle(board, item, document_id, requirement):
            detail = f"{document.filename} {obstacle}."
            raise ConfirmationRefusedError(detail)
        known = [
            each
            for each in await self._list(product_id, market)
            if (each.item, each.document_id, each.requirement)
            == (item, document_id, requirement)
        ]
        for each in known:
            is_same = (each.reason, each.sha256) == (reason, document.sha256)
            if is_same and not _is_outdated(board, item, document_id):
                return each
        await self._delete(known)
        confirmation = PifConfirmation(
            org_id=self._actor.org_id,
            product_id=product_id,
            market=market,
            item=item,
            requirement=requirement,
            document_id=document_id,
            sha256=document.sha256,
            reason=reason,
            is_stated=False,
            actor_id=self._actor.user_id,
            actor_name=self._actor.name,
        )
        await self._add("update" if known else "create", confirmation)
        return confirmation

    async def revoke(
        self,
        product_id: UUID,
        item: int,
        document_id: UUID | None = None,
        market: Market = "tw",
    ) -> None:
        """Take the confirmations of an item back, or those of one document."""
        self._actor.require(*roles_of(item, market))
        await self._products.lock_product(product_id)
        found = [
            each
            for each in await self._list(product_id, market)
            if each.item == item and document_id in (None, each.document_id)
        ]
        if not found:
            raise ConfirmationNotFoundError(item)
        await self._delete(found)
        for each in found:
            await self._record("delete", each)

    async def state(
        self,
        product_id: UUID,
        stated: Sequence[StatedConfirmation],
        market: Market = "tw",
    ) -> None:
        """Replace what `product.yaml` stated before; those made by the API stay.

        Nothing is refused: one that has no effect has a finding that says why.
        """
        for item in {each.item for each in stated}:
            self._actor.require(*roles_of(item, market))
        await self._products.lock_product(product_id)
        wanted = {
            (each.item, each.requirement, each.document_id): PifConfirmation(
                org_id=self._actor.org_id,
                product_id=product_id,
                market=market,
                item=each.item,
                requirement=each.requirement,
                document_id=each.document_id,
                sha256=each.sha256,
                reason=each.reason,
                formula=each.formula,
                is_stated=True,
                actor_id=None,
                actor_name=each.by,
                # The end of the day: a confirmation counts for a formula of that day.
                created_at=datetime.combine(each.on, time.max, TAIPEI),
            )
            for each in stated
        }
        for row in await self._list(product_id, market):
            target = (row.item, row.requirement, row.document_id)
            new = wanted.get(target)
            if not row.is_stated or (new and _content(new) == _content(row)):
                wanted.pop(target, None)
                continue
            await self._delete([row])
            if new is None:
                await self._record("delete", row)
        for confirmation in wanted.values():
            await self._add("create", confirmation)

    async def _list(
        self, product_id: UUID, market: Market
    ) -> Sequence[PifConfirmation]:
        return await gateway.list_confirmations_for_org(
            self._session, self._actor.org_id, product_id, market
        )

    async def _add(self, action: str, confirmation: PifConfirmation) -> None:
        await gateway.add_confirmation(self._session, confirmation)
        await self._record(action, confirmation)

    async def _delete(self, rows: Sequence[PifConfirmation]) -> None:
        await gateway.delete_confirmations_for_org(
            self._session, self._actor.org_id, [each.id for each in rows]
        )

    async def _record(self, action: str, confirmation: PifConfirmation) -> None:
        details = {
            "product_id": str(confirmation.product_id),
            "market": confirmation.market,
            "item": confirmation.item,
            "requirement": confirmation.requirement,
            "document_id": str(confirmation.document_id),
            "sha256": confirmation.sha256,
            "reason": confirmation.reason,
            "formula": confirmation.formula,
            "by": confirmation.actor_name,
        }
        await self._activity.record(
            action, "pif_confirmation", confirmation.id, details=details
        )


def roles_of(item: int, market: Market = "tw") -> tuple[str, ...]:
    """Return the roles that may confirm documents of an item."""
    signed = rulebook(market).item_of(SIGNED_REQUIREMENT).number
    return SIGNED_ITEM_ROLES if item == signed else CONFIRMING_ROLES


def _content(row: PifConfirmation) -> tuple[str | datetime | None, ...]:
    return row.sha256, row.reason, row.actor_name, row.created_at, row.formula


def _obstacle(
    board: Board, item: int, document_id: UUID, requirement: str | None
) -> str | None:
    """Return why a document cannot be confirmed, as the end of a sentence about it.

    The reason of a waiver stands in 16(1), which is not linked to the waived item.
    """
    row = board.items[item - 1]
    own = [
        (each.state, judgement)
        for each in row.requirements
        if requirement in (None, each.rule.code)
        for judgement in each.judgements
        if judgement.document.document_id == document_id
    ]
    judgements = [judgement for _, judgement in own]
    if row.rule.allows is DecisionKind.WAIVER:
        judgements += [
            judgement
            for other in board.items
            for each in other.requirements
            if each.rule.code == SIGNED_REQUIREMENT
            for judgement in each.judgements
            if judgement.document.document_id == document_id
        ]
    if not judgements:
        return f"is not linked to {requirement or f'item {item}'}"
    # What documents cover together may still be open where each of them counts.
    if own and all(
        state is judgement.state and judgement.code in _COUNTS_BY_ITSELF
        for state, judgement in own
    ):
        return f"counts as {own[0][0]} already, by what was read in it"
    for judgement in judgements:
        if judgement.code is JudgementCode.FORMULA_CHANGED:
            continue  # the person who confirms has seen the change
        if judgement.state is None or judgement.state is ItemState.STALE:
            return judgement_words(judgement).en
    return None


def _is_outdated(board: Board, item: int, document_id: UUID) -> bool:
    """Return whether the formula has changed since a document was confirmed."""
    return any(
        judgement.code is JudgementCode.FORMULA_CHANGED
        for requirement in board.items[item - 1].requirements
        for judgement in requirement.judgements
        if judgement.document.document_id == document_id
    )
