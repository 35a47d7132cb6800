"""The activity log over HTTP."""

from typing import Any
from uuid import UUID, uuid4

import httpx2
import pytest
from tests.conftest import OTHER_USER_ID, USER_ID

from dossier.activity.service import ActivityService
from dossier.activity.tasks import seal_org
from dossier.core.database import SessionFactory, tenant_transaction
from dossier.core.errors import AppError
from dossier.core.tenancy import Actor

PATH = "/api/v1/activity"


@pytest.fixture
async def events(sessions: SessionFactory, actor: Actor) -> list[str]:
    """Three events of the organisation, the oldest first; return their entities."""
    events: tuple[tuple[str, str, str, str], ...] = (
        ("create", "product", "p-1", "success"),
        ("update", "product", "p-1", "failure"),
        ("export", "report", "r-1", "success"),
    )
    async with tenant_transaction(sessions, actor.org_id) as session:
        activity = ActivityService(session, actor)
        for action, entity_type, entity_id, status in events:
            await activity.record(action, entity_type, entity_id, status=status)
    return [entity_id for _, _, entity_id, _ in events]


async def found(client: httpx2.AsyncClient, **query: Any) -> list[str]:
    answer = await client.get(PATH, params=query)
    assert answer.status_code == 200, answer.text
    return [event["entity_id"] for event in answer.json()["items"]]


async def test_events_are_listed_newest_first_with_all_that_is_known(
    client: httpx2.AsyncClient, events: list[str]
) -> None:
    answer = await client.get(PATH)

    body = answer.json()
    assert {key: body[key] for key in ("total", "limit", "offset")} == {
        "total": 3,
        "limit": 20,
        "offset": 0,
    }
    assert [event["entity_id"] for event in body["items"]] == events[::-1]
    newest = body["items"][0]
    assert newest | {"id": "", "created_at": "", "row_hash": ""} == {
        "id": "",
        "created_at": "",
        "row_hash": "",
        "user_id": str(USER_ID),
        "actor_name": "Mei",
        "action": "export",
        "entity_type": "report",
        "entity_id": "r-1",
        "status": "success",
        "details": {},
        "address": "127.0.0.1",
        "user_agent": "tests",
        "request_id": "test-request",
    }


@pytest.mark.usefixtures("events")
@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"action_type": "create"}, ["p-1"]),
        ({"entity_type": "product"}, ["p-1", "p-1"]),
        ({"entity_id": "r-1"}, ["r-1"]),
        ({"status": "failure"}, ["p-1"]),
        ({"user_id": str(USER_ID)}, ["r-1", "p-1", "p-1"]),
        ({"user_id": str(OTHER_USER_ID)}, []),
        ({"created_after": "2020-01-01T00:00:00Z"}, ["r-1", "p-1", "p-1"]),
        ({"created_before": "2020-01-01T00:00:00+08:00"}, []),
        ({"entity_type": "product", "action_type": "export"}, []),
        ({"limit": 1, "offset": 1}, ["p-1"]),
    ],
)
async def test_activity_is_filtered(
    client: httpx2.AsyncClient, query: dict[str, Any], expected: list[str]
) -> None:
    assert await found(client, **query) == expected


@pytest.mark.parametrize(
    "query",
    [
        {"created_after": "2026-01-01T00:00:00"},  # in which zone?
        {"created_before": "2026-01-01"},
        {"created_after": "yesterday"},
        {"action_type": "destroy"},
        {"status": "maybe"},
        {"user_id": "mei"},
        {"limit": 51},
        {"offset": -1},
    ],
)
async def test_a_filter_that_makes_no_sense_is_refused(
    client: httpx2.AsyncClient, query: dict[str, Any]
) -> None:
    answer = await client.get(PATH, params=query)

    assert answer.status_code == 422
    assert answer.json()["type"] == "/problems/request-invalid"
    assert answer.json()["errors"][0]["pointer"] in query


@pytest.mark.usefixtures("events")
async def test_another_organisation_sees_nothing_of_it(
    other_client: httpx2.AsyncClient,
) -> None:
    assert await found(other_client) == []


@pytest.mark.parametrize("role", ["editor", "viewer"])
async def test_activity_is_read_by_owner_admin_and_assessor_only(
    sessions: SessionFactory, org_id: UUID, role: str
) -> None:
    reader = Actor(org_id=org_id, user_id=uuid4(), role=role, name="Lin")

    async with tenant_transaction(sessions, org_id) as session:
        with pytest.raises(AppError, match=role):
            await ActivityService(session, reader).verify()


async def test_the_chain_is_verified_against_an_exported_head(
    client: httpx2.AsyncClient,
    sessions: SessionFactory,
    org_id: UUID,
    events: list[str],
) -> None:
    await seal_org(sessions, org_id)
    whole = (await client.post(f"{PATH}/verify", json={})).json()

    cut = {"position": len(events) + 1, "chain_hash": "0" * 64}
    answers = [
        (await client.post(f"{PATH}/verify", json={"head": head})).json()
        for head in (whole["head"], cut)
    ]

    assert (whole["checked"], whole["unsealed"], whole["first_broken"]) == (3, 0, None)
    assert answers[0] == whole
    assert answers[1]["first_broken"] == {
        "position": 4,
        "event_id": None,
        "fault": "tail_cut",
    }
