"""The middleware of every request, as one pure ASGI layer.

In this order: request id and access line; the guard of open mode; rate limit; CORS;
body limit; the app. A refusal of an earlier step is still sent through CORS, so that a
browser can read it. Four `BaseHTTPMiddleware` layers cost several times as much.
"""

import logging
import re
import time
from collections.abc import Callable

import uuid_utils
from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from typing_extensions import override

from dossier.core.errors import AppError, BadRequestError
from dossier.core.logging import (
    ACCESS_LOGGER,
    LogContext,
    access_line,
    bound,
    enter_context,
    leave_context,
    write_stderr,
)
from dossier.core.loopback import LoopbackGuard
from dossier.core.problems import (
    IDENTITY,
    BodyTooLargeError,
    ContentEncodedError,
    as_app_error,
    log_failure,
    problem_response,
)
from dossier.core.rate_limit import Proxies, RateLimiter, RateState
from dossier.core.security import credentials_of
from dossier.core.web import HEAD_KEY

access_logger = logging.getLogger(ACCESS_LOGGER)

ADDRESS_KEY = "dossier.address"
"""Key in the scope of the caller's address, as trusted proxies forward it."""
REFUSAL_KEY = "dossier.refusal"
"""Key in the scope of the error of an earlier step."""

# Anything else could break a log or a header; long ones are not ids.
_REQUEST_ID = re.compile(rb"[A-Za-z0-9._:/+=-]{1,128}")
_SECURITY = [
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
]
# A shared cache, or the disk of a browser, must not keep what a log-in was needed for.
_NOT_STORED = (b"cache-control", b"no-store")
_CSP = (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'")
_HSTS = (b"strict-transport-security", b"max-age=31536000")
_TWO_CREDENTIALS = "Send one `Authorization` header: two could be read differently."
_EXPOSED = (
    "Content-Digest",
    "Content-Disposition",
    "Location",
    "RateLimit",
    "RateLimit-Policy",
    "Retry-After",
    "X-RateLimit-Limit",
    "X-RateLimit-Remaining",
    "X-RateLimit-Reset",
    "X-Request-ID",
)


class PreflightRefusedError(BadRequestError):
    """A browser asked for an origin, method or header that is not allowed."""

    title = "Cross-origin request refused"


class RequestMiddleware:
    """The outermost ASGI layer; the next one is `BodyLimit`, which answers refusals.

    `caller_of` returns whose cached credentials these are, else `None`.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        limiter: RateLimiter,
        proxies: Proxies,
        guard: LoopbackGuard | None,
        cors_origins: tuple[str, ...],
        caller_of: Callable[[bytes], str | None],
        write: Callable[[bytes], object] = write_stderr,
    ) -> None:
        self._app = app
        self._limiter = limiter
        self._proxies = proxies
        self._guard = guard
        self._caller_of = caller_of
        self._write = write
        self._cors = _Cors(
            app,
            allow_origins=cors_origins,
            allow_methods=("*",),
            allow_headers=("*",),
            expose_headers=_EXPOSED,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if scope["method"] == "HEAD":  # the server keeps its own scope, and its method
            scope = {**scope, "method": "GET", HEAD_KEY: True}
        headers = dict(scope["headers"])
        given = headers.get(b"x-request-id")
        if given is not None and _REQUEST_ID.fullmatch(given):
            request_id = given.decode()
        else:
            request_id = str(uuid_utils.uuid7())  # `uuid`'s own takes six times as long
        exchange = _Exchange(scope, send, request_id)
        token = enter_context(exchange.context)
        try:
            app = self._admit(scope, headers, exchange)
            await app(scope, receive, exchange.send)
        finally:
            leave_context(token)
            if access_logger.isEnabledFor(logging.INFO):
                self._write(exchange.line())

    def _admit(
        self, scope: Scope, headers: dict[bytes, bytes], exchange: "_Exchange"
    ) -> ASGIApp:
        scope[ADDRESS_KEY] = self._proxies.caller_address(scope)
        is_preflight = (
            scope["method"] == "OPTIONS" and b"access-control-request-method" in headers
        )
        try:
            if sum(name == b"authorization" for name, _ in scope["headers"]) > 1:
                raise BadRequestError(_TWO_CREDENTIALS)
            if self._guard is not None:
                self._guard.check(scope)
            if not is_preflight:
                caller = self._caller_of(credentials_of(headers))
                exchange.rate = self._limiter.check(
                    scope["path"], caller or scope[ADDRESS_KEY]
                )
                if exchange.rate is not None and not exchange.rate.is_allowed:
                    scope[REFUSAL_KEY] = exchange.rate.refusal()
        except AppError as refusal:
            scope[REFUSAL_KEY] = refusal
        # The CORS layer would answer a refused preflight with "OK".
        if b"origin" not in headers or (is_preflight and REFUSAL_KEY in scope):
            return self._app
        return self._cors


class _Exchange:
    """The response of one request: its headers, and the members of the access line."""

    __slots__ = (
        "_bytes_out",
        "_scope",
        "_send",
        "_started_s",
        "_status",
        "context",
        "rate",
    )

    def __init__(self, scope: Scope, send: Send, request_id: str) -> None:
        self._scope = scope
        self._send = send
        self._started_s = time.perf_counter()
        self._status = 0
        self._bytes_out = 0
        self.rate: RateState | None = None
        self.context = LogContext(request_id=request_id)

    async def send(self, message: Message) -> None:
        """Send a message, with the headers that every response has."""
        if message["type"] == "http.response.start":
            self._status = message["status"]
            headers = [*message.get("headers", ())]
            # The pages of the documentation have a policy of their own.
            names = {name for name, _ in headers}
            if _CSP[0] not in names:
                headers.append(_CSP)
            if _NOT_STORED[0] not in names and self._scope["path"].startswith("/api/"):
                headers.append(_NOT_STORED)
            request_id = str(self.context.request_id).encode()
            headers += [(b"x-request-id", request_id), *_SECURITY]
            if self._scope["scheme"] == "https":
                headers.append(_HSTS)
            if self.rate is not None:
                headers += self.rate.headers()
            message["headers"] = headers
        elif message["type"] == "http.response.body":
            if HEAD_KEY in self._scope:
                message = {**message, "body": b""}
            self._bytes_out += len(message.get("body", b""))
        await self._send(message)

    def line(self) -> bytes:
        """Return the access line; status 0 means that nothing was sent."""
        scope = self._scope
        included = scope.get("fastapi", {}).get("effective_route_context")
        route = included or scope.get("route")
        members = {
            "method": "HEAD" if HEAD_KEY in scope else scope["method"],
            # The path with its parameters unfilled; `None` where no route matches.
            "route": getattr(route, "path_format", None),
            "status": self._status,
            "ms": round((time.perf_counter() - self._started_s) * 1000, 2),
            "bytes": self._bytes_out,
            "address": scope.get(ADDRESS_KEY),
        }
        return access_line(self.context, members)


class _Cors(CORSMiddleware):
    """Starlette's CORS, whose refusals are problem documents as well."""

    @override
    def preflight_response(self, request_headers: Headers) -> Response:
        response = super().preflight_response(request_headers)
        if response.status_code == PreflightRefusedError.status:
            refused = bytes(response.body).decode()
            origin = request_headers["origin"][:200]
            error = PreflightRefusedError(
                f"{refused}, asked for by {origin!r}. Pages that may call are listed "
                "in DOSSIER_WEB__CORS_ORIGINS."
            )
            problem = problem_response(
                error, instance=None, request_id=bound().request_id
            )
            problem.headers.update(self.preflight_headers)
            return problem
        return response


class BodyLimit:
    """The last step before the app: answers refusals and failures, limits bodies.

    `is_upload` names the routes, by method and path, that have a limit of their own.
    """

    def __init__(
        self, app: ASGIApp, max_body_bytes: int, is_upload: Callable[[str, str], bool]
    ) -> None:
        self.app = app
        self._max_body_bytes = max_body_bytes
        self._is_upload = is_upload

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        refusal = scope.get(REFUSAL_KEY) or self._check_body(scope)
        if refusal is not None:
            await _answer(refusal, scope, receive, send)
            return
        watched = _Watched(send)
        received_bytes = 0

        async def counted() -> Message:
            """Limit a body that has no `Content-Length`."""
            nonlocal received_bytes
            message = await receive()
            received_bytes += len(message.get("body", b""))
            error = self._check_size(scope, received_bytes)
            if error is not None:
                raise error
            return message

        try:
            await self.app(scope, counted, watched.send)
        except ClientDisconnect:
            return  # the client is gone
        except Exception as exc:  # the edge: every failure gets an answer
            error = as_app_error(exc)
            log_failure(exc, error)
            if watched.has_started:
                raise
            await _answer(error, scope, receive, send)

    def _check_body(self, scope: Scope) -> AppError | None:
        headers = dict(scope["headers"])
        encoding = headers.get(b"content-encoding")
        length = headers.get(b"content-length")
        if encoding is not None and encoding.lower() != IDENTITY.encode():
            name = encoding.decode("latin-1")
            detail = f"Send the body without `Content-Encoding: {name}`."
            return ContentEncodedError(detail)
        if length is None:
            return None
        if not length.isdigit():
            return BadRequestError("`Content-Length` is not a number.")
        return self._check_size(scope, int(length))

    def _check_size(self, scope: Scope, size_bytes: int) -> AppError | None:
        if size_bytes <= self._max_body_bytes:
            return None
        if self._is_upload(scope["method"], scope["path"]):
            return None  # the route has its own limit
        limit = self._max_body_bytes
        return BodyTooLargeError(f"At most {limit} bytes are accepted here.")


class _Watched:
    """Notes whether the response has begun."""

    __slots__ = ("_send", "has_started")

    def __init__(self, send: Send) -> None:
        self._send = send
        self.has_started = False

    async def send(self, message: Message) -> None:
        self.has_started = True
        await self._send(message)


async def _answer(error: AppError, scope: Scope, receive: Receive, send: Send) -> None:
    response = problem_response(
        error, instance=scope["path"], request_id=bound().request_id
    )
    await response(scope, receive, send)
