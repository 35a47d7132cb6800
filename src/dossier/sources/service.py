"""Use cases of outside sources: rates of hosts, central retrieval."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from dossier.core.database import SessionFactory, system_transaction, tenant_transaction
from dossier.integrations.rag.models import RemotePassage
from dossier.jobs.kinds import declare
from dossier.jobs.types import JobKind
from dossier.sources import gateway
from dossier.sources.constants import (
    CENTRAL_MAX_FAILURES,
    CREATE_BASE_TASK,
    MAX_BASES,
    PUSH_DOCUMENT_TASK,
)
from dossier.sources.types import CentralDocument

if TYPE_CHECKING:  # its HTTP client is imported only where a service is set
    from dossier.integrations.rag.client import RagClient

declare(JobKind(CREATE_BASE_TASK, max_failures=CENTRAL_MAX_FAILURES))
declare(JobKind(PUSH_DOCUMENT_TASK, max_failures=CENTRAL_MAX_FAILURES))


class SourceRates:
    """Limits how often a host is called, over all processes."""

    def __init__(self, sessions: SessionFactory) -> None:
        self._sessions = sessions

    async def wait_for_turn(self, host: str, interval_s: float) -> None:
        """Return once the host may be called: at most once in `interval_s`.

        The turn is reserved in a short transaction; none is open while it waits.
        """
        async with system_transaction(self._sessions) as session:
            wait_s = await gateway.take_turn_for_system(
                session, host, timedelta(seconds=interval_s)
            )
        if wait_s > 0:
            await asyncio.sleep(wait_s)


class CentralRetrieval:
    """One organisation's knowledge bases in the central service, one per product.

    Which bases are searched is read from our own table: no id of that service is ever
    taken from a client. No transaction is open during a call to the service.
    """

    def __init__(
        self, sessions: SessionFactory, org_id: UUID, service: "RagClient"
    ) -> None:
        self._sessions = sessions
        self._org_id = org_id
        self._service = service

    async def search(
        self, text: str, limit: int, product_id: UUID | None = None
    ) -> list[RemotePassage]:
        """Return the best passages on a product, or on all of them."""
        base_ids = await self._base_ids(product_id)
        if not base_ids:
            return []
        return await self._service.query(str(self._org_id), base_ids, text, limit)

    async def ensure_base(self, product_id: UUID) -> str:
        """Return the service's id of a product's base; create it where there is none.

        Safe to repeat: our own id is sent along, and the base stored first counts.
        """
        known = await self._base_ids(product_id)
        if known:
            return known[0]
        created = await self._service.create_base(
            str(self._org_id), f"product {product_id}", str(product_id)
        )
        async with tenant_transaction(self._sessions, self._org_id) as session:
            await gateway.add_base(session, self._org_id, product_id, created)
        return (await self._base_ids(product_id))[0]

    async def sync_document(
        self, document_id: UUID, document: CentralDocument | None
    ) -> None:
        """Keep a document in its products' bases as it is now, and in no other base.

        `None`: in no base at all. Safe to repeat: each step is stored once it is done,
        and pushing or removing the same thing twice changes nothing.
        """
        async with tenant_transaction(self._sessions, self._org_id) as session:
            stored = await gateway.list_copies_for_org(
                session, self._org_id, document_id
            )
        wanted = document.product_ids if document else frozenset[UUID]()
        tenant = str(self._org_id)
        for product_id in sorted(stored.keys() - wanted):
            for base_id in await self._base_ids(product_id):
                await self._service.remove_document(tenant, base_id, str(document_id))
            async with tenant_transaction(self._sessions, self._org_id) as session:
                await gateway.remove_copy_for_org(
                    session, self._org_id, document_id, product_id
                )
        if document is None:
            return
        for product_id in sorted(wanted):
            if stored.get(product_id) == document.revision:
                continue
            base_id = await self.ensure_base(product_id)
            await self._service.push_document(tenant, base_id, document.document)
            async with tenant_transaction(self._sessions, self._org_id) as session:
                await gateway.add_copy(
                    session, self._org_id, document_id, product_id, document.revision
                )

    async def _base_ids(self, product_id: UUID | None) -> Sequence[str]:
        async with tenant_transaction(self._sessions, self._org_id) as session:
            if product_id is None:
                return await gateway.list_remote_ids_for_org(
                    session, self._org_id, MAX_BASES
                )
            base = await gateway.get_base_for_org(session, self._org_id, product_id)
        return [] if base is None else [base.remote_id]
