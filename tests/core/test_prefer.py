"""Waiting for a job after the commit."""

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID

import httpx2
import pytest
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from fastapi.routing import APIRouter
from hypothesis import given
from hypothesis import strategies as st

from dossier.core.models import new_id
from dossier.core.prefer import MAX_PREFERRED_WAIT_S, PreferRoute, wait_of

JOB_ID = new_id()
LOCATION = f"/api/v1/jobs/{JOB_ID}"


@pytest.mark.parametrize(
    ("prefer", "expected"),
    [
        ("wait=5", 5),
        ("WAIT = 5", 5),
        ('wait="7", handling=lenient', 7),
        ("wait=999999", MAX_PREFERRED_WAIT_S),
        ("respond-async", None),
        ("respond-async, wait=10", None),
        ("wait", None),
        ("await=5", None),
        ("", None),
    ],
)
def test_the_field_is_read_as_rfc_7240_writes_it(
    prefer: str, expected: int | None
) -> None:
    assert wait_of(prefer) == expected


@given(st.text())
def test_no_preference_waits_longer_than_a_minute(prefer: str) -> None:
    assert (wait_of(prefer) or 0) <= MAX_PREFERRED_WAIT_S


class Answers:
    """Plays what waits for jobs: pending until it is given the end."""

    def __init__(self) -> None:
        self.ended = asyncio.Queue[Response]()
        self.asked = asyncio.Event()

    async def __call__(
        self, _request: Request, job_id: UUID, wait_s: float, /
    ) -> Response | None:
        assert job_id == JOB_ID
        self.asked.set()
        try:
            async with asyncio.timeout(wait_s):
                return await self.ended.get()
        except TimeoutError:
            return None


@pytest.fixture
def answers() -> Answers:
    return Answers()


@pytest.fixture
async def creator(answers: Answers) -> AsyncIterator[httpx2.AsyncClient]:
    app, router = FastAPI(), APIRouter(route_class=PreferRoute)

    @router.post("/things", status_code=202)
    async def create(response: Response) -> dict[str, str]:
        response.headers["location"] = LOCATION
        return {"state": "pending"}

    @router.post("/plain", status_code=201)
    async def plain() -> dict[str, str]:
        return {"state": "made"}

    app.include_router(router)
    app.state.job_answer = answers
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://x") as client:
        yield client


async def test_the_end_of_the_job_is_the_answer_when_it_comes_in_time(
    creator: httpx2.AsyncClient, answers: Answers
) -> None:
    async def end_the_job() -> None:
        await answers.asked.wait()
        answers.ended.put_nowait(JSONResponse({"state": "done"}))

    async with asyncio.TaskGroup() as group:
        group.create_task(end_the_job())
        response = await creator.post("/things", headers={"prefer": "wait=10"})

    assert (response.status_code, response.json()) == (200, {"state": "done"})
    assert response.headers["preference-applied"] == "wait=10"
    assert response.headers["location"] == LOCATION


async def test_the_problem_of_a_failed_job_is_the_answer(
    creator: httpx2.AsyncClient, answers: Answers
) -> None:
    answers.ended.put_nowait(JSONResponse({"status": 502}, 502))

    response = await creator.post("/things", headers={"prefer": "wait=10"})

    assert response.status_code == 502


async def test_the_first_answer_stands_when_the_time_is_over(
    creator: httpx2.AsyncClient,
) -> None:
    response = await creator.post("/things", headers={"prefer": "wait=0"})

    assert (response.status_code, response.json()) == (202, {"state": "pending"})
    assert response.headers["preference-applied"] == "wait=0"


async def test_respond_async_does_not_wait(
    creator: httpx2.AsyncClient, answers: Answers
) -> None:
    response = await creator.post("/things", headers={"prefer": "respond-async"})

    assert response.status_code == 202
    assert response.headers["preference-applied"] == "respond-async"
    assert not answers.asked.is_set()


@pytest.mark.parametrize("headers", [{}, {"prefer": "handling=lenient"}])
async def test_without_the_preference_nothing_is_applied(
    creator: httpx2.AsyncClient, headers: dict[str, str]
) -> None:
    response = await creator.post("/things", headers=headers)

    assert response.status_code == 202
    assert "preference-applied" not in response.headers


async def test_an_answer_without_a_job_is_sent_as_it_is(
    creator: httpx2.AsyncClient,
) -> None:
    response = await creator.post("/plain", headers={"prefer": "wait=10"})

    assert response.status_code == 201
    assert "preference-applied" not in response.headers
