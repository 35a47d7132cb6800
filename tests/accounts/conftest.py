"""The app with its real log-in, and people to log in."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any
from uuid import UUID

import httpx2
import pytest
from fastapi import FastAPI
from tests.accounts.keys import KEYS, MAKE, bearer
from tests.conftest import ORG_ID
from tests.factories.accounts import make_organisation, make_user
from typing_extensions import override

from dossier import main
from dossier.accounts.constants import Role
from dossier.accounts.dependencies import TokenAuthenticator
from dossier.accounts.models import Membership, User
from dossier.accounts.service.organisations import OrganisationsService
from dossier.accounts.service.sign_in import (
    KeySignInService,
    KeyUses,
    Principal,
    SignInService,
)
from dossier.accounts.service.throttle import LoginThrottle
from dossier.core.database import SessionFactory, make_engine, make_sessions
from dossier.core.models import new_id
from dossier.core.security import Passwords, PrincipalCache
from dossier.core.settings import Settings

PASSWORD = "correct horse battery"

MakeMember = Callable[..., Awaitable[Membership]]
Enter = Callable[..., Awaitable[Membership]]
MakeKey = Callable[..., Awaitable[dict[str, Any]]]
LogIn = Callable[..., Awaitable[httpx2.Response]]


ByToken = Callable[[PrincipalCache[Principal]], TokenAuthenticator]


@pytest.fixture
def uses(sessions: SessionFactory) -> KeyUses:
    """Writes when it is told to: nothing runs beside a test."""
    return KeyUses(sessions, write_after_s=10**6)


@pytest.fixture
def by_token(app: FastAPI, sessions: SessionFactory, uses: KeyUses) -> ByToken:
    """Builds the real authenticator around a cache."""

    def build(cache: PrincipalCache[Principal]) -> TokenAuthenticator:
        passwords, signer = app.state.passwords, app.state.signer
        sign_in = SignInService(
            sessions, passwords, signer, LoginThrottle(sessions, allowed=5)
        )
        keys = KeySignInService(sessions, uses)
        return TokenAuthenticator(sign_in, signer, cache, keys)

    return build


@pytest.fixture
def login_app(app: FastAPI, by_token: ByToken) -> FastAPI:
    app.state.authenticator = by_token(app.state.principals)
    return app


@pytest.fixture
def forgetful_app(login_app: FastAPI, by_token: ByToken) -> FastAPI:
    """The same, looking each token up each time."""
    login_app.state.authenticator = by_token(PrincipalCache(0))
    return login_app


@pytest.fixture(scope="session")
async def password_hash() -> str:
    passwords = Passwords()
    encoded = await passwords.hash(PASSWORD)
    passwords.close()
    return encoded


class KnownHash(Passwords):
    """Hashes nothing anew: the one password of these tests is hashed already."""

    def __init__(self, encoded: str) -> None:
        super().__init__()
        self._encoded = encoded

    @override
    async def hash(self, password: str) -> str:
        return self._encoded if password == PASSWORD else await super().hash(password)


@pytest.fixture
def make_member(sessions: SessionFactory, password_hash: str) -> MakeMember:
    async def make(
        org_id: UUID, email: str = "mei@example.com", role: Role = Role.OWNER
    ) -> Membership:
        return await OrganisationsService(sessions).create_user(
            org_id,
            User(email=email, name="Mei", password_hash=None),
            role,
            password=PASSWORD,
            passwords=KnownHash(password_hash),
        )

    return make


@pytest.fixture
async def web(login_app: FastAPI) -> AsyncIterator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient(
        transport=httpx2.ASGITransport(app=login_app), base_url="http://localhost"
    ) as client:
        yield client


@pytest.fixture
def log_in(web: httpx2.AsyncClient) -> LogIn:
    """Logs the client in, where the answer is a token."""

    async def attempt(
        email: str = "mei@example.com", password: str = PASSWORD, **more: str
    ) -> httpx2.Response:
        body = {"email": email, "password": password} | more
        answer = await web.post("/api/v1/auth/login", json=body)
        if answer.status_code == httpx2.codes.OK:
            token = answer.json()["access_token"]
            web.headers["authorization"] = f"Bearer {token}"
        return answer

    return attempt


@pytest.fixture
def enter(
    login_app: FastAPI, web: httpx2.AsyncClient, org_id: UUID, make_member: MakeMember
) -> Enter:
    """Makes a member and lets the client act as that person."""

    async def make(role: Role = Role.OWNER, of: UUID = org_id) -> Membership:
        member = await make_member(of, f"{new_id()}@example.com", role)
        token = login_app.state.signer.issue(member.user_id, of)
        web.headers.update(bearer(token))
        return member

    return make


@pytest.fixture
def make_key(web: httpx2.AsyncClient) -> MakeKey:
    """Makes a key as whoever the client acts as."""

    async def make(*scopes: str, **more: Any) -> dict[str, Any]:
        body = MAKE | {"scopes": scopes or MAKE["scopes"]} | more
        answer = await web.post(KEYS, json=body)
        assert answer.status_code == httpx2.codes.CREATED, answer.text
        made: dict[str, Any] = answer.json()
        return made

    return make


@pytest.fixture
async def committed(fresh_database: str) -> AsyncIterator[SessionFactory]:
    engine = make_engine(fresh_database)
    sessions = make_sessions(engine)
    await make_organisation(sessions, id=ORG_ID, name="Rose Maison")
    yield sessions
    await engine.dispose()


class Owners:
    """Two owners, each at a web process of their own, over one database."""

    def __init__(self) -> None:
        self.ids: list[UUID] = []
        self.clients: list[httpx2.AsyncClient] = []


@pytest.fixture
async def owners(
    fresh_database: str, committed: SessionFactory, settings: Settings
) -> AsyncIterator[Owners]:
    database = settings.database.model_copy(update={"url": fresh_database})
    pair = Owners()
    async with AsyncExitStack() as stack:
        for name in ("mei", "lin"):
            user = await make_user(
                committed, ORG_ID, email=f"{name}@example.com", role=Role.OWNER
            )
            pair.ids.append(user.id)
            app = main.create_app(settings.model_copy(update={"database": database}))
            await stack.enter_async_context(app.router.lifespan_context(app))
            token = app.state.signer.issue(user.id, ORG_ID)
            client = httpx2.AsyncClient(
                transport=httpx2.ASGITransport(app=app),
                base_url="http://localhost",
                headers={"authorization": f"Bearer {token}"},
            )
            pair.clients.append(await stack.enter_async_context(client))
            # Until it listens, what it caches is dropped.
            await app.state.job_follower.listener.add("unused", lambda _: None)
            assert (await client.get("/api/v1/users")).is_success  # now it is cached
        yield pair
