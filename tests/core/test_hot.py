"""Hot routes answer what FastAPI would have answered."""

from collections.abc import AsyncIterator
from typing import Annotated, Any, Literal
from uuid import UUID

import httpx2
import orjson
import pytest
from fastapi import APIRouter, Depends, FastAPI, Header, Query, Request, Response
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from dossier.core import dispatch, problems
from dossier.core.errors import ConflictError
from dossier.core.hot import hot
from dossier.core.web import PUBLIC

ID = "018f0000-0000-7000-8000-0000000000c1"
ENDED: list[str] = []


class Thing(BaseModel):
    """A body."""

    name: str = Field(max_length=5)
    size: int = 1


class TakenError(ConflictError):
    """The name is taken."""


async def paging(
    limit: Annotated[int, Query(ge=1, le=50)] = 20,
    include: Literal["total"] | None = None,
) -> tuple[int, str | None]:
    return limit, include


Paging = Annotated[tuple[int, str | None], Depends(paging)]


async def agent(request: Request, page: Paging) -> str:
    return f"{request.headers.get('x-name', 'nobody')} {page}"


async def store() -> AsyncIterator[list[str]]:
    stored: list[str] = []
    yield stored
    if "taken" in stored:
        raise TakenError
    ENDED.extend(stored)


def json_of(content: Any) -> Response:
    return Response(orjson.dumps(content), media_type="application/json")


async def show(
    thing_id: UUID, page: Paging, agent: Annotated[str, Depends(agent)]
) -> Response:
    return json_of([thing_id, page, agent])


async def add(
    body: Thing, stored: Annotated[list[str], Depends(store, scope="function")]
) -> Response:
    stored.append(body.name)
    return Response(orjson.dumps([body.name, body.size, list(ENDED)]), 201)


def app_of(*, is_hot: bool) -> FastAPI:
    router = APIRouter(prefix="/things")
    router.get("/{thing_id}", openapi_extra=PUBLIC)(
        hot(show) if is_hot else unmarked(show)
    )
    router.post("", openapi_extra=PUBLIC)(hot(add) if is_hot else unmarked(add))
    app = FastAPI(redirect_slashes=False)
    app.include_router(router)
    problems.install(app)
    dispatch.install(app.router)
    return app


def unmarked(endpoint: Any) -> Any:
    endpoint.__dict__.pop("__dossier_hot__", None)
    return endpoint


async def asked(app: FastAPI, method: str, path: str, **sent: Any) -> tuple[int, Any]:
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://x") as client:
        answer = await client.request(method, path, **sent)
    return answer.status_code, answer.json()


async def both(method: str, path: str, **sent: Any) -> tuple[int, Any]:
    """Ask the route in both ways; the answers are the same."""
    answers = []
    for is_hot in (False, True):
        ENDED.clear()
        answers.append(await asked(app_of(is_hot=is_hot), method, path, **sent))
    assert answers[0] == answers[1]
    return answers[1]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (f"/things/{ID}", 200),
        (f"/things/{ID}?limit=7&include=total", 200),
        (f"/things/{ID}?limit=7&limit=8", 200),
        (f"/things/{ID}?limit=%37&colour=red", 200),
        (f"/things/{ID}?limit=" + "0" * 300 + "7", 200),
        (f"/things/{ID}?limit=0", 422),
        (f"/things/{ID}?limit=", 422),
        (f"/things/{ID}?include=all", 422),
        ("/things/x?limit=x", 422),
    ],
)
async def test_query_and_path_mean_the_same(path: str, status: int) -> None:
    assert (await both("GET", path, headers={"x-name": "mei"}))[0] == status


@given(
    pairs=st.lists(
        st.tuples(
            st.sampled_from(["limit", "include", "x", ""]),
            st.sampled_from(["", "1", "50", "51", "-1", "1.0", " 7", "total", "é"]),
        ),
        max_size=3,
    )
)
async def test_every_query_is_answered_alike(pairs: list[tuple[str, str]]) -> None:
    await both("GET", f"/things/{ID}", params=pairs)


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ({"json": {"name": "a", "size": 2}}, 201),
        ({"json": {"name": "a", "size": "2"}}, 201),
        ({"json": {"name": "too long", "size": []}}, 422),
        ({"json": []}, 422),
        ({"content": b"{"}, 415),
        ({"content": b"", "headers": {"content-type": "application/json"}}, 422),
        ({"content": b"{", "headers": {"content-type": "application/json"}}, 422),
        (
            {"content": b'{"name": "a"}', "headers": {"content-type": "text/plain"}},
            415,
        ),
        (
            {
                "content": b'{"name": "a"}',
                "headers": {"content-type": "application/merge+json; charset=utf-8"},
            },
            201,
        ),
        (
            {
                "content": b"[" * 100_000,
                "headers": {"content-type": "application/json"},
            },
            422,
        ),
        ({"json": {"name": "taken"}}, 409),
    ],
)
async def test_body_means_the_same(sent: dict[str, Any], status: int) -> None:
    assert (await both("POST", "/things", **sent))[0] == status


async def test_what_is_stored_is_stored_before_the_answer() -> None:
    ENDED.clear()
    seen: list[list[str]] = []
    app = app_of(is_hot=True)

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            seen.append(list(ENDED))

    async def receive() -> Any:
        return {"type": "http.request", "body": b'{"name": "a"}', "more_body": False}

    await app(scope_of("POST", "/things"), receive, send)

    assert seen == [["a"]]


async def test_half_a_body_is_nothing_to_act_on() -> None:
    ENDED.clear()
    parts = iter(
        [
            {"type": "http.request", "body": b'{"name": "a"}', "more_body": True},
            {"type": "http.disconnect"},
        ]
    )

    async def receive() -> Any:
        return next(parts)

    async def send(_message: Any) -> None:
        """Nobody listens."""

    await app_of(is_hot=True)(scope_of("POST", "/things"), receive, send)

    assert ENDED == []


def scope_of(method: str, path: str) -> dict[str, Any]:
    return {
        "type": "http",
        "method": method,
        "path": path,
        "query_string": b"",
        "scheme": "http",
        "headers": [(b"content-type", b"application/json")],
        "server": ("x", 80),
        "root_path": "",
    }


async def by_header(x_name: Annotated[str, Header()]) -> Response:
    return json_of(x_name)


async def by_late_generator(
    stored: Annotated[list[str], Depends(store)],
) -> Response:
    return json_of(stored)


def in_a_thread() -> Response:
    return json_of(None)


@pytest.mark.parametrize("endpoint", [by_header, by_late_generator, in_a_thread])
async def test_route_that_cannot_be_hot_is_refused(endpoint: Any) -> None:
    app = FastAPI()
    app.get("/")(hot(endpoint))
    dispatch.install(app.router)

    with pytest.raises(TypeError, match="a hot route"):
        await asked(app, "GET", "/")
