"""FastAPI dependencies of accounts, and the authenticators of both modes."""

from typing import Annotated, Final

from fastapi import Depends, Request

from dossier.accounts.rules import TOKEN_MARK
from dossier.accounts.service.api_keys import ApiKeysService
from dossier.accounts.service.members import AccountsService
from dossier.accounts.service.organisations import LOCAL_OWNER, OrganisationsService
from dossier.accounts.service.sign_in import (
    KeySignInService,
    Principal,
    RequestSource,
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
    credentials_of,
    token_key,
)
from dossier.core.tenancy import Actor
from dossier.core.web import (
    Authenticator,
    CurrentActor,
    RequestSession,
    Sessions,
)

_SCHEME: Final = "bearer "


async def origin_of(request: Request) -> RequestSource:
    """Return where a request comes from."""
    return RequestSource(
        address=request.scope.get(ADDRESS_KEY),
        user_agent=request.headers.get("user-agent"),
        request_id=bound().request_id,
    )


class TokenAuthenticator:
    """Authenticates by access token or API key, through a cache of some seconds.

    A key that was revoked, or whose maker was deactivated, is refused within the life
    of the cache (`DOSSIER_AUTH__PRINCIPAL_CACHE_S`).
    """

    def __init__(
        self,
        sign_in: SignInService,
        signer: TokenSigner,
        cache: PrincipalCache[Principal],
        keys: KeySignInService,
    ) -> None:
        self._sign_in = sign_in
        self._keys = keys
        self._signer = signer
        self._cache = cache

    async def __call__(self, request: Request, /) -> Actor:
        """Return the member whom the token belongs to."""
        credentials = credentials_of(dict(request.scope["headers"]))
        token = _token_in(credentials)
        if token is None:
            raise UnauthenticatedError
        key = token_key(credentials)
        principal = self._cache.get(key)
        if principal is None:
            if token.startswith(TOKEN_MARK):
                principal, expires_at_s = await self._keys.principal_of(token)
            else:
                claims = self._signer.verify(token)
                principal = await self._sign_in.principal_of(claims)
                expires_at_s = claims.expires_at_s
            self._cache.put(key, principal, expires_at_s)
        bind_actor(principal.org_id, principal.user_id, principal.api_key_id)
        principal.require_scope(request.method)
        return principal.actor(await origin_of(request))


def _token_in(credentials: bytes) -> str | None:
    text = credentials.decode("latin-1")
    is_bearer = text[: len(_SCHEME)].lower() == _SCHEME
    return text[len(_SCHEME) :].strip() if is_bearer else None


class LocalAuthenticator:
    """Open mode: a request that passes the loopback guard acts as the local owner.

    A request with an API key acts by that key, with its scopes and budgets, and is
    refused if the key is not valid. Other credentials are ignored.
    """

    def __init__(
        self, organisations: OrganisationsService, by_key: Authenticator
    ) -> None:
        self._organisations = organisations
        self._by_key = by_key
        self._has_organisation = False

    async def __call__(self, request: Request, /) -> Actor:
        """Return the owner of the local organisation."""
        token = _token_in(credentials_of(dict(request.scope["headers"])))
        if token is not None and token.startswith(TOKEN_MARK):
            return await self._by_key(request)
        origin = await origin_of(request)
        if not self._has_organisation:
            await self._organisations.ensure_local()
            self._has_organisation = True
        owner = LOCAL_OWNER.actor(origin)
        bind_actor(owner.org_id, owner.user_id)
        return owner


async def get_passwords(request: Request) -> Passwords:
    """Return the password hasher, which has threads of its own."""
    passwords: Passwords = request.app.state.passwords
    return passwords


async def get_signer(request: Request) -> TokenSigner:
    """Return the signer of access tokens."""
    signer: TokenSigner = request.app.state.signer
    return signer


PasswordThreads = Annotated[Passwords, Depends(get_passwords)]
Signer = Annotated[TokenSigner, Depends(get_signer)]


async def get_accounts_service(
    request: Request,
    session: RequestSession,
    actor: CurrentActor,
    activity: Activity,
    passwords: PasswordThreads,
) -> AccountsService:
    """Build the service from the request's transaction and actor."""
    forget = request.app.state.principals.clear
    return AccountsService(session, actor, activity, passwords, forget)


async def get_api_keys_service(
    request: Request, session: RequestSession, actor: CurrentActor, activity: Activity
) -> ApiKeysService:
    """Build the service from the request's transaction and actor."""
    forget = request.app.state.principals.clear
    return ApiKeysService(session, actor, activity, forget)


async def get_sign_in_service(
    sessions: Sessions, passwords: PasswordThreads, signer: Signer
) -> SignInService:
    """Build the log-in, which opens transactions of its own."""
    return SignInService(sessions, passwords, signer)


ApiKeys = Annotated[ApiKeysService, Depends(get_api_keys_service)]
Accounts = Annotated[AccountsService, Depends(get_accounts_service)]
SignIn = Annotated[SignInService, Depends(get_sign_in_service)]
RequestOrigin = Annotated[RequestSource, Depends(origin_of)]
