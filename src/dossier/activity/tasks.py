"""Timers of the activity log: seals what is pending, in transactions of their own."""

from uuid import UUID

from dossier.activity import gateway
from dossier.activity.service import SEAL_BATCH, ActivityService
from dossier.core.database import (
    SessionFactory,
    system_transaction,
    tenant_transaction,
)
from dossier.core.tenancy import Actor


async def seal_all(sessions: SessionFactory) -> int:
    """Seal what is pending in every organisation; return how many events."""
    async with system_transaction(sessions) as session:
        org_ids = await gateway.list_orgs_with_pending_for_system(session)
    return sum([await seal_org(sessions, org_id) for org_id in org_ids])


async def seal_org(sessions: SessionFactory, org_id: UUID) -> int:
    """Seal one organisation's events, a batch per transaction.

    Safe to repeat and to run concurrently: an advisory lock admits one at a time.
    """
    total = 0
    while True:
        async with tenant_transaction(sessions, org_id) as session:
            sealed = await ActivityService(session, Actor.system(org_id)).seal()
        total += sealed
        if sealed < SEAL_BATCH:
            return total
