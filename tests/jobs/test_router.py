"""Jobs over HTTP."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import httpx2
import pytest
from tests.factories.jobs import STREAM_KIND, make_job

from dossier.core.database import SessionFactory
from dossier.core.models import new_id
from dossier.jobs.constants import JobState

PROBLEM = {"type": "/problems/upstream", "code": "upstream", "status": 502}


async def test_a_job_shows_state_progress_and_attempts(
    client: httpx2.AsyncClient, sessions: SessionFactory, org_id: UUID
) -> None:
    job = await make_job(
        sessions,
        org_id,
        state=JobState.PROCESSING,
        attempts=1,
        progress_done=3,
        progress_total=12,
        progress_unit="pages",
    )

    response = await client.get(f"/api/v1/jobs/{job.id}")

    assert response.status_code == 200
    body = response.json()
    created_at = body.pop("created_at")
    assert datetime.fromisoformat(created_at) <= datetime.now(UTC)
    assert body == {
        "id": str(job.id),
        "kind": "tests.act",
        "state": "processing",
        "priority": 0,
        "progress": {"done": 3, "total": 12, "unit": "pages", "message": None},
        "attempts": 1,
        "error": None,
        "result_path": None,
        "started_at": None,
        "finished_at": None,
        "cancel_requested_at": None,
    }


async def test_a_failed_job_is_shown_with_its_problem_inside(
    client: httpx2.AsyncClient, sessions: SessionFactory, org_id: UUID
) -> None:
    job = await make_job(sessions, org_id, state=JobState.FAILED, error=PROBLEM)

    response = await client.get(f"/api/v1/jobs/{job.id}")

    assert response.status_code == 200
    assert response.json()["error"] == PROBLEM


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, 3),
        ({"state": "failed"}, 1),
        ({"kind": "tests.act"}, 2),
        ({"created_after": "2100-01-01T00:00:00Z"}, 0),
        ({"created_before": "2100-01-01T00:00:00Z"}, 3),
    ],
)
async def test_the_list_is_narrowed_by_filters(
    client: httpx2.AsyncClient,
    sessions: SessionFactory,
    org_id: UUID,
    query: dict[str, str],
    expected: int,
) -> None:
    for kind, state in [
        ("tests.act", JobState.PENDING),
        ("tests.act", JobState.FAILED),
        ("tests.other", JobState.PENDING),
    ]:
        await make_job(sessions, org_id, kind, state=state)

    response = await client.get("/api/v1/jobs", params=query)

    assert response.status_code == 200
    assert response.json()["total"] == expected


async def test_the_newest_job_comes_first(
    client: httpx2.AsyncClient, sessions: SessionFactory, org_id: UUID
) -> None:
    now = datetime.now(UTC)
    made = [
        await make_job(sessions, org_id, created_at=now + timedelta(seconds=place))
        for place in range(3)
    ]

    response = await client.get("/api/v1/jobs", params={"limit": 2})

    ids = [item["id"] for item in response.json()["items"]]
    assert ids == [str(made[2].id), str(made[1].id)]


@pytest.mark.parametrize(
    "query",
    [
        {"limit": 51},
        {"state": "asleep"},
        {"kind": "a\x00.b"},
        {"created_after": "yesterday"},
        {"created_after": "2026-01-01T00:00:00"},
    ],
)
async def test_an_invalid_filter_is_refused(
    client: httpx2.AsyncClient, query: dict[str, str | int]
) -> None:
    response = await client.get("/api/v1/jobs", params=query)

    assert response.status_code == 422


async def test_cancelling_twice_answers_the_same(
    client: httpx2.AsyncClient, sessions: SessionFactory, org_id: UUID
) -> None:
    job = await make_job(sessions, org_id)

    answers = [await client.post(f"/api/v1/jobs/{job.id}/cancel") for _ in range(2)]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].json() == answers[1].json()
    assert answers[0].json()["state"] == "cancelled"


async def test_retrying_a_failed_job_names_its_location(
    client: httpx2.AsyncClient, sessions: SessionFactory, org_id: UUID
) -> None:
    job = await make_job(sessions, org_id, state=JobState.FAILED, error=PROBLEM)

    response = await client.post(f"/api/v1/jobs/{job.id}/retry")

    assert response.status_code == 202
    assert response.headers["location"] == f"/api/v1/jobs/{job.id}"
    assert response.headers["retry-after"] == "1"
    assert response.json()["state"] == "pending"


async def test_retrying_a_pending_job_is_a_conflict(
    client: httpx2.AsyncClient, sessions: SessionFactory, org_id: UUID
) -> None:
    job = await make_job(sessions, org_id)

    response = await client.post(f"/api/v1/jobs/{job.id}/retry")

    assert response.status_code == 409
    assert response.json()["type"] == "/problems/job-state"


@pytest.mark.parametrize("call", ["GET", "POST /cancel", "POST /retry"])
async def test_the_job_of_another_organisation_is_not_found(
    other_client: httpx2.AsyncClient,
    anonymous_client: httpx2.AsyncClient,
    sessions: SessionFactory,
    org_id: UUID,
    call: str,
) -> None:
    job = await make_job(sessions, org_id, state=JobState.FAILED)
    verb, _, path = call.partition(" ")
    url = f"/api/v1/jobs/{job.id}{path}"

    other = await other_client.request(verb, url)
    nobody = await anonymous_client.request(verb, url)

    assert (other.status_code, nobody.status_code) == (404, 401)
    assert other.json()["type"] == "/problems/job-not-found"


@pytest.mark.parametrize("call", ["GET", "POST /cancel", "POST /retry"])
async def test_a_job_of_an_unlisted_kind_is_not_found(
    client: httpx2.AsyncClient, sessions: SessionFactory, org_id: UUID, call: str
) -> None:
    job = await make_job(sessions, org_id, STREAM_KIND, state=JobState.FAILED)
    verb, _, path = call.partition(" ")

    response = await client.request(verb, f"/api/v1/jobs/{job.id}{path}")

    assert response.status_code == 404
    assert response.json()["type"] == "/problems/job-not-found"


async def test_a_job_of_an_unlisted_kind_is_in_no_list_and_no_total(
    client: httpx2.AsyncClient, sessions: SessionFactory, org_id: UUID
) -> None:
    await make_job(sessions, org_id, STREAM_KIND)
    listed = await make_job(sessions, org_id)

    page = (await client.get("/api/v1/jobs")).json()
    narrowed = await client.get("/api/v1/jobs", params={"kind": STREAM_KIND})

    assert [item["id"] for item in page["items"]] == [str(listed.id)]
    assert (page["total"], narrowed.json()["total"]) == (1, 0)


async def test_an_unknown_job_is_not_found(client: httpx2.AsyncClient) -> None:
    response = await client.get(f"/api/v1/jobs/{new_id()}")

    assert response.status_code == 404
