from uuid import UUID, uuid4

import httpx2
import pytest
from fastapi import FastAPI
from sqlalchemy import select, update
from tests.accounts.conftest import PASSWORD, LogIn, MakeMember
from typing_extensions import override

from dossier.accounts.models import Membership
from dossier.activity.models import ActivityEvent
from dossier.core.database import SessionFactory, tenant_transaction
from dossier.core.security import MEMORY_KIB, TIME_COST, Passwords, TokenSigner


async def login_events(sessions: SessionFactory, org_id: UUID) -> list[str]:
    query = select(ActivityEvent.status).where(ActivityEvent.action == "login")
    async with tenant_transaction(sessions, org_id) as session:
        return list(await session.scalars(query))


async def test_password_is_exchanged_for_a_token_that_opens_the_api(
    web: httpx2.AsyncClient, org_id: UUID, make_member: MakeMember, log_in: LogIn
) -> None:
    member = await make_member(org_id)

    answer = await log_in("MEI@Example.com")
    me = await web.get("/api/v1/users/me")

    body = answer.json()
    assert body.keys() == {"access_token", "token_type", "expires_in"}
    assert (body["token_type"], body["expires_in"]) == ("bearer", 900)
    assert answer.headers["cache-control"] == "no-store"
    assert me.json()["id"] == str(member.user_id)


async def test_log_in_is_recorded(
    sessions: SessionFactory, org_id: UUID, make_member: MakeMember, log_in: LogIn
) -> None:
    await make_member(org_id)

    await log_in()
    await log_in(password="not the right one")

    assert sorted(await login_events(sessions, org_id)) == ["failure", "success"]


async def test_wrong_password_and_unknown_address_get_the_same_answer(
    org_id: UUID, make_member: MakeMember, log_in: LogIn
) -> None:
    await make_member(org_id)

    wrong = await log_in(password="not the right one")
    unknown = await log_in("nobody@example.com")

    assert wrong.status_code == unknown.status_code == 401
    assert wrong.json()["type"] == "/problems/invalid-credentials"
    ids = ("request_id",)
    assert {k: v for k, v in wrong.json().items() if k not in ids} == {
        k: v for k, v in unknown.json().items() if k not in ids
    }


class Counted(Passwords):
    """Counts what is hashed; time would tell less, and less reliably."""

    def __init__(self) -> None:
        super().__init__()
        self.checked: list[str] = []

    @override
    def _check(self, encoded: str, password: str) -> bool:
        self.checked.append(encoded)
        return super()._check(encoded, password)


@pytest.mark.parametrize("is_active", [True, False])
async def test_log_in_costs_one_hash_for_known_and_unknown_addresses(
    login_app: FastAPI,
    sessions: SessionFactory,
    org_id: UUID,
    make_member: MakeMember,
    log_in: LogIn,
    *,
    is_active: bool,
) -> None:
    login_app.state.passwords = counted = Counted()
    await make_member(org_id)
    async with tenant_transaction(sessions, org_id) as session:
        await session.execute(update(Membership).values(is_active=is_active))

    await log_in()
    await log_in(password="not the right one")
    await log_in("nobody@example.com")
    await log_in(organisation_id=str(uuid4()))
    counted.close()

    prices = {encoded.rsplit("$", 2)[0] for encoded in counted.checked}
    assert len(counted.checked) == 4
    assert prices == {f"$argon2id$v=19$m={MEMORY_KIB},t={TIME_COST},p=1"}


async def test_log_in_to_another_organisation_is_refused(
    org_id: UUID, make_member: MakeMember, log_in: LogIn
) -> None:
    await make_member(org_id)

    answer = await log_in(organisation_id=str(uuid4()))

    assert answer.json()["type"] == "/problems/invalid-credentials"


async def test_deactivated_member_cannot_log_in(
    sessions: SessionFactory, org_id: UUID, make_member: MakeMember, log_in: LogIn
) -> None:
    await make_member(org_id)
    async with tenant_transaction(sessions, org_id) as session:
        await session.execute(update(Membership).values(is_active=False))

    answer = await log_in()

    assert answer.status_code == 401
    assert await login_events(sessions, org_id) == ["failure"]


@pytest.mark.usefixtures("forgetful_app")
async def test_token_of_a_deactivated_member_stops_working(
    web: httpx2.AsyncClient,
    sessions: SessionFactory,
    org_id: UUID,
    make_member: MakeMember,
    log_in: LogIn,
) -> None:
    await make_member(org_id)
    await log_in()
    assert (await web.get("/api/v1/users/me")).status_code == 200

    async with tenant_transaction(sessions, org_id) as session:
        await session.execute(update(Membership).values(is_active=False))
    answer = await web.get("/api/v1/users/me")

    assert answer.status_code == 401
    assert answer.json()["type"] == "/problems/invalid-token"
    assert answer.headers["www-authenticate"] == "Bearer"


async def test_verified_token_is_not_looked_up_again_for_some_seconds(
    web: httpx2.AsyncClient,
    sessions: SessionFactory,
    org_id: UUID,
    make_member: MakeMember,
    log_in: LogIn,
) -> None:
    await make_member(org_id)
    await log_in()
    await web.get("/api/v1/users/me")

    async with tenant_transaction(sessions, org_id) as session:
        await session.execute(update(Membership).values(is_active=False))
    answer = await web.get("/api/v1/users/me")

    assert answer.status_code == 200


async def test_token_signed_by_somebody_else_is_refused(
    web: httpx2.AsyncClient, org_id: UUID, make_member: MakeMember
) -> None:
    member = await make_member(org_id)
    foreign = TokenSigner(b"x" * 32, 900).issue(member.user_id, org_id)

    answer = await web.get(
        "/api/v1/users/me", headers={"authorization": f"Bearer {foreign}"}
    )

    assert answer.json()["type"] == "/problems/invalid-token"


async def test_token_does_not_open_another_organisation(
    login_app: FastAPI,
    web: httpx2.AsyncClient,
    org_id: UUID,
    other_org_id: UUID,
    make_member: MakeMember,
) -> None:
    member = await make_member(org_id)
    token = login_app.state.signer.issue(member.user_id, other_org_id)

    answer = await web.get(
        "/api/v1/users/me", headers={"authorization": f"Bearer {token}"}
    )

    assert answer.json()["type"] == "/problems/invalid-token"


async def test_open_mode_needs_no_log_in(web: httpx2.AsyncClient) -> None:
    answer = await web.get("/api/v1/users/me")

    assert answer.status_code == 401
    assert answer.json()["type"] == "/problems/unauthenticated"


async def test_password_never_appears_in_an_answer(
    org_id: UUID, make_member: MakeMember, web: httpx2.AsyncClient, log_in: LogIn
) -> None:
    await make_member(org_id)

    answers = [await log_in(), await web.get("/api/v1/users")]

    for answer in answers:
        assert PASSWORD not in answer.text
        assert "argon2" not in answer.text
        assert "hash" not in answer.text


async def test_unknown_address_is_logged_without_naming_it(
    log_in: LogIn, caplog: pytest.LogCaptureFixture
) -> None:
    await log_in("nobody@example.com")

    [record] = [r for r in caplog.records if r.message == "accounts.login.refused"]
    assert "nobody@example.com" not in str(vars(record))
