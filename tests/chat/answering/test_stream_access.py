"""A stream ends when its reader loses access; the answer is finished all the same."""

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
from dossier.accounts.service.sign_in import KeySignInService, KeyUses, SignInService
from dossier.accounts.service.throttle import LoginThrottle
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
RECHECK_S = 0.5
SLOW = Script(reply_tokens=400, delay_per_token_ms=20)
"""An answer that is still being written when something happens to its reader."""


@dataclass
class SignedInChat:
    """Chat with its real log-in, and two who are logged in."""

    chat: Chat
    ann: httpx2.AsyncClient
    boss: httpx2.AsyncClient
    user: User
    clock_s: list[float]
    run_ids: list[str] = field(default_factory=list)

    async def stream(self) -> tuple[str, asyncio.Task[httpx2.Response]]:
        """Let Ann ask and read; return the run's path, and the task that reads."""
        started = await self.ann.post(
            "/api/v1/chat",
            json={"message": "Tell me all", "grounding": "none"},
            headers={"prefer": "respond-async"},
        )
        self.run_ids.append(started.json()["id"])
        path = f"/api/v1/chat/runs/{started.json()['id']}"
        reading = asyncio.create_task(self.ann.get(f"{path}/events"))
        await asyncio.sleep(1.5 * RECHECK_S)
        assert not reading.done()
        return path, reading


@pytest.fixture
async def signed_in(
    open_chat: OpenChat, model: ScriptedModelServer
) -> AsyncIterator[SignedInChat]:
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
    sign_in = SignInService(
        chat.sessions, state.passwords, signer, LoginThrottle(chat.sessions, 0)
    )
    keys = KeySignInService(chat.sessions, KeyUses(chat.sessions, 10.0**6))
    state.authenticator = TokenAuthenticator(sign_in, signer, PrincipalCache(0), keys)
    ann, boss = (
        client_of(chat.app, signer.issue(each.id, chat.org_id)) for each in people
    )
    signed_in = SignedInChat(chat, ann, boss, people[0], clock_s)
    yield signed_in
    for run_id in signed_in.run_ids:  # the worker is shared with other tests
        async with tenant_transaction(chat.sessions, chat.org_id) as session:
            jobs = JobsService(session, Actor.system(chat.org_id))
            await jobs.cancel_job_of_kind(UUID(run_id), ANSWER_JOB)
        await chat.wait(run_id)


async def deactivate(signed_in: SignedInChat) -> None:
    changed = await signed_in.boss.patch(
        f"/api/v1/users/{signed_in.user.id}", json={"is_active": False}
    )
    assert changed.status_code == CODES.OK


async def change_password(signed_in: SignedInChat) -> None:
    async with system_transaction(signed_in.chat.sessions) as session:
        user = await session.get_one(User, signed_in.user.id)
        user.credentials_changed_at = now().replace(year=now().year + 1)


async def expire_token(signed_in: SignedInChat) -> None:
    signed_in.clock_s[0] += 901


@pytest.mark.parametrize("event", [deactivate, change_password, expire_token])
async def test_stream_ends_when_its_reader_loses_access(
    signed_in: SignedInChat, event: Callable[[SignedInChat], Awaitable[None]]
) -> None:
    path, reading = await signed_in.stream()

    await event(signed_in)

    async with asyncio.timeout(3):
        shown = await reading
    assert "response.created" in shown.text
    assert "response.incomplete" not in shown.text
    assert "response.completed" not in shown.text
    refused = await signed_in.ann.get(f"{path}/events")
    assert refused.status_code == CODES.UNAUTHORIZED
    run = await signed_in.chat.job(signed_in.run_ids[0])
    assert run.state is JobState.PROCESSING


async def test_stream_ends_when_its_api_key_is_revoked(signed_in: SignedInChat) -> None:
    made = await signed_in.boss.post(KEYS, json=MAKE)
    signed_in.ann.headers.update(bearer(made.json()["token"]))
    _path, reading = await signed_in.stream()

    revoked = await signed_in.boss.delete(f"{KEYS}/{made.json()['id']}")

    async with asyncio.timeout(3):
        shown = await reading
    assert revoked.is_success
    assert "response.created" in shown.text
    assert "response.completed" not in shown.text


async def test_stream_of_a_reader_with_access_continues_to_its_end(
    signed_in: SignedInChat,
) -> None:
    path, reading = await signed_in.stream()

    await signed_in.ann.post(f"{path}/cancel")

    async with asyncio.timeout(3):
        shown = await reading
    assert "response.incomplete" in shown.text
