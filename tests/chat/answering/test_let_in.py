"""Whoever would not be let in any more reads no further; the answer goes on."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from uuid import UUID

import httpx2
import pytest
from tests.accounts.keys import KEYS, MAKE, bearer
from tests.chat.answering.conftest import Chat, OpenChat
from tests.conftest import client_of
from tests.factories.accounts import make_user

from dossier.accounts.constants import Role
from dossier.accounts.dependencies import TokenAuthenticator
from dossier.accounts.models import User
from dossier.accounts.service import KeySignInService, KeyUses, SignInService
from dossier.chat.constants import ANSWER_JOB
from dossier.core.clock import now
from dossier.core.database import system_transaction, tenant_transaction
from dossier.core.models import new_id
from dossier.core.security import PrincipalCache, TokenSigner
from dossier.core.tenancy import Actor
from dossier.jobs.constants import JobState
from dossier.jobs.service import JobsService
from dossier.testing.model_server.script import Script
from dossier.testing.model_server.server import ScriptedModelServer

CODES = httpx2.codes
RECHECK_S = 0.2
SLOW = Script(reply_tokens=400, delay_per_token_ms=20)
"""An answer that is still being written when something happens to its reader."""


@dataclass
class House:
    """Chat with its real log-in, and two who are logged in."""

    chat: Chat
    ann: httpx2.AsyncClient
    boss: httpx2.AsyncClient
    user: User
    clock_s: list[float]
    run_ids: list[str] = field(default_factory=list)

    async def stream(self) -> tuple[str, asyncio.Task[httpx2.Response]]:
        """Have Ann ask, and read; return the run, and what she is shown at the end."""
        started = await self.ann.post(
            "/api/v1/chat",
            json={"message": "Tell me all", "grounding": "none"},
            headers={"prefer": "respond-async"},
        )
        self.run_ids.append(started.json()["id"])
        path = f"/api/v1/chat/runs/{started.json()['id']}"
        reading = asyncio.create_task(self.ann.get(f"{path}/events"))
        await asyncio.sleep(3 * RECHECK_S)
        assert not reading.done()
        return path, reading


@pytest.fixture
async def house(
    open_chat: OpenChat, model: ScriptedModelServer
) -> AsyncIterator[House]:
    chat = await open_chat(has_model=True, recheck_s=RECHECK_S)
    model.play(SLOW)
    people = [
        await make_user(
            chat.sessions, chat.org_id, email=f"{new_id()}@example.com", role=role
        )
        for role in (Role.EDITOR, Role.OWNER)
    ]
    state = chat.app.state
    clock_s = [time.time()]
    signer = TokenSigner(b"s" * 32, 900, lambda: clock_s[0])
    sign_in = SignInService(chat.sessions, state.passwords, signer)
    keys = KeySignInService(chat.sessions, KeyUses(chat.sessions, 10.0**6))
    state.authenticator = TokenAuthenticator(sign_in, signer, PrincipalCache(0), keys)
    ann, boss = (
        client_of(chat.app, signer.issue(each.id, chat.org_id)) for each in people
    )
    house = House(chat, ann, boss, people[0], clock_s)
    yield house
    for run_id in house.run_ids:  # no other test shall wait for it
        async with tenant_transaction(chat.sessions, chat.org_id) as session:
            jobs = JobsService(session, Actor.system(chat.org_id))
            await jobs.cancel_job_of_kind(UUID(run_id), ANSWER_JOB)
        await chat.wait(run_id)


async def deactivate(house: House) -> None:
    changed = await house.boss.patch(
        f"/api/v1/users/{house.user.id}", json={"is_active": False}
    )
    assert changed.status_code == CODES.OK


async def change_password(house: House) -> None:
    async with system_transaction(house.chat.sessions) as session:
        user = await session.get_one(User, house.user.id)
        user.credentials_changed_at = now().replace(year=now().year + 1)


async def let_the_token_end(house: House) -> None:
    house.clock_s[0] += 901


@pytest.mark.parametrize("event", [deactivate, change_password, let_the_token_end])
async def test_stream_ends_for_whoever_would_not_be_let_in_any_more(
    house: House, event: Callable[[House], Awaitable[None]]
) -> None:
    path, reading = await house.stream()

    await event(house)

    async with asyncio.timeout(3):
        shown = await reading
    assert "response.created" in shown.text
    assert "response.incomplete" not in shown.text
    assert "response.completed" not in shown.text
    refused = await house.ann.get(f"{path}/events")
    assert refused.status_code == CODES.UNAUTHORIZED
    run = await house.chat.job(house.run_ids[0])
    assert run.state is JobState.PROCESSING


async def test_stream_ends_with_the_api_key_that_asked_for_it(house: House) -> None:
    made = await house.boss.post(KEYS, json=MAKE)
    house.ann.headers.update(bearer(made.json()["token"]))
    _path, reading = await house.stream()

    revoked = await house.boss.delete(f"{KEYS}/{made.json()['id']}")

    async with asyncio.timeout(3):
        shown = await reading
    assert revoked.is_success
    assert "response.created" in shown.text
    assert "response.completed" not in shown.text


async def test_stream_of_whoever_is_still_welcome_goes_on(house: House) -> None:
    path, reading = await house.stream()

    await house.ann.post(f"{path}/cancel")

    async with asyncio.timeout(3):
        shown = await reading
    assert "response.incomplete" in shown.text
