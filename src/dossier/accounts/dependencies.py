"""FastAPI dependencies of accounts, and the authenticators of both modes."""

from typing import Annotated, Final

from fastapi import Depends, Request

from dossier.accounts import rules
from dossier.accounts.constants import Scope
from dossier.accounts.service import rights
from dossier.accounts.service.api_keys import ApiKeysService
from dossier.accounts.service.invitations import AcceptanceService, InvitationsService
from dossier.accounts.service.members import AccountsService
from dossier.accounts.service.organisations import LOCAL_OWNER, OrganisationsService
from dossier.accounts.service.own_account import OwnAccountService
from dossier.accounts.service.sign_in import (
    KeySignInService,
    Principal,
    RequestSource,
    SignInService,
)
from dossier.accounts.service.throttle import LoginThrottle
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
    AppSettings,
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

    Every change of rights drops the cache here and, by NOTIFY, in other processes. One
    that does not listen at that moment is late by the life of an entry at most
    (`DOSSIER_AUTH__PRINCIPAL_CACHE_S`).
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
            generation = self._cache.generation
            if token.startswith(rules.TOKEN_MARK):
                principal, expires_at_s = await self._keys.principal_of(token)
            else:
                claims = self._signer.verify(token)
                principal = await self._sign_in.principal_of(claims)
                expires_at_s = claims.expires_at_s
            self._cache.put(key, principal, expires_at_s, generation)
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
        if token is not None and token.startswith(rules.TOKEN_MARK):
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


async def get_throttle(sessions: Sessions, settings: AppSettings) -> LoginThrottle:
    """Return the throttle of password guesses."""
    return LoginThrottle(sessions, settings.limits.wrong_passwords)


async def get_current_rights(
    request: Request, session: RequestSession, actor: CurrentActor
) -> Actor:
    """Return the actor with the rights of this moment, which hold until the commit.

    For services that change users, roles, keys, budgets or links: the principal may be
    some seconds old. Reads take no lock.
    """
    if rules.scope_for(request.method) is Scope.READ:
        return actor
    return await rights.confirm(session, actor)


ConfirmedActor = Annotated[Actor, Depends(get_current_rights, scope="function")]
"""As `CurrentActor`, with role and activity read again under lock for a change."""

PasswordThreads = Annotated[Passwords, Depends(get_passwords)]
Signer = Annotated[TokenSigner, Depends(get_signer)]
Throttle = Annotated[LoginThrottle, Depends(get_throttle)]


async def get_accounts_service(
    request: Request,
    session: RequestSession,
    actor: ConfirmedActor,
    activity: Activity,
) -> AccountsService:
    """Build the service from the request's transaction and actor."""
    forget = request.app.state.principals.clear
    return AccountsService(session, actor, activity, forget)


async def get_own_account_service(
    request: Request,
    sessions: Sessions,
    actor: CurrentActor,
    passwords: PasswordThreads,
    throttle: Throttle,
) -> OwnAccountService:
    """Build the service, which opens transactions of its own."""
    forget = request.app.state.principals.clear
    return OwnAccountService(sessions, actor, passwords, throttle, forget)


async def get_invitations_service(
    session: RequestSession, actor: ConfirmedActor, activity: Activity
) -> InvitationsService:
    """Build the service from the request's transaction and actor."""
    return InvitationsService(session, actor, activity)


async def get_acceptance_service(
    sessions: Sessions, passwords: PasswordThreads
) -> AcceptanceService:
    """Build the service, which opens transactions of its own."""
    return AcceptanceService(sessions, passwords)


async def get_api_keys_service(
    request: Request, session: RequestSession, actor: ConfirmedActor, activity: Activity
) -> ApiKeysService:
    """Build the service from the request's transaction and actor."""
    forget = request.app.state.principals.clear
    return ApiKeysService(session, actor, activity, forget)


async def get_sign_in_service(
    sessions: Sessions, passwords: PasswordThreads, signer: Signer, throttle: Throttle
) -> SignInService:
    """Build the log-in, which opens transactions of its own."""
    return SignInService(sessions, passwords, signer, throttle)


ApiKeys = Annotated[ApiKeysService, Depends(get_api_keys_service)]
Accounts = Annotated[AccountsService, Depends(get_accounts_service)]
OwnAccount = Annotated[OwnAccountService, Depends(get_own_account_service)]
Invitations = Annotated[InvitationsService, Depends(get_invitations_service)]
Acceptance = Annotated[AcceptanceService, Depends(get_acceptance_service)]
SignIn = Annotated[SignInService, Depends(get_sign_in_service)]
RequestOrigin = Annotated[RequestSource, Depends(origin_of)]
