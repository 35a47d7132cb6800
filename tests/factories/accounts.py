"""Organisations and users for tests."""

from uuid import UUID

from sqlalchemy import text

from dossier.core.database import SessionFactory, system_transaction


async def make_organisation(sessions: SessionFactory, *, id: UUID, name: str) -> UUID:  # noqa: A002 - the column's name
    """Insert an organisation."""
    async with system_transaction(sessions) as session:
        if await session.scalar(text("select to_regclass('organisations')")):
            await session.execute(
                text(
                    "insert into organisations (id, created_at, name, kind) "
                    "values (:id, now(), :name, 'brand')"
                ),
                {"id": id, "name": name},
            )
    return id
