"""The central retrieval service: a knowledge base for each product, ids kept by us."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from dossier.core.database import SessionFactory, tenant_transaction
from dossier.jobs.kinds import declare
from dossier.jobs.types import JobKind
from dossier.sources.constants import (
    CENTRAL_PATIENCE,
    CREATE_BASE_TASK,
    MAX_BASES,
    PUSH_DOCUMENT_TASK,
    CentralPaper,
)
from dossier.sources.gateway import bases as gateway
from dossier.sources.gateway import copies
from dossier.sources.ports import CentralService

declare(JobKind(CREATE_BASE_TASK, max_failures=CENTRAL_PATIENCE))
declare(JobKind(PUSH_DOCUMENT_TASK, max_failures=CENTRAL_PATIENCE))


@dataclass(frozen=True, slots=True)
class CentralHit:
    """A passage of the central service."""

    title: str
    text: str
    score: float
    reference: str | None


class CentralRetrieval:
    """One organisation's part of the central service.

    Which bases are asked is read from our own table: no id of that service is ever
    taken from a client. No transaction is open while the service is asked.
    """

    def __init__(
        self, sessions: SessionFactory, org_id: UUID, service: CentralService
    ) -> None:
        self._sessions = sessions
        self._org_id = org_id
        self._service = service

    async def search(
        self, text: str, limit: int, product_id: UUID | None = None
    ) -> list[CentralHit]:
        """Return the best passages on a product, or on all of them."""
        base_ids = await self._base_ids(product_id)
        if not base_ids:
            return []
        found = await self._service.query(str(self._org_id), base_ids, text, limit)
        return [
            CentralHit(each.title, each.text, each.score, each.reference)
            for each in found[:limit]
        ]

    async def ensure_base(self, product_id: UUID) -> str:
        """Return what the service calls a product's base; make it where there is none.

        Safe to repeat: the service is told our own id, and the first base counts.
        """
        known = await self._base_ids(product_id)
        if known:
            return known[0]
        made = await self._service.create_base(
            str(self._org_id), f"product {product_id}", str(product_id)
        )
        async with tenant_transaction(self._sessions, self._org_id) as session:
            await gateway.add_base(session, self._org_id, product_id, made)
        return (await self._base_ids(product_id))[0]

    async def keep_document(
        self, document_id: UUID, paper: CentralPaper | None
    ) -> None:
        """Let a document lie in its products' bases as it is now, and nowhere else.

        `None`: nowhere at all. Safe to repeat: what has been done is written after each
        step, and giving or taking the same thing twice changes nothing.
        """
        held = await self._held(document_id)
        wanted = paper.product_ids if paper else frozenset[UUID]()
        for product_id in sorted(held.keys() - wanted):
            await self._remove(product_id, document_id)
        if paper is None:
            return
        for product_id in sorted(wanted):
            if held.get(product_id) != paper.revision:
                await self._push(product_id, document_id, paper)

    async def _push(
        self, product_id: UUID, document_id: UUID, paper: CentralPaper
    ) -> None:
        base_id = await self.ensure_base(product_id)
        await self._service.push_document(str(self._org_id), base_id, paper.document)
        async with tenant_transaction(self._sessions, self._org_id) as session:
            await copies.add_copy(
                session, self._org_id, document_id, product_id, paper.revision
            )

    async def _remove(self, product_id: UUID, document_id: UUID) -> None:
        for base_id in await self._base_ids(product_id):
            await self._service.remove_document(
                str(self._org_id), base_id, str(document_id)
            )
        async with tenant_transaction(self._sessions, self._org_id) as session:
            await copies.remove_copy_for_org(
                session, self._org_id, document_id, product_id
            )

    async def _held(self, document_id: UUID) -> dict[UUID, int]:
        async with tenant_transaction(self._sessions, self._org_id) as session:
            return await copies.list_copies_for_org(session, self._org_id, document_id)

    async def _base_ids(self, product_id: UUID | None) -> Sequence[str]:
        async with tenant_transaction(self._sessions, self._org_id) as session:
            if product_id is None:
                return await gateway.list_remote_ids_for_org(
                    session, self._org_id, MAX_BASES
                )
            base = await gateway.get_base_for_org(session, self._org_id, product_id)
        return [] if base is None else [base.remote_id]
