"""Queries on what a probe found; of no organisation, readable by all."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from dossier.ai.models import AiServers
from dossier.core.database import Session


async def get_servers_for_system(
    session: Session, fingerprint: str
) -> AiServers | None:
    """Return what was found under a configuration; any role may read it."""
    query = select(AiServers).where(AiServers.fingerprint == fingerprint)
    return (await session.scalars(query)).one_or_none()


async def add_servers(session: Session, values: dict[str, Any]) -> None:
    """Store what was found, in place of what was found before."""
    statement = insert(AiServers).values(values)
    changed = {name: statement.excluded[name] for name in values}
    await session.execute(
        statement.on_conflict_do_update(index_elements=["fingerprint"], set_=changed)
    )
