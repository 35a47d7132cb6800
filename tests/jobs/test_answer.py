"""The finished job as the answer of the call that waited for it."""

from uuid import UUID

import orjson
import pytest
from fastapi import FastAPI, Request
from tests.conftest import ORG_ID
from tests.factories.jobs import make_job

from dossier.core.database import SessionFactory
from dossier.core.startup import Database
from dossier.jobs.constants import JobState
from dossier.jobs.exceptions import JobNotFoundError
from dossier.jobs.follower import JobFollower
from dossier.jobs.responses import answer_for_job

WAIT_S = 0.1
PROBLEM = {"type": "/problems/upstream", "code": "upstream", "status": 502}


@pytest.fixture
async def sessions(worker_database: Database) -> SessionFactory:
    """Sessions that commit: what waits reads over connections of its own."""
    return worker_database.sessions


@pytest.fixture
async def org_id() -> UUID:
    return ORG_ID


@pytest.fixture(autouse=True)
async def following(app: FastAPI, follower: JobFollower) -> None:
    app.state.job_follower = follower


def request_of(app: FastAPI, token: str) -> Request:
    headers = [(b"authorization", f"Bearer {token}".encode())]
    return Request({"type": "http", "app": app, "headers": headers})


@pytest.mark.parametrize("state", [JobState.PENDING, JobState.CANCELLING])
async def test_a_job_that_is_not_over_gives_no_answer_yet(
    app: FastAPI, sessions: SessionFactory, org_id: UUID, state: JobState
) -> None:
    job = await make_job(sessions, org_id, state=state)

    assert await answer_for_job(request_of(app, "mei"), job.id, WAIT_S) is None


async def test_a_done_job_is_the_answer(
    app: FastAPI, sessions: SessionFactory, org_id: UUID
) -> None:
    job = await make_job(sessions, org_id, state=JobState.DONE, result_path="/there")

    response = await answer_for_job(request_of(app, "mei"), job.id, WAIT_S)

    assert response is not None
    body = orjson.loads(bytes(response.body))
    assert (response.status_code, body["result_path"]) == (200, "/there")


async def test_the_problem_of_a_failed_job_is_the_answer(
    app: FastAPI, sessions: SessionFactory, org_id: UUID
) -> None:
    job = await make_job(sessions, org_id, state=JobState.FAILED, error=PROBLEM)

    response = await answer_for_job(request_of(app, "mei"), job.id, WAIT_S)

    assert response is not None
    assert (response.status_code, response.media_type) == (
        502,
        "application/problem+json",
    )


async def test_a_job_of_another_organisation_is_not_waited_for(
    app: FastAPI, sessions: SessionFactory, org_id: UUID
) -> None:
    job = await make_job(sessions, org_id)

    with pytest.raises(JobNotFoundError):
        # Answered as soon as the follower has looked.
        await answer_for_job(request_of(app, "other"), job.id, 10)
