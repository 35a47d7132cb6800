"""What surrounds every request, in one pure ASGI layer.

In this order: request id and access line; the guard of open mode; rate limit; CORS;
body limit; the app. A refusal of an earlier step is still sent through CORS, so that
a browser can read it. Four layers of the usual kind cost several times as much.
"""

import logging
import re
import time
from collections.abc import Callable
from dataclasses import dataclass

import uuid_utils
from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from typing_extensions import override

from dossier.core.admission import REFUSAL_KEY, Admission
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
from dossier.core.problems import problem_response
from dossier.core.rate_limit import Proxies, RateLimiter, RateState
from dossier.core.security import credentials_of
from dossier.core.web import HEAD_KEY

access_logger = logging.getLogger(ACCESS_LOGGER)

ADDRESS_KEY = "dossier.address"
"""Where in the scope the caller's address stands, proxies looked through."""

# Anything else could break a log or a header; long ones are not ids.
_REQUEST_ID = re.compile(rb"[A-Za-z0-9._:/+=-]{1,128}")
_SECURITY = [
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
]
_CSP = (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'")
_HSTS = (b"strict-transport-security", b"max-age=31536000")
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


@dataclass(frozen=True, slots=True)
class EdgeParts:
    """What the edge is made of; `main.py` builds it from settings."""

    limiter: RateLimiter
    proxies: Proxies
    guard: LoopbackGuard | None
    cors_origins: tuple[str, ...]
    max_body_bytes: int
    is_upload: Callable[[str, str], bool]
    caller_of: Callable[[bytes], str | None]
    """Names whom credentials belong to that were verified lately, else `None`."""
    write: Callable[[bytes], object] = write_stderr


class Edge:
    """The outermost layer."""

    def __init__(self, app: ASGIApp, parts: EdgeParts) -> None:
        self._parts = parts
        self._app = app
        self._admission = Admission(app, parts.max_body_bytes, parts.is_upload)
        self._cors = _Cors(
            self._admission,
            allow_origins=parts.cors_origins,
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
        exchange = _Exchange(scope, send, _request_id(headers))
        token = enter_context(exchange.context)
        try:
            app = self._admit(scope, headers, exchange)
            await app(scope, receive, exchange.send)
        finally:
            leave_context(token)
            if access_logger.isEnabledFor(logging.INFO):
                self._parts.write(exchange.line())

    def _admit(
        self, scope: Scope, headers: dict[bytes, bytes], exchange: "_Exchange"
    ) -> ASGIApp:
        scope[ADDRESS_KEY] = self._parts.proxies.caller_address(scope)
        try:
            self._guard(scope)
            if not _is_preflight(scope, headers):
                exchange.rate = self._count(scope, headers)
        except AppError as refusal:
            scope[REFUSAL_KEY] = refusal
        # A refused preflight is still one: its answer is the refusal, not "OK".
        if b"origin" not in headers or _is_refused_preflight(scope, headers):
            return self._admission
        return self._cors

    def _guard(self, scope: Scope) -> None:
        if self._parts.guard is not None:
            self._parts.guard.check(scope)

    def _count(self, scope: Scope, headers: dict[bytes, bytes]) -> RateState | None:
        caller = self._parts.caller_of(credentials_of(headers))
        state = self._parts.limiter.check(scope["path"], caller or scope[ADDRESS_KEY])
        if state is not None and not state.is_allowed:
            scope[REFUSAL_KEY] = state.refusal()
        return state


class _Exchange:
    """One request on its way out: its headers, and what the access line says."""

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
        """Pass a message on, with the headers that every answer carries."""
        if message["type"] == "http.response.start":
            self._status = message["status"]
            message["headers"] = [*message.get("headers", ()), *self._headers(message)]
        elif message["type"] == "http.response.body":
            if HEAD_KEY in self._scope:
                message = {**message, "body": b""}
            self._bytes_out += len(message.get("body", b""))
        await self._send(message)

    def _headers(self, message: Message) -> list[tuple[bytes, bytes]]:
        headers = [(b"x-request-id", str(self.context.request_id).encode()), *_SECURITY]
        if not any(name == _CSP[0] for name, _ in message.get("headers", ())):
            headers.append(_CSP)
        if self._scope["scheme"] == "https":
            headers.append(_HSTS)
        return headers if self.rate is None else headers + self.rate.headers()

    def line(self) -> bytes:
        """Return the access line; status 0 means that nothing was sent."""
        members = {
            "method": "HEAD" if HEAD_KEY in self._scope else self._scope["method"],
            "route": _template(self._scope),
            "status": self._status,
            "ms": round((time.perf_counter() - self._started_s) * 1000, 2),
            "bytes": self._bytes_out,
        }
        return access_line(self.context, members)


class _Cors(CORSMiddleware):
    """The library's rules; what they refuse is a problem document as well."""

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


def _request_id(headers: dict[bytes, bytes]) -> str:
    given = headers.get(b"x-request-id")
    if given is not None and _REQUEST_ID.fullmatch(given):
        return given.decode()
    return str(uuid_utils.uuid7())  # its own text: a sixth of the time


def _is_preflight(scope: Scope, headers: dict[bytes, bytes]) -> bool:
    return scope["method"] == "OPTIONS" and b"access-control-request-method" in headers


def _is_refused_preflight(scope: Scope, headers: dict[bytes, bytes]) -> bool:
    return REFUSAL_KEY in scope and _is_preflight(scope, headers)


def _template(scope: Scope) -> str | None:
    """Return the route's path with its parameters unfilled; `None` for no route."""
    included = scope.get("fastapi", {}).get("effective_route_context")
    route = included or scope.get("route")
    template: str | None = getattr(route, "path_format", None)
    return template
