"""`http`: routes with log-in, row security and all middlewares, against two others.

The floor is a bare ASGI callable with asyncpg; the usual way is in `usual.py`. All
three serve at the same time from one database and are driven in turns.
"""

import sys
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID

import orjson
from benchmarks.figures import Figures, ratio
from benchmarks.load import Request, Target, always, drive
from benchmarks.processes import dossier, free_port, server
from benchmarks.stage import (
    LARGE,
    LARGE_ROWS,
    PASSWORD,
    SMALL,
    SMALL_ROWS,
    Stage,
    email_of,
    stage,
)
from benchmarks.wire import answer, request

OURS, FLOOR, USUAL = "dossier", "floor", "usual"
TIMES_USUAL = {"list": 4.0, "get": 4.0, "create": 1.3}
"""How many times as many requests as the usual way a route is to serve."""

PER_SECOND = {
    "board": 600,
    **dict.fromkeys(("documents", "activity", "chat/rooms", "jobs"), 900),
}
"""How many requests a route is to serve that the usual way has not."""

_LISTS = ("documents", "activity", "chat/rooms", "jobs", "users")
"""Lists that only we have."""

# Log-ins burn a core each; more than a few at once would measure the queue.
_CONNECTIONS = {"login": 4}


class Place(NamedTuple):
    """Where a server listens, and which process it is."""

    port: int
    pid: int


@dataclass(frozen=True, slots=True)
class Face:
    """One server: where it listens, what its paths begin with, who is logged in."""

    port: int
    pid: int
    prefix: str
    login: str
    headers: Mapping[str, str]


async def measure(seconds: float = 3.0) -> dict[str, Any]:
    """Return requests per second and latencies of every route, with ratios."""
    async with stage() as played, AsyncExitStack() as stack:
        await played.add_products(SMALL, SMALL_ROWS)
        await played.add_lists(SMALL, SMALL_ROWS)
        places = await _start(played, stack)
        small = {name: await _face(name, at, SMALL) for name, at in places.items()}
        routes = await _in_turns(small, await _requests(small), seconds)
        await played.add_products(LARGE, LARGE_ROWS)
        large = {name: await _face(name, at, LARGE) for name, at in places.items()}
        del large[FLOOR]  # it knows one organisation
        lists = {name: _list(face) for name, face in large.items()}
        routes |= await _in_turns(large, {"list_of_100k": lists}, seconds)
    return _judged(routes)


async def _start(played: Stage, stack: AsyncExitStack) -> dict[str, Place]:
    ports = {name: free_port() for name in (OURS, FLOOR, USUAL)}
    commands = {
        OURS: [dossier(), "serve", "--no-worker", "--port", str(ports[OURS])],
        FLOOR: _uvicorn("benchmarks.floor:app", ports[FLOOR], "--no-access-log"),
        USUAL: _uvicorn("benchmarks.usual:app", ports[USUAL], "--access-log"),
    }
    places = {}
    for name, argv in commands.items():
        running = server(argv, ports[name], env=played.env())
        pid, _ = await stack.enter_async_context(running)
        places[name] = Place(ports[name], pid)
    return places


def _uvicorn(app: str, port: int, *more: str) -> list[str]:
    return [sys.executable, "-m", "uvicorn", app, "--port", str(port), *more]


async def _face(name: str, at: Place, org_id: UUID) -> Face:
    if name == FLOOR:
        return Face(*at, "", "", {})
    prefix = "/api/v1"
    login = f"{prefix}/auth/login" if name == OURS else f"{prefix}/login"
    status, body = await answer(
        at.port, request("POST", login, {}, _credentials(org_id))
    )
    if status != 200:  # noqa: PLR2004 - what a log-in answers
        message = f"{name}: log-in answered {status}: {body.decode()}"
        raise RuntimeError(message)
    token = orjson.loads(body)["access_token"]
    return Face(*at, prefix, login, {"authorization": f"Bearer {token}"})


def _credentials(org_id: UUID) -> bytes:
    return orjson.dumps({"email": email_of(org_id), "password": PASSWORD})


async def _requests(faces: Mapping[str, Face]) -> dict[str, dict[str, Request]]:
    """Return, by route and server, what is sent."""
    writers = {name: face for name, face in faces.items() if face.login}
    ours = faces[OURS]
    paths = {path: f"/{path}?limit=20" for path in _LISTS}
    paths["board"] = f"/products/{await _newest(ours)}/pif"
    of_ours = {
        route: {OURS: always(request("GET", f"{ours.prefix}{path}", ours.headers))}
        for route, path in paths.items()
    }
    return {
        "health": {name: always(request("GET", "/health", {})) for name in faces},
        "list": {name: _list(face) for name, face in faces.items()},
        "get": {name: await _get(face) for name, face in faces.items()},
        **of_ours,
        "create": {name: _create(face) for name, face in writers.items()},
        "login": {name: _login(face) for name, face in writers.items()},
    }


def _list(face: Face) -> Request:
    path = f"{face.prefix}/products" + ("?limit=20" if face.login else "")
    return always(request("GET", path, face.headers))


async def _get(face: Face) -> Request:
    path = f"{face.prefix}/products/{await _newest(face)}"
    return always(request("GET", path, face.headers))


async def _newest(face: Face) -> str:
    """Return the id of the first product of the list."""
    _, body = await answer(face.port, _list(face)(0))
    page = orjson.loads(body)
    first = (page.get("items") or page.get("data"))[0]
    return str(first["id"])


def _create(face: Face) -> Request:
    path = f"{face.prefix}/products"
    return lambda n: request("POST", path, face.headers, orjson.dumps(_product(n)))


def _product(number: int) -> dict[str, Any]:
    return {
        "code": f"N-{_next()}-{number}",
        "name_zh": "玫瑰面霜",
        "name_en": "Rose Cream",
        "category": "face_cream",
        "use": "leave_on",
        "holder": {"name": "Jiyue"},
    }


def _login(face: Face) -> Request:
    return always(request("POST", face.login, {}, _credentials(SMALL)))


_COUNTER: Callable[[], int] = iter(range(10**9)).__next__


def _next() -> int:
    """Return a number that no earlier request carried: codes are unique."""
    return _COUNTER()


async def _in_turns(
    faces: Mapping[str, Face],
    routes: Mapping[str, Mapping[str, Request]],
    seconds: float,
) -> dict[str, dict[str, Figures]]:
    measured: dict[str, dict[str, Figures]] = {}
    for route, makes in routes.items():
        connections = _CONNECTIONS.get(route, 10)
        measured[route] = {
            name: await drive(_target(faces[name], connections, seconds), make)
            for name, make in makes.items()
        }
    return measured


def _target(face: Face, connections: int, seconds: float) -> Target:
    return Target(face.port, face.pid, connections, seconds)


def _judged(routes: dict[str, dict[str, Figures]]) -> dict[str, Any]:
    ratios = {
        route: {
            f"to_{other}": _ratios(runs[OURS], runs[other])
            for other in (FLOOR, USUAL)
            if other in runs
        }
        for route, runs in routes.items()
    }
    refused = sum(run["refused"] for runs in routes.values() for run in runs.values())
    reached = {route: ratios[route][f"to_{USUAL}"]["requests"] for route in TIMES_USUAL}
    reached |= {route: routes[route][OURS]["requests_per_s"] for route in PER_SECOND}
    marks = TIMES_USUAL | PER_SECOND
    missed = {name: rate for name, rate in reached.items() if rate < marks[name]}
    return {
        "routes": routes,
        "ratios": ratios,
        "missed": missed,
        "passed": not missed and not refused,
    }


def _ratios(ours: Figures, theirs: Figures) -> dict[str, float]:
    """Return how many times as many requests, by the clock and by processor time."""
    return {
        "requests": ratio(ours["requests_per_s"], theirs["requests_per_s"]),
        "requests_per_cpu": ratio(theirs["cpu_us"], ours["cpu_us"]),
    }
