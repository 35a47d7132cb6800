"""Several people of one organisation, each with a client."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from uuid import UUID

import httpx2
import pytest
from fastapi import FastAPI
from tests.conftest import KnownTokens, client_of
from tests.factories.accounts import make_user
from tests.factories.chat import make_room, member_of

from dossier.chat.constants import RoomKind
from dossier.core.database import SessionFactory
from dossier.core.tenancy import Actor


@dataclass(frozen=True, slots=True)
class Person:
    """A member of the organisation."""

    user_id: UUID
    actor: Actor
    client: httpx2.AsyncClient


async def person(
    sessions: SessionFactory, app: FastAPI, org_id: UUID, name: str
) -> Person:
    user = await make_user(sessions, org_id, name=name, email=f"{name}@example.com")
    actor = Actor(org_id=org_id, user_id=user.id, role="viewer", name=name)
    known = app.state.authenticator
    app.state.authenticator = KnownTokens({**known._actors, name: actor})  # noqa: SLF001 - the tests' own class
    return Person(user.id, actor, client_of(app, name))


@pytest.fixture
async def ann(
    sessions: SessionFactory, app: FastAPI, org_id: UUID
) -> AsyncIterator[Person]:
    ann = await person(sessions, app, org_id, "ann")
    async with ann.client:
        yield ann


@pytest.fixture
async def bob(
    sessions: SessionFactory, app: FastAPI, org_id: UUID
) -> AsyncIterator[Person]:
    bob = await person(sessions, app, org_id, "bob")
    async with bob.client:
        yield bob


@pytest.fixture
async def group(
    sessions: SessionFactory, org_id: UUID, client: httpx2.AsyncClient, ann: Person
) -> str:
    """A group room of Mei's with Ann in it."""
    room = await make_room(
        sessions, org_id, kind=RoomKind.GROUP, actor=member_of(org_id)
    )
    added = await client.post(
        f"/api/v1/chat/rooms/{room.id}/members", json={"user_id": str(ann.user_id)}
    )
    assert added.status_code == httpx2.codes.CREATED
    return str(room.id)
