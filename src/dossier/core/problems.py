"""Failures as RFC 9457 problem documents; the one place that renders them."""

import errno
import logging
import sys
from collections.abc import Iterator
from typing import Any

import asyncpg
import orjson
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from fastapi.routing import iter_route_contexts
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.exceptions import HTTPException as StarletteHTTPException

from dossier.core.errors import (
    AppError,
    BadRequestError,
    Fault,
    InternalServerError,
    InvalidError,
    MethodNotAllowedError,
    NotFoundError,
    TooLargeError,
    UnauthenticatedError,
    UnavailableError,
    UnsupportedMediaTypeError,
)
from dossier.core.logging import bound
from dossier.core.web import PUBLIC, get_actor

logger = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
DATABASE_RETRY_S = 2
IDENTITY = "identity"
"""The one content encoding of a body that is taken: none."""


class RouteNotFoundError(NotFoundError):
    """The path belongs to no route."""

    title = "No such route"


class RequestInvalidError(InvalidError):
    """The request does not have the shape that the route declares."""

    title = "The request does not validate"


class MalformedJsonError(InvalidError):
    """The body is not JSON."""

    title = "The body is not JSON"


class JsonTooDeepError(InvalidError):
    """The body is JSON, nested deeper than it is read here."""

    title = "The JSON is nested too deep"


class ContentEncodedError(UnsupportedMediaTypeError):
    """The body is compressed, or encoded in another way."""

    title = "Encoded bodies are not read"


class BodyTooLargeError(TooLargeError):
    """The body is larger than this route takes."""

    title = "The body is too large"


class DatabaseAwayError(UnavailableError):
    """The database cannot be reached for the moment."""

    title = "The database is away"


class UnstorableTextError(InvalidError):
    """A text holds a character that cannot be stored, such as NUL."""

    title = "Text not storable"


# What the drivers raise when the server is gone, starting, stopping or full.
_AWAY = (
    ConnectionError,
    PoolTimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.TooManyConnectionsError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
)

# NUL in a text column, and in JSON: no schema of ours lets control characters mean
# anything, so they are refused in one place.
_UNSTORABLE = (
    asyncpg.CharacterNotInRepertoireError,
    asyncpg.UntranslatableCharacterError,
)

# A text whose type has a validator of its own is bounded as if it were a list.
_OF_LENGTH = {"too_long": ("max_length", "most"), "too_short": ("min_length", "least")}

# How pydantic says that a member's name is at fault, not what it holds.
_KEY = "[key]"

# Found before the route's dependencies have looked at who is asking.
_OF_THE_BODY = (MalformedJsonError, JsonTooDeepError, UnsupportedMediaTypeError)

_BY_STATUS: dict[int, type[AppError]] = {
    404: RouteNotFoundError,
    405: MethodNotAllowedError,
    413: BodyTooLargeError,
    415: UnsupportedMediaTypeError,
}


def problem_of(
    error: AppError, *, instance: str | None = None, request_id: str | None = None
) -> dict[str, Any]:
    """Return the problem document of an error."""
    members: dict[str, Any] = {
        "type": f"/problems/{error.slug()}",
        "code": error.code(),
        "title": error.title,
        "status": error.status,
        "detail": error.detail,
        "instance": instance,
        "request_id": request_id,
        "retry_after": error.retry_after_s,
        "limit": error.limit and dict(error.limit),
        "errors": [_fault_json(fault) for fault in error.faults] or None,
    }
    return {key: value for key, value in members.items() if value is not None}


def headers_of(error: AppError) -> dict[str, str]:
    """Return the fields that belong to an error besides its body."""
    headers = {"cache-control": "no-store"}
    if error.retry_after_s is not None:
        headers["retry-after"] = str(error.retry_after_s)
    if isinstance(error, UnauthenticatedError):
        headers["www-authenticate"] = "Bearer"
    if isinstance(error, ContentEncodedError):
        headers["accept-encoding"] = IDENTITY
    return headers


def as_app_error(exc: BaseException) -> AppError:
    """Name any failure; what has no name is a fault of ours."""
    if isinstance(exc, AppError):
        return exc
    if isinstance(exc, RequestValidationError):
        return _from_validation(exc)
    if isinstance(exc, StarletteHTTPException):
        return _from_framework(exc)
    return _from_database(exc)


def _from_database(exc: BaseException) -> AppError:
    if is_database_away(exc):
        return DatabaseAwayError(retry_after_s=DATABASE_RETRY_S)
    if any(isinstance(link, _UNSTORABLE) for link in _chain(exc)):
        return UnstorableTextError()
    return InternalServerError("The log has the reason under this request id.")


def is_database_away(exc: BaseException) -> bool:
    """Tell whether the failure is the database being out of reach."""
    return any(_is_away(link) for link in _chain(exc))


def problem_response(
    error: AppError, *, instance: str | None, request_id: str | None
) -> Response:
    """Render an error as the answer to a request."""
    body = problem_of(error, instance=instance, request_id=request_id)
    return Response(
        orjson.dumps(body),
        status_code=error.status,
        headers=headers_of(error),
        media_type=MEDIA_TYPE,
    )


async def handle(request: Request, exc: Exception) -> Response:
    """Answer a failure that FastAPI hands over."""
    error = await _unless_nobody_asks(request, as_app_error(exc))
    log_failure(exc, error)
    response = problem_response(
        error,
        instance=request.url.path,
        request_id=bound().request_id,
    )
    if isinstance(error, MethodNotAllowedError):
        response.headers["allow"] = ", ".join(_allowed_methods(request))
    return response


async def _unless_nobody_asks(request: Request, error: AppError) -> AppError:
    """Return what is wrong; to nobody, only that nobody is asking.

    FastAPI decodes the body before it asks who sends it.
    """
    if not isinstance(error, _OF_THE_BODY) or _is_public(request):
        return error
    try:
        await get_actor(request)
    except UnauthenticatedError as refusal:
        return refusal
    return error


def _is_public(request: Request) -> bool:
    route = request.scope.get("route")
    return bool((getattr(route, "openapi_extra", None) or {}).keys() & PUBLIC.keys())


def log_failure(exc: Exception, error: AppError) -> None:
    """Log what somebody must look at; what has a name needs no traceback."""
    if error.status == InternalServerError.status:
        logger.error("http.request.failed", exc_info=exc)
    elif isinstance(error, DatabaseAwayError):
        logger.warning("database.away", extra={"reason": str(exc)})


def install(app: FastAPI) -> None:
    """Make every failure that reaches FastAPI a problem document."""
    for kind in (AppError, RequestValidationError, StarletteHTTPException, DBAPIError):
        app.add_exception_handler(kind, handle)


def _fault_json(fault: Fault) -> dict[str, str]:
    return {"pointer": fault.pointer, "detail": fault.detail, "code": fault.code}


def _chain(exc: BaseException) -> Iterator[BaseException]:
    link: BaseException | None = exc
    while link is not None:
        yield link
        link = getattr(link, "orig", None) or link.__cause__


def _is_away(exc: BaseException) -> bool:
    if isinstance(exc, DBAPIError):
        return exc.connection_invalidated
    return isinstance(exc, _AWAY) or _is_socket_missing(exc)


def _is_socket_missing(exc: BaseException) -> bool:
    # A file that is not there has a name, a socket has none.
    if not isinstance(exc, FileNotFoundError):
        return False
    return exc.errno == errno.ENOENT and exc.filename is None


def _from_framework(exc: StarletteHTTPException) -> AppError:
    cause = exc.__cause__
    if isinstance(cause, AppError):
        return cause  # raised while the body was read
    if isinstance(cause, RecursionError):
        return JsonTooDeepError()
    if isinstance(cause, ValueError):
        return MalformedJsonError(faults=(_fault_of_json(cause),))
    kind = _BY_STATUS.get(exc.status_code, BadRequestError)
    return kind("" if kind in _BY_STATUS.values() else exc.detail)


def _fault_of_json(cause: ValueError) -> Fault:
    """Name what Python cannot read though its signs may be those of JSON."""
    detail = f"An integer has more than {sys.get_int_max_str_digits()} digits"
    if isinstance(cause, UnicodeDecodeError):
        detail = f"Not {cause.encoding.upper()} at byte {cause.start}"
    return Fault("#", detail, "json_invalid")


def _from_validation(exc: RequestValidationError) -> AppError:
    faults = _faults_of(exc)
    if any(fault.code == "json_invalid" for fault in faults):
        return MalformedJsonError(faults=faults)
    # FastAPI leaves a body undecoded when its content type is not JSON.
    if isinstance(exc.body, bytes):
        return UnsupportedMediaTypeError("Send the body as `application/json`.")
    return RequestInvalidError(faults[0].detail, faults=faults)


def _faults_of(exc: RequestValidationError) -> tuple[Fault, ...]:
    """Return the faults; what no branch of a union takes is one of them."""
    found: dict[object, list[Fault]] = {}
    for number, error in enumerate(exc.errors()):
        loc = _without_branches(error, exc.body)
        is_whole = len(loc) == len(error["loc"]) or _KEY in error["loc"]
        key = number if is_whole else loc
        found.setdefault(key, []).append(_fault_of({**error, "loc": loc}))
    return tuple(_united(faults) for faults in found.values())


def _united(faults: list[Fault]) -> Fault:
    if len(faults) == 1:
        return faults[0]
    details = dict.fromkeys(fault.detail for fault in faults)
    return Fault(faults[0].pointer, "; or: ".join(details), "union_mismatch")


def _without_branches(error: dict[str, Any], body: Any) -> tuple[str | int, ...]:
    """Return where a fault is, without pydantic's names for what it tried there."""
    where, *path = error["loc"]
    if where != "body" or not isinstance(body, dict | list):
        return tuple(error["loc"])
    kept: list[str | int] = [where]
    for place, step in enumerate(path, start=1):
        if _holds(body, step):
            kept.append(step)
            body = body[step]
        elif place == len(path) and _is_absent(error, step, body):
            kept.append(step)
    return tuple(kept)


def _holds(value: object, step: str | int) -> bool:
    """Tell whether a step leads from a value to one inside it."""
    if isinstance(value, list):
        return isinstance(step, int) and step < len(value)
    return isinstance(value, dict) and step in value


def _is_absent(error: dict[str, Any], step: str | int, value: object) -> bool:
    """Tell whether a step names a member that should be there, not a branch."""
    if not isinstance(value, dict) or step == _KEY:
        return False
    return error["type"] == "missing" or bool(error["input"] != value)


def _fault_of(error: dict[str, Any]) -> Fault:
    where, *path = error["loc"]
    if error["type"] == "json_invalid":
        reason = error["ctx"]["error"].removesuffix(" at")
        detail = f"{reason} at character {path[0]}"
        return Fault("#", detail, "json_invalid")
    detail = error["msg"].removeprefix("Value error, ")
    if error["type"] in _OF_LENGTH and isinstance(error["input"], str):
        return _fault_of_length(_pointer(where, path), error)
    return Fault(_pointer(where, path), detail, error["type"])


def _fault_of_length(pointer: str, error: dict[str, Any]) -> Fault:
    """Name the length of a text as such: pydantic counts "items" in some of them."""
    member, bound = _OF_LENGTH[error["type"]]
    count = error["ctx"][member]
    noun = "character" if count == 1 else "characters"
    detail = f"String should have at {bound} {count} {noun}"
    return Fault(pointer, detail, f"string_{error['type']}")


def _pointer(where: str, path: list[str | int]) -> str:
    if where != "body":
        return ".".join(map(str, path))
    escaped = (_plain(step).replace("~", "~0").replace("/", "~1") for step in path)
    return "/".join(["#", *escaped])


def _plain(step: str | int) -> str:
    """Return a member's name without what cannot be sent: halves of characters."""
    return str(step).encode(errors="replace").decode()


def _allowed_methods(request: Request) -> list[str]:
    path = request.url.path
    allowed: set[str] = set()
    for route in iter_route_contexts(request.app.routes):
        pattern = getattr(route, "path_regex", None)
        if pattern is not None and pattern.match(path):
            allowed |= route.methods or set()
    return sorted(allowed | ({"HEAD"} if "GET" in allowed else set()))
