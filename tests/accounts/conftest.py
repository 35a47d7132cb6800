"""The app with its real log-in, and people to log in."""

from collections.abc import AsyncIterator, Awaitable, Callable
from uuid import UUID

import httpx2
import pytest
from fastapi import FastAPI
from typing_extensions import override

from dossier.accounts.constants import Role
from dossier.accounts.dependencies import TokenAuthenticator
from dossier.accounts.models import Membership, User
from dossier.accounts.service import OrganisationsService, SignInService
from dossier.core.database import SessionFactory
from dossier.core.security import Passwords, PrincipalCache

PASSWORD = "correct horse battery"

MakeMember = Callable[..., Awaitable[Membership]]
LogIn = Callable[..., Awaitable[httpx2.Response]]


@pytest.fixture
def login_app(app: FastAPI, sessions: SessionFactory) -> FastAPI:
    state = app.state
    sign_in = SignInService(sessions, state.passwords, state.signer)
    state.authenticator = TokenAuthenticator(sign_in, state.signer, state.principals)
    return app


@pytest.fixture
def forgetful_app(login_app: FastAPI, sessions: SessionFactory) -> FastAPI:
    """The same, looking each token up each time."""
    state = login_app.state
    sign_in = SignInService(sessions, state.passwords, state.signer)
    state.authenticator = TokenAuthenticator(sign_in, state.signer, PrincipalCache(0))
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
