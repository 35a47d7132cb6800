"""Rights that were lost a moment ago, in this process or in another one."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID, uuid4

import httpx2
import pytest
from sqlalchemy import update
from tests.accounts.conftest import Owners
from tests.accounts.keys import KEYS, MAKE, ME
from tests.conftest import ORG_ID
from tests.factories.chat import make_message

from dossier.accounts.constants import MAX_LIVE_KEYS, Role
from dossier.accounts.models import Membership
from dossier.core.database import SessionFactory, tenant_transaction

USERS = "/api/v1/users"
BUDGET = {"scope": "organisation", "window": "day", "cap_tokens": 1}
INVITED = {"email": "x@example.com", "name": "X", "role": "owner"}


async def until(check: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(1):
        while not await check():  # noqa: ASYNC110 - the other process notifies nobody
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("change", [{"role": "viewer"}, {"is_active": False}])
async def test_other_process_drops_a_changed_member_within_a_second(
    owners: Owners, change: dict[str, Any]
) -> None:
    mei, lin = owners.clients

    changed = await mei.patch(f"{USERS}/{owners.ids[1]}", json=change)

    async def is_refused() -> bool:
        return not (await lin.get(USERS)).is_success

    assert changed.is_success
    await until(is_refused)


async def test_key_that_was_revoked_is_refused_by_the_other_process(
    owners: Owners,
) -> None:
    mei, lin = owners.clients
    made = (await mei.post(KEYS, json=MAKE)).json()
    by_key = {"authorization": f"Bearer {made['token']}"}
    assert (await lin.get("/api/v1/products", headers=by_key)).is_success

    await mei.delete(f"{KEYS}/{made['id']}")

    async def is_refused() -> bool:
        answer = await lin.get("/api/v1/products", headers=by_key)
        return bool(answer.status_code == httpx2.codes.UNAUTHORIZED)

    await until(is_refused)


def steps(own_id: UUID) -> list[tuple[str, str, dict[str, Any] | None]]:
    return [
        ("POST", USERS, INVITED),
        ("PATCH", f"{USERS}/{own_id}", {"role": "owner", "is_active": True}),
        ("DELETE", f"/api/v1/invitations/{uuid4()}", None),
        ("PUT", "/api/v1/ai/budgets", BUDGET),
        ("DELETE", f"/api/v1/ai/budgets/{uuid4()}", None),
    ]


async def set_member(sessions: SessionFactory, user_id: UUID, **values: Any) -> None:
    """Change a member without dropping any cached principal."""
    async with tenant_transaction(sessions, ORG_ID) as session:
        await session.execute(
            update(Membership).where(Membership.user_id == user_id).values(**values)
        )


async def test_demoted_owner_whose_principal_is_cached_changes_nothing(
    owners: Owners, committed: SessionFactory
) -> None:
    _mei, lin = owners.clients
    await set_member(committed, owners.ids[1], role=Role.VIEWER)

    answers = [
        await lin.request(method, path, json=body)
        for method, path, body in steps(owners.ids[1])
    ]

    assert (await lin.get(USERS)).is_success  # still cached
    assert {answer.json()["type"] for answer in answers} == {"/problems/role-required"}


async def test_deactivated_member_whose_principal_is_cached_changes_nothing(
    owners: Owners, committed: SessionFactory
) -> None:
    _mei, lin = owners.clients
    room_id = (await make_message(committed, ORG_ID)).room_id
    await set_member(committed, owners.ids[1], is_active=False)

    answers = [
        await lin.request(method, path, json=body)
        for method, path, body in [
            *steps(owners.ids[1]),
            ("POST", KEYS, MAKE | {"scopes": ["admin"]}),
            ("DELETE", f"{KEYS}/{uuid4()}", None),
            ("POST", f"{KEYS}/{uuid4()}/rotate", None),
            ("PATCH", ME, {"name": "Lin"}),
            ("POST", f"/api/v1/chat/rooms/{room_id}/shares", {}),
            ("DELETE", f"/api/v1/chat/shares/{uuid4()}", None),
        ]
    ]

    assert {answer.json()["type"] for answer in answers} == {"/problems/invalid-token"}


async def test_change_waits_for_a_demotion_that_is_not_committed_yet(
    owners: Owners, committed: SessionFactory
) -> None:
    _mei, lin = owners.clients
    async with tenant_transaction(committed, ORG_ID) as session:
        await session.execute(
            update(Membership)
            .where(Membership.user_id == owners.ids[1])
            .values(role=Role.VIEWER)
        )
        inviting = asyncio.create_task(lin.post(USERS, json=INVITED))
        finished, _ = await asyncio.wait({inviting}, timeout=0.2)
        assert not finished

    answer = await inviting

    assert answer.json()["type"] == "/problems/role-required"


async def test_owners_who_demote_each_other_at_once_leave_one(owners: Owners) -> None:
    mei, lin = owners.clients
    demoted = {"role": "viewer"}

    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(mei.patch(f"{USERS}/{owners.ids[1]}", json=demoted)),
            group.create_task(lin.patch(f"{USERS}/{owners.ids[0]}", json=demoted)),
        ]

    assert sorted(task.result().status_code for task in tasks) == [200, 403]


async def test_invited_person_logs_in_by_address_where_there_is_one_organisation(
    owners: Owners,
) -> None:
    mei, lin = owners.clients
    invitation = (await mei.post(USERS, json=INVITED)).json()
    chosen = {"password": "a phrase of their own"}
    assert (await lin.post(invitation["url"], json=chosen)).is_success

    answer = await lin.post(
        "/api/v1/auth/login", json=chosen | {"email": INVITED["email"]}
    )

    assert answer.is_success


async def test_member_has_twenty_live_keys_at_most_also_when_asked_for_at_once(
    owners: Owners,
) -> None:
    mei, _lin = owners.clients

    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(mei.post(KEYS, json=MAKE))
            for _ in range(MAX_LIVE_KEYS + 3)
        ]
    answers = [task.result() for task in tasks]
    made = [answer.json() for answer in answers if answer.is_success]
    refused = {answer.json()["type"] for answer in answers if not answer.is_success}
    await mei.delete(f"{KEYS}/{made[0]['id']}")
    again = await mei.post(KEYS, json=MAKE)

    assert len(made) == MAX_LIVE_KEYS
    assert refused == {"/problems/api-key-limit"}
    assert again.is_success
