"""Failures as RFC 9457 problem documents; the one place that renders them."""

import errno
import logging
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any
from urllib.parse import quote

import asyncpg
import orjson
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from fastapi.routing import APIRoute, iter_route_contexts
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
    suggestion,
)
from dossier.core.logging import bound
from dossier.core.schemas import field_names
from dossier.core.web import PUBLIC, get_actor

logger = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
PROBLEM_CONTENT = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
"""What a failure holds, in OpenAPI's words."""
DATABASE_RETRY_S = 2
MAX_FAULTS = 20
"""Faults that one problem lists; `errors_total` counts all where there are more."""
_PATH_CHARS = "/:@!$&'()*+,;=-._~"  # RFC 3986 §3.3
IDENTITY = "identity"
"""The one content encoding of a body that is taken: none."""


class RouteNotFoundError(NotFoundError):
    """The path belongs to no route."""

    title = "No such route"


class RequestInvalidError(InvalidError):
    """The request does not have the shape that the route declares."""

    title = "The request does not validate"


class MalformedJsonError(InvalidError):
    """The body cannot be read as JSON; `errors` says where."""

    title = "The body is not JSON"


class JsonTooDeepError(InvalidError):
    """The body is JSON, nested deeper than it is read here."""

    title = "The JSON is nested too deep"


class ContentEncodedError(UnsupportedMediaTypeError):
    """The body is compressed, or encoded in another way."""

    title = "Encoded bodies are not read"


class RequestTimeoutError(AppError):
    """The request did not arrive within its time."""

    status = 408
    title = "Request incomplete"


class HeadTooLargeError(AppError):
    """The request line and header fields are above the limit."""

    status = 431
    title = "Header fields too large"


class TooManyIncompleteRequestsError(AppError):
    """One address has too many requests that have not arrived."""

    status = 429
    title = "Too many incomplete requests"


class ConnectionsExhaustedError(AppError):
    """This process serves as many connections as it can."""

    status = 503
    title = "Too many connections"


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

# Pydantic reports the length of a text with a validator of its own like a list's.
_OF_LENGTH = {"too_long": ("max_length", "most"), "too_short": ("min_length", "least")}

# Pydantic's mark for a fault of a member's name, not of its value.
_KEY = "[key]"

# What tells that a value was not one of those that are listed.
_OF_CHOICE = frozenset({"enum", "literal_error"})
_QUOTED = re.compile(r"'([^']*)'")

# Faults of which the value may be repeated: a number, an id, a date or a choice.
_OF_VALUE = ("_parsing", "_than", "_than_equal", "multiple_of")
_SHOWN_CHARS = 60
_JSON_KINDS = {
    type(None): "null",
    bool: "true or false",
    int: "a number",
    float: "a number",
    str: "text",
    list: "a list",
    dict: "an object",
}

# Raised before the route's dependencies have authenticated the caller.
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
    """Return the problem document of an error; `instance` is a path, not encoded."""
    members: dict[str, Any] = {
        "type": f"/problems/{error.slug()}",
        "code": error.code(),
        "title": error.title,
        "status": error.status,
        "detail": error.detail,
        "instance": instance and quote(instance, safe=_PATH_CHARS, errors="replace"),
        "request_id": request_id,
        "retry_after": error.retry_after_s,
        "limit": error.limit and dict(error.limit),
        "errors": [asdict(fault) for fault in error.faults[:MAX_FAULTS]] or None,
        "errors_total": len(error.faults) if len(error.faults) > MAX_FAULTS else None,
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


def as_app_error(exc: BaseException, body_type: Any = None) -> AppError:
    """Return the named error of any exception; 500 for one without a name.

    `body_type` is what the route takes as its body; its members are suggested.
    """
    if isinstance(exc, AppError):
        return exc
    if isinstance(exc, RequestValidationError):
        return _from_validation(exc, body_type)
    if isinstance(exc, StarletteHTTPException):
        return _from_framework(exc)
    if is_database_away(exc):
        return DatabaseAwayError(retry_after_s=DATABASE_RETRY_S)
    if any(isinstance(link, _UNSTORABLE) for link in _chain(exc)):
        return UnstorableTextError()
    return InternalServerError("The log has the reason under this request id.")


def is_database_away(exc: BaseException) -> bool:
    """Return whether the cause is that the database cannot be reached."""
    for link in _chain(exc):
        if isinstance(link, DBAPIError):
            if link.connection_invalidated:
                return True
        elif isinstance(link, FileNotFoundError):
            # A missing Unix socket has no file name, a missing file has one.
            if link.errno == errno.ENOENT and link.filename is None:
                return True
        elif isinstance(link, _AWAY):
            return True
    return False


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
    """Answer an exception that FastAPI caught."""
    route = request.scope.get("route")
    body = route.body_field if isinstance(route, APIRoute) else None
    error = as_app_error(exc, body and body.field_info.annotation)
    error = await _unauthenticated_first(request, error)
    log_failure(exc, error)
    allowed = ""
    if isinstance(error, MethodNotAllowedError):
        allowed = ", ".join(sorted(_allowed_methods(request)))
        error.detail = f"{request.method} is not possible here; {allowed} is."
    response = problem_response(
        error,
        instance=request.url.path,
        request_id=bound().request_id,
    )
    if allowed:
        response.headers["allow"] = allowed
    return response


def _allowed_methods(request: Request) -> set[str]:
    allowed: set[str] = set()
    for route in iter_route_contexts(request.app.routes):
        pattern = getattr(route, "path_regex", None)
        if pattern is not None and pattern.match(request.url.path):
            allowed |= route.methods or set()
    return allowed | {"HEAD"} if "GET" in allowed else allowed


async def _unauthenticated_first(request: Request, error: AppError) -> AppError:
    """Return 401 instead of a fault of the body where the caller is not authenticated.

    FastAPI decodes the body before it runs the dependencies.
    """
    extra = getattr(request.scope.get("route"), "openapi_extra", None) or {}
    if not isinstance(error, _OF_THE_BODY) or extra.keys() & PUBLIC.keys():
        return error
    try:
        await get_actor(request)
    except UnauthenticatedError as refusal:
        return refusal
    return error


def log_failure(exc: Exception, error: AppError) -> None:
    """Log faults of ours with their traceback, and an unreachable database."""
    if error.status == InternalServerError.status:
        logger.error("http.request.failed", exc_info=exc)
    elif isinstance(error, DatabaseAwayError):
        logger.warning("database.away", extra={"reason": str(exc)})


def install(app: FastAPI) -> None:
    """Make every failure that reaches FastAPI a problem document."""
    for kind in (AppError, RequestValidationError, StarletteHTTPException, DBAPIError):
        app.add_exception_handler(kind, handle)


def _chain(exc: BaseException) -> Iterator[BaseException]:
    link: BaseException | None = exc
    while link is not None:
        yield link
        link = getattr(link, "orig", None) or link.__cause__


def _from_framework(exc: StarletteHTTPException) -> AppError:
    cause = exc.__cause__
    if isinstance(cause, AppError):
        return cause  # raised while the body was read
    if isinstance(cause, RecursionError):
        return JsonTooDeepError()
    if isinstance(cause, ValueError):
        # JSON whose syntax is valid, and which Python cannot read nevertheless.
        detail = f"An integer has more than {sys.get_int_max_str_digits()} digits"
        if isinstance(cause, UnicodeDecodeError):
            detail = f"Not {cause.encoding.upper()} at byte {cause.start}"
        return MalformedJsonError(faults=(Fault("#", detail, "json_invalid"),))
    kind = _BY_STATUS.get(exc.status_code, BadRequestError)
    return kind("" if kind in _BY_STATUS.values() else exc.detail)


def _from_validation(exc: RequestValidationError, body_type: Any) -> AppError:
    faults = _faults_of(exc, body_type)
    if any(fault.code == "json_invalid" for fault in faults):
        return MalformedJsonError(faults=faults)
    # FastAPI leaves a body undecoded when its content type is not JSON.
    if isinstance(exc.body, bytes):
        return UnsupportedMediaTypeError("Send the body as `application/json`.")
    first = faults[0]
    return RequestInvalidError(f"{first.pointer}: {first.detail}", faults=faults)


def _faults_of(exc: RequestValidationError, body_type: Any) -> tuple[Fault, ...]:
    """Return the faults; those of all branches of a union at one place are one."""
    found: dict[object, list[Fault]] = {}
    for number, found_error in enumerate(exc.errors()):
        error = dict(found_error)
        loc = _without_branches(error, exc.body)
        is_whole = len(loc) == len(error["loc"]) or _KEY in error["loc"]
        key = number if is_whole else loc
        error["loc"] = loc
        # Only those that are shown: a body may have thousands of unknown fields.
        known = _known_instead(error, body_type) if number < MAX_FAULTS else []
        found.setdefault(key, []).append(_fault_of(error, known))
    united: list[Fault] = []
    for faults in found.values():
        details = dict.fromkeys(fault.detail for fault in faults)
        united.append(
            faults[0]
            if len(faults) == 1
            else Fault(faults[0].pointer, "; or: ".join(details), "union_mismatch")
        )
    return tuple(united)


def _without_branches(error: dict[str, Any], body: Any) -> tuple[str | int, ...]:
    """Return the place of a fault, without pydantic's names of union branches."""
    where, *path = error["loc"]
    if where != "body" or not isinstance(body, dict | list):
        return tuple(error["loc"])
    kept: list[str | int] = [where]
    for place, step in enumerate(path, start=1):
        if isinstance(body, list):
            is_inside = isinstance(step, int) and step < len(body)
        else:
            is_inside = isinstance(body, dict) and step in body
        if is_inside:
            kept.append(step)
            body = body[step]
        elif (
            # The last step names a missing member, unless it is a branch of a union.
            place == len(path)
            and isinstance(body, dict)
            and step != _KEY
            and (error["type"] == "missing" or error["input"] != body)
        ):
            kept.append(step)
    return tuple(kept)


def _fault_of(error: dict[str, Any], known: Sequence[str]) -> Fault:
    where, *path = error["loc"]
    if error["type"] == "json_invalid":
        reason = error["ctx"]["error"].removesuffix(" at")
        detail = f"{reason} at character {path[0]}"
        return Fault("#", detail, "json_invalid")
    pointer = ".".join(map(str, path))
    if where == "body":
        # Lone surrogates, which JSON can escape, cannot be sent as UTF-8.
        names = (str(step).encode(errors="replace").decode() for step in path)
        escaped = (name.replace("~", "~0").replace("/", "~1") for name in names)
        pointer = "/".join(["#", *escaped])
    if error["type"] in _OF_LENGTH and isinstance(error["input"], str):
        # Pydantic's own message would speak of "items".
        member, bound = _OF_LENGTH[error["type"]]
        count = error["ctx"][member]
        noun = "character" if count == 1 else "characters"
        detail = f"String should have at {bound} {count} {noun}"
        return Fault(pointer, detail, f"string_{error['type']}")
    if error["type"] == "extra_forbidden":
        detail = f"There is no such field.{suggestion(str(path[-1]), known)}"
    else:
        detail = error["msg"].removeprefix("Value error, ") + _what_came(error)
        if isinstance(error["input"], str) and (
            nearest := suggestion(error["input"], known)
        ):
            detail += f".{nearest}"
    return Fault(pointer, detail, error["type"])


def _what_came(error: dict[str, Any]) -> str:
    """Return the input in words; a text that may be a secret is not repeated."""
    kind, value = error["type"], error["input"]
    is_shown = kind in _OF_CHOICE or kind.endswith(_OF_VALUE)
    if is_shown and isinstance(value, str | int | float):
        return f", not {repr(value)[:_SHOWN_CHARS]}"
    if (is_shown or kind.endswith("_type")) and type(value) in _JSON_KINDS:
        return f", not {_JSON_KINDS[type(value)]}"
    return ""


def _known_instead(error: dict[str, Any], body_type: Any) -> list[str]:
    """Return the choices that a value has, or the fields beside an unknown one."""
    if error["type"] in _OF_CHOICE:
        return _QUOTED.findall(error["ctx"]["expected"])
    if error["type"] == "extra_forbidden" and error["loc"][0] == "body":
        steps = error["loc"][1:-1]
        names = [step for step in steps if isinstance(step, str)]
        return list(field_names(body_type, names))
    return []
