"""Routes that are asked most: their dependencies are put in order once, not each time.

FastAPI walks a route's tree of dependencies for every request, which takes longer than
the query. A `@hot` endpoint stays an ordinary one, documented and validated alike:
what a request sends is read here, and where any of it does not validate, the request
goes FastAPI's own way and gets FastAPI's own answer.
"""

from collections.abc import Awaitable, Callable
from functools import lru_cache
from inspect import iscoroutinefunction
from typing import Any, NamedTuple, TypeVar
from urllib.parse import parse_qsl

from fastapi import Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import RouteContext
from starlette.types import ASGIApp, Receive, Scope, Send

E = TypeVar("E", bound=Callable[..., Awaitable[Any]])

_MARK = "__dossier_hot__"
_MAX_QUERY_BYTES = 256
_QUERIES = 256
# What no hot route needs; one that comes to need it says so when the app is made.
_UNKNOWN = (
    "header_params",
    "cookie_params",
    "body_params",
    "response_param_name",
    "background_tasks_param_name",
    "http_connection_param_name",
    "security_scopes_param_name",
    "concurrency",
)


def hot(endpoint: E) -> E:
    """Mark an endpoint that returns a `Response` and whose dependencies are simple.

    They are coroutines, and take path and query parameters, the request and each other.
    """
    setattr(endpoint, _MARK, True)
    return endpoint


def is_hot(route: RouteContext) -> bool:
    """Tell whether a route's endpoint is marked."""
    return hasattr(route.endpoint, _MARK)


class _Field(NamedTuple):
    """One parameter, and where its value goes."""

    slot: int
    alias: str
    field: Any

    def value(self, sent: dict[str, Any]) -> tuple[Any, bool]:
        """Return the value, and whether there is one that validates."""
        if self.alias not in sent:
            return self.field.default, not self.field.field_info.is_required()
        value, errors = self.field.validate(sent[self.alias], {}, loc=(self.alias,))
        return value, not errors


class _Step(NamedTuple):
    """One call, what it is given, and where its result goes."""

    slot: int
    call: Callable[..., Awaitable[Any]]
    given: tuple[tuple[str, int], ...]


class _Plan:
    """A route's calls in order. Slot 0 holds the request."""

    def __init__(self, dependant: Dependant) -> None:
        self.path: list[_Field] = []
        self.query: list[_Field] = []
        self.steps: list[_Step] = []
        self.size = 1
        self._slots: dict[Any, int] = {}
        self._add(dependant)

    def _add(self, dependant: Dependant) -> int:
        _refuse_unknown(dependant)
        given = [(sub.name, self._slot_of(sub)) for sub in dependant.dependencies]
        given.append((dependant.request_param_name, 0))
        given += self._fields(self.path, dependant.path_params)
        given += self._fields(self.query, dependant.query_params)
        named = tuple((name, slot) for name, slot in given if name is not None)
        slot = self._next_slot()
        self.steps.append(_Step(slot, dependant.call, named))  # type: ignore[arg-type] # a coroutine: `_refuse_unknown`
        return slot

    def _slot_of(self, dependant: Dependant) -> int:
        known = self._slots.get(dependant.call)
        if known is None:
            known = self._slots[dependant.call] = self._add(dependant)
        return known

    def _fields(
        self, fields: list[_Field], declared: list[Any]
    ) -> list[tuple[str | None, int]]:
        given: list[tuple[str | None, int]] = []
        for field in declared:
            slot = self._next_slot()
            fields.append(_Field(slot, field.alias, field))
            given.append((field.name, slot))
        return given

    def _next_slot(self) -> int:
        self.size += 1
        return self.size - 1


def _refuse_unknown(dependant: Dependant) -> None:
    for name in _UNKNOWN:
        if getattr(dependant, name):
            message = f"a hot route cannot have {name}: {dependant.call}"
            raise TypeError(message)
    if not iscoroutinefunction(dependant.call):
        message = f"a hot route calls coroutines alone: {dependant.call}"
        raise TypeError(message)


_Values = tuple[tuple[int, Any], ...]


class HotApp:
    """Serves one hot route; `searched` is the same route served by FastAPI."""

    def __init__(self, route: RouteContext) -> None:
        self._plan = _Plan(route.dependant)
        self._slow: ASGIApp = route.app
        # Parsed and validated once: the values cannot be changed.
        self._query = lru_cache(_QUERIES)(self._read_query)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        values = self._values(scope)
        if values is None:
            await self._slow(scope, receive, send)
            return
        values[0] = Request(scope, receive, send)
        for slot, call, given in self._plan.steps:
            values[slot] = await call(**{name: values[at] for name, at in given})
        await values[-1](scope, receive, send)

    def _values(self, scope: Scope) -> list[Any] | None:
        """Return the slots, filled with what the request sends if it validates."""
        sent = scope["query_string"]
        if len(sent) > _MAX_QUERY_BYTES:
            return None
        query = self._query(sent)
        path = _validated(self._plan.path, scope["path_params"])
        if query is None or path is None:
            return None
        values: list[Any] = [None] * self._plan.size
        for slot, value in (*query, *path):
            values[slot] = value
        return values

    def _read_query(self, sent: bytes) -> _Values | None:
        pairs = parse_qsl(sent.decode("latin-1"), keep_blank_values=True)
        return _validated(self._plan.query, dict(pairs))


def _validated(fields: list[_Field], sent: dict[str, Any]) -> _Values | None:
    values = []
    for field in fields:
        value, is_valid = field.value(sent)
        if not is_valid:
            return None
        values.append((field.slot, value))
    return tuple(values)
