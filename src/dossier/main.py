"""Composition root of the web app."""

import re
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

from fastapi import Depends, FastAPI
from fastapi.routing import iter_route_contexts

import dossier
from dossier.accounts.constants import RIGHTS_CHANNEL
from dossier.accounts.dependencies import LocalAuthenticator, TokenAuthenticator
from dossier.accounts.service.organisations import OrganisationsService
from dossier.accounts.service.sign_in import (
    KeySignInService,
    KeyUses,
    Principal,
    SignInService,
)
from dossier.accounts.service.throttle import LoginThrottle
from dossier.ai.service.assembly import open_model_services
from dossier.api import (
    API_PREFIX,
    API_ROUTERS,
    ROOT_ROUTERS,
)
from dossier.core import docs_pages, health, openapi, problems
from dossier.core.loopback import LoopbackGuard
from dossier.core.middleware import BodyLimit, RequestMiddleware
from dossier.core.parameters import refuse_unknown_parameters
from dossier.core.rate_limit import Proxies, RateLimiter
from dossier.core.security import (
    Passwords,
    PrincipalCache,
    TokenSigner,
    signing_secret,
    token_key,
)
from dossier.core.settings import Settings
from dossier.core.startup import opened_database
from dossier.core.web import UPLOAD, operation_id
from dossier.integrations.queue.client import TABLE as QUEUE_TABLE
from dossier.integrations.storage.client import open_store
from dossier.jobs.follower import JobFollower
from dossier.jobs.responses import answer_for_job
from dossier.knowledge.service.assembly import opened_searchers


def create_app(settings: Settings | None = None) -> FastAPI:
    """Return the app; it opens its database when it starts, not before."""
    settings = settings or Settings()
    app = FastAPI(
        title=docs_pages.TITLE,
        version=dossier.__version__,
        openapi_url=docs_pages.OPENAPI_PATH,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        generate_unique_id_function=operation_id,
        responses=openapi.PROBLEM_RESPONSES,
        telemetry={"tracing": False, "metrics": False},
        lifespan=_lifespan,
    )
    state = app.state
    state.settings = settings
    state.passwords = Passwords()
    if settings.auth.mode == "open":
        secret = secrets.token_bytes()  # no token needs to outlive the process
    else:
        secret = signing_secret(settings.auth, settings.home)
    state.signer = TokenSigner(secret, settings.auth.token_ttl_s)
    state.principals = PrincipalCache(settings.auth.principal_cache_s)
    state.job_answer = answer_for_job
    for router in ROOT_ROUTERS:
        app.include_router(router)
    declared_only = [Depends(refuse_unknown_parameters)]
    for router in API_ROUTERS:
        app.include_router(router, prefix=API_PREFIX, dependencies=declared_only)
    app.mount(docs_pages.ASSETS_PATH, docs_pages.assets(), name="assets")
    problems.install(app)
    openapi.describe(app)
    web, limits = settings.web, settings.limits
    app.add_middleware(
        BodyLimit,
        max_body_bytes=limits.max_body_kib * 1024,
        is_upload=upload_matcher(app),
    )
    app.add_middleware(  # added last: the outermost
        RequestMiddleware,
        limiter=RateLimiter(limits.requests_per_minute),
        proxies=Proxies(web.trusted_proxies),
        guard=LoopbackGuard(web.cors_origins) if settings.auth.mode == "open" else None,
        cors_origins=web.cors_origins,
        caller_of=partial(caller_of, state.principals),
    )
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    state, settings = app.state, app.state.settings
    async with AsyncExitStack() as stack:
        stack.callback(state.passwords.close)
        database = await stack.enter_async_context(
            opened_database(settings, for_requests=True)
        )
        state.sessions = database.sessions
        uses = KeyUses(database.sessions)
        stack.push_async_callback(uses.close)
        state.authenticator = by_token = TokenAuthenticator(
            SignInService(
                database.sessions,
                state.passwords,
                state.signer,
                LoginThrottle(database.sessions, settings.limits.wrong_passwords),
            ),
            state.signer,
            state.principals,
            KeySignInService(database.sessions, uses),
        )
        if settings.auth.mode == "open":
            organisations = OrganisationsService(database.sessions)
            state.authenticator = LocalAuthenticator(organisations, by_token)
        state.checks = {
            **health.database_checks(database.engine),
            "queue": health.insert_check(database.engine, QUEUE_TABLE),
            "storage": partial(_check_storage, settings),
        }
        parts = open_model_services(database.sessions, settings)
        state.searchers = await stack.enter_async_context(
            opened_searchers(database.sessions, settings, parts.recorder)
        )
        state.job_follower = await stack.enter_async_context(
            JobFollower(database.sessions, database.url, settings.jobs.keep_alive_s)
        )
        state.job_follower.listener.subscribe(
            RIGHTS_CHANNEL,
            lambda _payload: state.principals.clear(),
            on_return=state.principals.clear,
        )
        yield


async def _check_storage(settings: Settings) -> None:
    await open_store(settings.storage.url, settings.home).check_writable()


def caller_of(principals: PrincipalCache[Principal], credentials: bytes) -> str | None:
    """Return whose requests are counted together: a member's, by whatever key."""
    if not credentials:
        return None
    principal = principals.get(token_key(credentials))
    if principal is None:
        return None
    return str(principal.user_id)


def upload_matcher(app: FastAPI) -> Callable[[str, str], bool]:
    """Return a test for the routes that take bodies of any length."""
    routes: list[tuple[set[str], re.Pattern[str]]] = []

    def is_upload(method: str, path: str) -> bool:
        if not routes:  # called for large bodies only, after all routes are included
            routes.extend(
                (route.methods or set(), route.path_regex)
                for route in iter_route_contexts(app.routes)
                if (getattr(route, "openapi_extra", None) or {}).keys() & UPLOAD.keys()
            )
        return any(method in verbs and shape.match(path) for verbs, shape in routes)

    return is_upload
