"""Organisations and users for tests."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text

from dossier.accounts.constants import Role
from dossier.accounts.models import ApiKey, Invitation, Membership, User
from dossier.core.clock import now
from dossier.core.database import SessionFactory, system_transaction
from dossier.core.models import new_id


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
    user.org_id = org_id
    member = Membership(org_id=org_id, user=user, role=role)
    async with system_transaction(sessions) as session:
        session.add(user)
        await session.flush()
        session.add(member)
    return user


async def make_invitation(sessions: SessionFactory, org_id: UUID) -> Invitation:
    """Insert an invitation by a new owner; nobody has its token."""
    email = f"{new_id()}@example.com"
    owner = await make_user(sessions, org_id, email=email, role=Role.OWNER)
    invitation = Invitation(
        org_id=org_id,
        email="invited@example.com",
        name="Invited",
        role=Role.VIEWER,
        invited_by=owner.id,
        token_sha256="0" * 64,
        expires_at=now() + timedelta(days=1),
    )
    async with system_transaction(sessions) as session:
        session.add(invitation)
    return invitation


async def make_api_key(
    sessions: SessionFactory, org_id: UUID, **overrides: Any
) -> ApiKey:
    """Insert a key, and who made it unless `user_id` is given; nobody has its token."""
    values = {
        "name": "Nightly import",
        "scopes": ["read", "write"],
        "secret_sha256": "0" * 64,
    } | overrides
    if "user_id" not in values:
        maker = await make_user(sessions, org_id, email=f"{new_id()}@example.com")
        values["user_id"] = maker.id
    api_key = ApiKey(org_id=org_id, **values)
    async with system_transaction(sessions) as session:
        session.add(api_key)
    return api_key
