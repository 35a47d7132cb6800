"""Organisations and users for tests."""

from typing import Any
from uuid import UUID

from sqlalchemy import text

from dossier.accounts.constants import Role
from dossier.accounts.models import Membership, User
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


async def make_user(sessions: SessionFactory, org_id: UUID, **overrides: Any) -> User:
    """Insert a user with a membership; nobody can log in as the user."""
    values = {"email": "someone@example.com", "name": "Someone"} | overrides
    role = values.pop("role", Role.VIEWER)
    user = User(password_hash=None, **values)
    member = Membership(org_id=org_id, user=user, role=role)
    async with system_transaction(sessions) as session:
        session.add(user)
        await session.flush()
        session.add(member)
    return user
