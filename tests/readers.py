"""A reader for tests, whose sessions share one connection and outer transaction."""

from typing import Any
from uuid import UUID

from fastapi import Request
from typing_extensions import override

from dossier.core.database import SessionFactory, tenant_transaction
from dossier.core.reads import Row, TenantReader, TenantSelect
from dossier.core.tenancy import Actor
from dossier.core.web import CurrentActor


class SharingReader(TenantReader):
    """Reads in a transaction of the shared connection: it sees what is uncommitted."""

    def __init__(self, sessions: SessionFactory, actor: Actor) -> None:
        super().__init__(sessions, actor)
        self._sessions = sessions

    @override
    async def rows(
        self, wanted: TenantSelect, org_id: UUID, **values: Any
    ) -> list[Row]:
        async with tenant_transaction(self._sessions, self.org_id) as session:
            reader = TenantReader(session, self.actor)
            return await reader.rows(wanted, org_id, **values)


async def sharing_reader(request: Request, actor: CurrentActor) -> TenantReader:
    """Replace `get_reader` in the app of a test."""
    return SharingReader(request.app.state.sessions, actor)
