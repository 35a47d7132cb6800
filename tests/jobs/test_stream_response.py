"""A job's events over HTTP: resumed, refused, ended with a right that is lost."""

import asyncio
from collections.abc import AsyncIterator

import httpx2
import orjson
import pytest
from fastapi import APIRouter, FastAPI, Response
from tests.conftest import ORG_ID
from tests.factories.jobs import STREAM_KIND, get_job, make_toy

from dossier.core import problems
from dossier.core.database import SessionFactory, tenant_transaction
from dossier.core.startup import Database
from dossier.core.tenancy import Actor
from dossier.jobs.dependencies import Follower
from dossier.jobs.event_log import JobEventLog
from dossier.jobs.follower import JobFollower
from dossier.jobs.gateway import rows
from dossier.jobs.models import Job
from dossier.jobs.responses import StartingAfter, event_stream
from dossier.jobs.service import JobsService


@pytest.fixture
def sessions(worker_database: Database) -> SessionFactory:
    return worker_database.sessions


class Rights:
    """Whether the reader may follow; a test may wait until that is asked."""

    def __init__(self) -> None:
        self.may = True
        self.asked = asyncio.Event()

    async def __call__(self) -> bool:
        self.asked.set()
        return self.may


@pytest.fixture
def rights() -> Rights:
    return Rights()


@pytest.fixture
async def job(sessions: SessionFactory) -> Job:
    return await make_toy(sessions, ORG_ID, subject_id=ORG_ID)


@pytest.fixture
def app(
    sessions: SessionFactory, follower: JobFollower, job: Job, rights: Rights
) -> FastAPI:
    app, router = FastAPI(), APIRouter()

    @router.get("/events")
    async def stream(following: Follower, after: StartingAfter) -> Response:
        found = await get_job(sessions, job)
        return event_stream(following, found, after, may_follow=rights)

    app.include_router(router)
    problems.install(app)
    app.state.job_follower = follower
    return app


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx2.AsyncClient]:
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://x") as client:
        yield client


async def append(sessions: SessionFactory, job: Job, *kinds: str) -> None:
    async with tenant_transaction(sessions, ORG_ID) as session:
        held = await rows.lock_job_for_org(session, ORG_ID, job.id)
        assert held is not None
        for kind in kinds:
            await JobEventLog(session, held).append(kind, {})


async def end(sessions: SessionFactory, job: Job) -> None:
    async with tenant_transaction(sessions, ORG_ID) as session:
        jobs = JobsService(session, Actor.system(ORG_ID))
        await jobs.cancel_job_of_kind(job.id, STREAM_KIND)


def ids_of(body: str) -> list[int]:
    return [int(line[4:]) for line in body.splitlines() if line.startswith("id: ")]


async def test_a_stream_is_server_sent_events_with_numbers(
    client: httpx2.AsyncClient, sessions: SessionFactory, job: Job
) -> None:
    await append(sessions, job, "toy.said")
    await end(sessions, job)

    response = await client.get("/events")

    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/event-stream")
    assert response.headers["cache-control"] == "no-cache, no-transform"
    first, *frames = response.text.strip().split("\n\n")
    assert first == "retry: 1000"
    assert len(frames) == 3
    for number, frame in enumerate(frames, 1):
        id_line, event_line, data_line = frame.splitlines()
        data = orjson.loads(data_line.removeprefix("data: "))
        assert id_line == f"id: {number}"
        assert event_line == f"event: {data['type']}"
        assert data["sequence_number"] == number


@pytest.mark.parametrize(
    ("headers", "query"),
    [
        ({"last-event-id": "2"}, {}),
        ({}, {"starting_after": "2"}),
        ({"last-event-id": "2"}, {"starting_after": "1"}),
        ({"last-event-id": "1"}, {"starting_after": "2"}),
    ],
)
async def test_a_stream_is_resumed_after_a_number(
    client: httpx2.AsyncClient,
    sessions: SessionFactory,
    job: Job,
    headers: dict[str, str],
    query: dict[str, str],
) -> None:
    await append(sessions, job, "toy.said")
    await end(sessions, job)

    response = await client.get("/events", headers=headers, params=query)

    assert ids_of(response.text) == [3]


async def test_a_stream_that_was_read_to_its_end_is_answered_without_content(
    client: httpx2.AsyncClient, sessions: SessionFactory, job: Job
) -> None:
    await end(sessions, job)

    response = await client.get("/events", headers={"last-event-id": "2"})

    assert response.status_code == 204


@pytest.mark.parametrize("position", ["9", "-1", "x", "1.5", "9" * 30])
@pytest.mark.parametrize("is_over", [True, False])
async def test_a_position_that_no_event_has_is_refused(
    *,
    client: httpx2.AsyncClient,
    sessions: SessionFactory,
    job: Job,
    position: str,
    is_over: bool,
) -> None:
    if is_over:
        await end(sessions, job)

    response = await client.get("/events", headers={"last-event-id": position})

    assert response.status_code == 422
    assert response.json()["type"] == "/problems/stream-position-invalid"
    assert response.json()["errors"][0]["pointer"] == "Last-Event-ID"


async def test_new_events_reach_a_stream_that_is_open(
    client: httpx2.AsyncClient, sessions: SessionFactory, job: Job
) -> None:
    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        reading = group.create_task(client.get("/events"))
        await append(sessions, job, "toy.said", "toy.said")
        await end(sessions, job)

    assert ids_of(reading.result().text) == [1, 2, 3, 4]


async def test_a_right_that_is_lost_ends_the_stream(
    client: httpx2.AsyncClient,
    sessions: SessionFactory,
    follower: JobFollower,
    rights: Rights,
) -> None:
    follower.recheck_s = 0.05
    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        reading = group.create_task(client.get("/events"))
        await rights.asked.wait()
        follower.recheck_s = 60  # from now on only the notification has it asked
        rights.may = False
        async with tenant_transaction(sessions, ORG_ID) as session:
            jobs = JobsService(session, Actor.system(ORG_ID))
            await jobs.announce_access_change(ORG_ID)
        response = await reading

    assert (response.status_code, ids_of(response.text)) == (200, [1])


async def test_rights_are_asked_again_while_nothing_is_notified(
    client: httpx2.AsyncClient, follower: JobFollower, rights: Rights
) -> None:
    follower.recheck_s = follower.keep_alive_s = 0.05

    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        reading = group.create_task(client.get("/events"))
        for _ in range(3):
            await rights.asked.wait()
            rights.asked.clear()
        rights.may = False
        response = await reading

    assert ": keep-alive" in response.text


async def test_streams_end_when_the_process_stops(
    client: httpx2.AsyncClient, follower: JobFollower, rights: Rights
) -> None:
    follower.recheck_s = 0.05
    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        reading = group.create_task(client.get("/events"))
        await rights.asked.wait()
        await follower.close()
        response = await reading

    assert response.status_code == 200
