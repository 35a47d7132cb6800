"""Routes that are asked most: their dependencies are put in order once, not each time.

FastAPI walks a route's tree of dependencies for every request, which takes longer than
the query. A `@hot` endpoint stays an ordinary one, documented and validated alike:
what a request sends is read here, and where any of it does not validate, the request
goes FastAPI's own way and gets FastAPI's own answer.
"""

import json
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from functools import lru_cache
from inspect import isasyncgenfunction, iscoroutinefunction
from typing import Any, NamedTuple, TypeVar
from urllib.parse import parse_qsl

from fastapi import Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import RouteContext
from starlette.types import ASGIApp, Message, Receive, Scope, Send

E = TypeVar("E", bound=Callable[..., Awaitable[Any]])

_MARK = "__dossier_hot__"
_MAX_QUERY_BYTES = 256
_QUERIES = 256
_JSON = (b"content-type", b"application/json")
# What no hot route needs; one that comes to need it says so when the app is made.
_UNKNOWN = (
    "header_params",
    "cookie_params",
    "response_param_name",
    "background_tasks_param_name",
    "http_connection_param_name",
    "security_scopes_param_name",
    "concurrency",
)


def hot(endpoint: E) -> E:
    """Mark an endpoint that returns a `Response` and whose dependencies are simple.

    They are coroutines, or generators of function scope, and take path and query
    parameters, the request and each other; the endpoint may take one JSON body too.
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
    call: Callable[..., Any]
    given: tuple[tuple[str, int], ...]
    is_generator: bool


class _Plan:
    """A route's calls in order. Slot 0 holds the request."""

    def __init__(self, dependant: Dependant) -> None:
        self.path: list[_Field] = []
        self.query: list[_Field] = []
        self.body: list[_Field] = []
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
        given += self._fields(self.body, dependant.body_params)
        named = tuple((name, slot) for name, slot in given if name is not None)
        slot = self._next_slot()
        self.steps.append(_step(slot, dependant, named))
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
    is_scoped = isasyncgenfunction(dependant.call) and dependant.scope == "function"
    if not (is_scoped or iscoroutinefunction(dependant.call)):
        message = f"a hot route calls coroutines alone: {dependant.call}"
        raise TypeError(message)


def _step(slot: int, dependant: Dependant, given: tuple[tuple[str, int], ...]) -> _Step:
    call: Any = dependant.call
    if isasyncgenfunction(call):
        return _Step(slot, asynccontextmanager(call), given, is_generator=True)
    return _Step(slot, call, given, is_generator=False)


_Values = tuple[tuple[int, Any], ...]


class HotApp:
    """Serves one hot route, and lets FastAPI serve what it does not understand."""

    def __init__(self, route: RouteContext) -> None:
        self._plan = _Plan(route.dependant)
        self._slow: ASGIApp = route.app
        # Parsed and validated once: the values cannot be changed.
        self._query = lru_cache(_QUERIES)(self._read_query)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        values = self._values(scope)
        if values is not None and self._plan.body:
            body, receive = await _read(receive)
            values = self._with_body(scope, body, values)
        if values is None:
            await self._slow(scope, receive, send)
            return
        values[0] = Request(scope, receive, send)
        response = await self._run(values)
        await response(scope, receive, send)

    async def _run(self, values: list[Any]) -> ASGIApp:
        """Call everything in order; generators end, as a commit does, before return."""
        async with AsyncExitStack() as stack:
            for slot, call, given, is_generator in self._plan.steps:
                called = call(**{name: values[at] for name, at in given})
                values[slot] = await (
                    stack.enter_async_context(called) if is_generator else called
                )
        response: ASGIApp = values[-1]
        return response

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

    def _with_body(
        self, scope: Scope, body: bytes, values: list[Any]
    ) -> list[Any] | None:
        [field] = self._plan.body
        if _JSON not in scope["headers"]:
            return None
        try:
            sent = json.loads(body)  # FastAPI's own parser: the same numbers and texts
        except (ValueError, RecursionError):
            return None
        value, errors = field.field.validate(sent, {}, loc=("body",))
        values[field.slot] = value
        return None if errors else values

    def _read_query(self, sent: bytes) -> _Values | None:
        pairs = parse_qsl(sent.decode("latin-1"), keep_blank_values=True)
        return _validated(self._plan.query, dict(pairs))


async def _read(receive: Receive) -> tuple[bytes, Receive]:
    """Return the whole body, and a way for another to receive it again."""
    messages: list[Message] = []
    while not messages or messages[-1].get("more_body"):
        messages.append(await receive())
    again = iter(messages)

    async def replay() -> Message:
        for message in again:
            return message
        return await receive()

    if messages[-1]["type"] != "http.request":
        return b"", replay  # the client went away in mid-body: nothing to act on
    return b"".join(message.get("body", b"") for message in messages), replay


def _validated(fields: list[_Field], sent: dict[str, Any]) -> _Values | None:
    values = []
    for field in fields:
        value, is_valid = field.value(sent)
        if not is_valid:
            return None
        values.append((field.slot, value))
    return tuple(values)
