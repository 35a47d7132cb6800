from typing import Any

import httpx2
import pytest
from fastapi import APIRouter, FastAPI
from hypothesis import given
from hypothesis import strategies as st
from starlette.types import Receive, Scope, Send

from dossier.core import dispatch, problems

things = APIRouter(prefix="/things")


@things.get("/mine")
async def show_mine() -> str:
    return "mine"


@things.get("/{thing_id}")
async def show(thing_id: int) -> str:
    return f"thing {thing_id}"


@things.get("/{thing_id}/parts/{name}.json")
async def show_part(thing_id: int, name: str) -> str:
    return f"part {name} of {thing_id}"


@things.post("/{thing_id}/parts")
async def add_part(thing_id: int) -> str:
    return f"a part of {thing_id}"


@things.get("/files/{where:path}")
async def show_file(where: str) -> str:
    return f"file {where}"


@things.get("/counts/{count:int}")
async def show_count(count: int) -> str:
    return f"count {count}"


def app_of(*, with_dispatcher: bool) -> FastAPI:
    app = FastAPI(redirect_slashes=False)
    app.include_router(things, prefix="/api")
    problems.install(app)
    if with_dispatcher:
        dispatch.install(app.router)
    return app


DISPATCHED = app_of(with_dispatcher=True)
SEARCHED = app_of(with_dispatcher=False)


async def asked(app: FastAPI, method: str, path: str) -> tuple[int, Any]:
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://x") as client:
        answer = await client.request(method, path)
    body = answer.json()
    return answer.status_code, body if answer.is_success else body["code"]


@pytest.mark.parametrize(
    ("method", "path", "answer"),
    [
        ("GET", "/api/things/mine", (200, "mine")),
        ("GET", "/api/things/7", (200, "thing 7")),
        ("GET", "/api/things/x", (422, "request_invalid")),
        ("GET", "/api/things/7/parts/lid.json", (200, "part lid of 7")),
        ("POST", "/api/things/7/parts", (200, "a part of 7")),
        ("GET", "/api/things/files/a/b/c.txt", (200, "file a/b/c.txt")),
        ("GET", "/api/things/counts/12", (200, "count 12")),
        ("GET", "/api/things/counts/many", (404, "route_not_found")),
        ("GET", "/api/things/7/parts", (405, "method_not_allowed")),
        ("GET", "/api/things/7/", (404, "route_not_found")),
        ("GET", "/api/things/", (404, "route_not_found")),
        ("GET", "/api/nothing", (404, "route_not_found")),
        ("DELETE", "/api/things/mine", (405, "method_not_allowed")),
    ],
)
async def test_request_finds_its_route(
    method: str, path: str, answer: tuple[int, Any]
) -> None:
    assert await asked(DISPATCHED, method, path) == answer


segments = st.sampled_from(
    ["api", "things", "mine", "7", "parts", "lid.json", "files", "counts", "", "é"]
)


@given(
    method=st.sampled_from(["GET", "POST", "DELETE", "HEAD"]),
    tail=st.lists(segments, max_size=5),
)
async def test_nothing_is_answered_otherwise_than_by_search(
    method: str, tail: list[str]
) -> None:
    path = "/" + "/".join(["api", "things", *tail])

    assert await status_of(DISPATCHED, method, path) == await status_of(
        SEARCHED, method, path
    )


async def status_of(app: FastAPI, method: str, path: str) -> int:
    statuses: list[int] = []

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    await app(scope_of(method, path), receive, send)
    return statuses[0]


def scope_of(method: str, path: str) -> dict[str, Any]:
    return {
        "type": "http",
        "method": method,
        "path": path,
        "query_string": b"",
        "scheme": "http",
        "headers": [],
        "server": ("x", 80),
        "root_path": "",
    }


async def test_known_route_needs_no_search() -> None:
    app = app_of(with_dispatcher=False)

    async def search(_scope: Scope, _receive: Receive, _send: Send) -> None:
        pytest.fail("searched")

    app.router.middleware_stack = search  # type: ignore[assignment] # any ASGI app does
    dispatch.install(app.router)

    assert await status_of(app, "GET", "/api/things/7") == 200


async def test_app_below_a_prefix_is_searched_as_before() -> None:
    outer = FastAPI()
    outer.mount("/below", DISPATCHED)

    assert await status_of(outer, "GET", "/below/api/things/7") == 200


async def test_one_path_may_be_shared_by_two_routers() -> None:
    reading, writing = APIRouter(), APIRouter()

    @reading.get("/shared")
    async def read() -> str:
        return "read"

    @writing.post("/shared")
    async def write() -> str:
        return "written"

    app = FastAPI()
    for router in (reading, writing):
        app.include_router(router, prefix="/api")
    dispatch.install(app.router)

    answers = [await asked(app, "POST", "/api/shared") for _ in range(2)]
    answers.append(await asked(app, "GET", "/api/shared"))

    assert answers == [(200, "written"), (200, "written"), (200, "read")]
