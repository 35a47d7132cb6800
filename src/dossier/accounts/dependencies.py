"""Wiring of accounts, and the two ways of finding out who is asking."""

from typing import Annotated

from fastapi import Depends, Request

from dossier.accounts.service import (
    LOCAL_OWNER,
    AccountReads,
    AccountsService,
    OrganisationsService,
    Origin,
    Principal,
    SignInService,
)
from dossier.activity.dependencies import Activity
from dossier.core.errors import UnauthenticatedError
from dossier.core.logging import bind_actor, bound
from dossier.core.middleware import ADDRESS_KEY
from dossier.core.security import (
    Passwords,
    PrincipalCache,
    TokenSigner,
    token_key,
)
from dossier.core.tenancy import Actor
from dossier.core.web import CurrentActor, HotReads, RequestSession, Sessions

_SCHEME = "bearer "


async def origin_of(request: Request) -> Origin:
    """Return where a request comes from."""
    return Origin(
        address=request.scope.get(ADDRESS_KEY),
        user_agent=request.headers.get("user-agent"),
        request_id=bound().request_id,
    )


class TokenAuthenticator:
    """Knows a member by an access token; looks each up once in some seconds."""

    def __init__(
        self,
        sign_in: SignInService,
        signer: TokenSigner,
        cache: PrincipalCache[Principal],
    ) -> None:
        self._sign_in = sign_in
        self._signer = signer
        self._cache = cache

    async def __call__(self, request: Request, /) -> Actor:
        """Return the member whom the token belongs to."""
        credentials = request.headers.get("authorization", "")
        if credentials[: len(_SCHEME)].lower() != _SCHEME:
            raise UnauthenticatedError
        principal = await self._principal(credentials)
        bind_actor(principal.org_id, principal.user_id)
        return principal.actor(await origin_of(request))

    async def _principal(self, credentials: str) -> Principal:
        key = token_key(credentials.encode("latin-1"))
        known = self._cache.get(key)
        if known is not None:
            return known
        claims = self._signer.verify(credentials[len(_SCHEME) :].strip())
        principal = await self._sign_in.principal_of(claims)
        self._cache.put(key, principal, claims.expires_at_s)
        return principal


class LocalAuthenticator:
    """Open mode: whoever passes the loopback guard is this machine's owner."""

    def __init__(self, organisations: OrganisationsService) -> None:
        self._organisations = organisations
        self._has_organisation = False

    async def __call__(self, request: Request, /) -> Actor:
        """Return the owner of the local organisation."""
        origin = await origin_of(request)
        if not self._has_organisation:
            await self._organisations.ensure_local()
            self._has_organisation = True
        owner = LOCAL_OWNER.actor(origin)
        bind_actor(owner.org_id, owner.user_id)
        return owner


async def get_passwords(request: Request) -> Passwords:
    """Return the threads that hash."""
    passwords: Passwords = request.app.state.passwords
    return passwords


async def get_signer(request: Request) -> TokenSigner:
    """Return what signs tokens."""
    signer: TokenSigner = request.app.state.signer
    return signer


PasswordThreads = Annotated[Passwords, Depends(get_passwords)]
Signer = Annotated[TokenSigner, Depends(get_signer)]


async def get_accounts_service(
    session: RequestSession,
    actor: CurrentActor,
    activity: Activity,
    passwords: PasswordThreads,
) -> AccountsService:
    """Build the service from the request's transaction and actor."""
    return AccountsService(session, actor, activity, passwords)


async def get_account_reads(reads: HotReads, actor: CurrentActor) -> AccountReads:
    """Build the hot reads, which take a connection for one statement each."""
    return AccountReads(reads, actor)


ReadAccounts = Annotated[AccountReads, Depends(get_account_reads)]


async def get_sign_in_service(
    sessions: Sessions, passwords: PasswordThreads, signer: Signer
) -> SignInService:
    """Build the log-in, which opens transactions of its own."""
    return SignInService(sessions, passwords, signer)


Accounts = Annotated[AccountsService, Depends(get_accounts_service)]
SignIn = Annotated[SignInService, Depends(get_sign_in_service)]
RequestOrigin = Annotated[Origin, Depends(origin_of)]
