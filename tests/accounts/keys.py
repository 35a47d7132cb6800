"""Rows and requests of API keys."""

from typing import Any
from uuid import UUID

from sqlalchemy import select, update

from dossier.accounts.models import ApiKey
from dossier.activity.models import ActivityEvent
from dossier.core.database import SessionFactory, system_transaction, tenant_transaction

KEYS = "/api/v1/api-keys"
ME = "/api/v1/users/me"
PROBES = "/api/v1/products"
PRODUCT = {
    "name_en": "Rose Cream",
    "category": "face_cream",
    "use": "leave_on",
    "holder": {"name": "Rose Maison"},
}
MAKE = {"name": "Nightly import", "scopes": ["read", "write"]}


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


async def stored(sessions: SessionFactory, key_id: str) -> ApiKey:
    async with system_transaction(sessions) as session:
        key = await session.get(ApiKey, UUID(key_id))
    assert key is not None
    return key


async def change(sessions: SessionFactory, table: Any, **values: Any) -> None:
    async with system_transaction(sessions) as session:
        await session.execute(update(table).values(**values))


async def activity_log(sessions: SessionFactory, org_id: UUID) -> list[ActivityEvent]:
    query = select(ActivityEvent).order_by(ActivityEvent.id)
    async with tenant_transaction(sessions, org_id) as session:
        return list(await session.scalars(query))
