"""An API key spends on its own account, and its maker's."""

import asyncio
from typing import Any
from uuid import UUID

import httpx2
import pytest
from fastapi import FastAPI
from sqlalchemy import select, update
from tests.chat.answering.conftest import Chat

from dossier.accounts.constants import Role
from dossier.accounts.dependencies import TokenAuthenticator
from dossier.accounts.models import Membership
from dossier.accounts.service.sign_in import KeySignInService, KeyUses, SignInService
from dossier.accounts.service.throttle import LoginThrottle
from dossier.ai.models import AiCall
from dossier.core.database import SessionFactory, tenant_transaction
from dossier.jobs.models import Job
from dossier.testing.model_server.server import ScriptedModelServer

CHATS = "/v1/chat/completions"
WISH = {"message": "What do you think of roses?", "grounding": "none"}


def really_asking(app: FastAPI, sessions: SessionFactory) -> None:
    """Let the real authenticator find out who asks."""
    state = app.state
    state.authenticator = TokenAuthenticator(
        SignInService(
            sessions, state.passwords, state.signer, LoginThrottle(sessions, 0)
        ),
        state.signer,
        state.principals,
        KeySignInService(sessions, KeyUses(sessions, write_after_s=0)),
    )


@pytest.fixture
async def person(talking: Chat) -> Chat:
    """Chat as an owner who has logged in."""
    really_asking(talking.app, talking.sessions)
    async with tenant_transaction(talking.sessions, talking.org_id) as session:
        await session.execute(update(Membership).values(role=Role.OWNER))
    token = talking.app.state.signer.issue(talking.actor.user_id, talking.org_id)
    talking.client.headers["authorization"] = f"Bearer {token}"
    return talking


@pytest.fixture
async def api_key(person: Chat) -> dict[str, Any]:
    wanted = {"name": "Bot", "scopes": ["read", "write"]}
    made = await person.client.post("/api/v1/api-keys", json=wanted)
    key: dict[str, Any] = made.json()
    return key


async def cap(person: Chat, api_key: dict[str, Any], tokens: int) -> None:
    wanted = {"scope": "key", "subject_id": api_key["id"], "window": "day"}
    answer = await person.client.put(
        "/api/v1/ai/budgets", json=wanted | {"cap_tokens": tokens}
    )
    assert answer.status_code == httpx2.codes.OK, answer.text


async def ask(person: Chat, token: str | None = None) -> httpx2.Response:
    headers = {"authorization": f"Bearer {token}"} if token else None
    return await person.client.post("/api/v1/chat", json=WISH, headers=headers)


async def payers(person: Chat) -> list[UUID | None]:
    async with tenant_transaction(person.sessions, person.org_id) as session:
        query = select(AiCall.key_id).order_by(AiCall.created_at, AiCall.id)
        return list(await session.scalars(query))


async def test_exhausted_key_is_refused_while_its_maker_goes_on(
    person: Chat, api_key: dict[str, Any]
) -> None:
    await cap(person, api_key, 1)

    refused = await ask(person, api_key["token"])
    answered = await ask(person)

    assert refused.status_code == httpx2.codes.PAYMENT_REQUIRED
    assert refused.json()["limit"]["scope"] == "key"
    assert answered.status_code == httpx2.codes.OK, answered.text
    assert await payers(person) == [None]


async def test_call_with_a_key_is_the_keys_in_run_and_ledger(
    person: Chat, api_key: dict[str, Any], model: ScriptedModelServer
) -> None:
    await cap(person, api_key, 10**6)

    answered = await ask(person, api_key["token"])
    await person.client.delete(f"/api/v1/api-keys/{api_key['id']}")
    budgets = (await person.client.get("/api/v1/ai/budgets")).json()["items"]

    key_id = UUID(api_key["id"])
    async with tenant_transaction(person.sessions, person.org_id) as session:
        run = (await session.scalars(select(Job))).one()
    assert answered.status_code == httpx2.codes.OK, answered.text
    assert (run.actor_api_key_id, run.actor_user_id) == (key_id, person.actor.user_id)
    assert await payers(person) == [key_id] * model.calls.count(CHATS)
    assert budgets[0]["spent_tokens"] > 0


async def test_use_of_a_key_is_written_by_itself(
    person: Chat, api_key: dict[str, Any]
) -> None:
    path = f"/api/v1/api-keys/{api_key['id']}"

    async with asyncio.timeout(10):
        by_key = {"authorization": f"Bearer {api_key['token']}"}
        await person.client.get("/api/v1/users/me", headers=by_key)
        shown = await person.client.get(path)
        while shown.json()["last_used_at"] is None:
            shown = await person.client.get(path)
