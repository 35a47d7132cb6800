"""Routes of workflows: lists, streams, and input that is refused."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import httpx2
import pytest
from tests.conftest import KnownTokens, client_of
from tests.workflows.conftest import Runs

URL = "/api/v1/workflows"
BODY = {"topic": "shelf life of the rose cream", "sources": ["documents"]}


async def finished(runs: Runs, **body: Any) -> dict[str, Any]:
    """Run `research` over the documents to its end."""
    answer = await runs.client.post(
        f"{URL}/research", json=BODY | body, headers={"prefer": "wait=20"}
    )
    run: dict[str, Any] = answer.json()
    return run


@pytest.mark.parametrize(
    ("path", "body", "pointer"),
    [
        ("reflection", {}, "#/topic"),
        ("reflection", {"topic": ""}, "#/topic"),
        ("reflection", {"topic": "x" * 100_000}, "#/topic"),
        ("reflection", {"topic": "x", "max_rounds": 0}, "#/max_rounds"),
        ("research", {"topic": "x", "sources": ["arxiv", "library"]}, "#/sources/1"),
        ("research", {"topic": "x", "max_results": 11}, "#/max_results"),
        ("research", {"topic": "x", "budget": {"usd": "-1"}}, "#/budget/usd"),
        ("research", {"topic": "x", "language": "fr"}, "#/language"),
        ("multi-agent", {"task": "x", "max_steps": 11}, "#/max_steps"),
        ("multi-agent", {"task": "x", "steps": 3}, "#/steps"),
    ],
)
async def test_bad_input_is_refused_with_its_place(
    runs: Runs, path: str, body: dict[str, Any], pointer: str
) -> None:
    answer = await runs.client.post(f"{URL}/{path}", json=body)

    assert answer.status_code == 422
    assert pointer in [each["pointer"] for each in answer.json()["errors"]]


async def test_foreign_product_is_not_found(runs: Runs) -> None:
    answer = await runs.client.post(
        f"{URL}/reflection",
        json={"topic": "x", "product_id": "018f0000-0000-7000-8000-000000000099"},
    )

    assert answer.status_code == 404


async def test_list_has_filters_and_the_newest_first(runs: Runs) -> None:
    async with runs.working():
        first = await finished(runs)
        second = await finished(runs, max_results=2)
    waiting = (await runs.client.post(f"{URL}/research", json=BODY)).json()

    async def ids(**params: str) -> list[str]:
        answer = await runs.client.get(URL, params=params)
        return [each["workflow_id"] for each in answer.json()["items"]]

    done = [second["workflow_id"], first["workflow_id"]]
    assert await ids() == [waiting["workflow_id"], *done]
    assert await ids(status="completed") == done
    assert await ids(status="pending") == [waiting["workflow_id"]]
    assert await ids(kind="reflection") == []
    refused = await runs.client.get(URL, params={"state": "done"})
    assert refused.status_code == 422


async def test_events_are_streamed_and_resumed(runs: Runs) -> None:
    async with runs.working():
        run = await finished(runs)
    path = f"{URL}/{run['workflow_id']}/events"

    steps = (await runs.client.get(f"{URL}/{run['workflow_id']}/steps")).json()
    whole = await runs.client.get(path)
    rest = await runs.client.get(path, headers={"last-event-id": "1"})
    nothing = await runs.client.get(path, params={"starting_after": "3"})

    assert [each["name"] for each in steps["items"]] == ["gather[1]"]
    names = [x[7:] for x in whole.text.splitlines() if x.startswith("event: ")]
    assert names == ["start", "step_complete", "complete"]
    assert "event: start" not in rest.text
    assert "event: complete" in rest.text
    assert nothing.status_code == 204


@pytest.mark.parametrize(
    ("action", "code"),
    [
        (lambda c, p: c.get(f"{p}/export"), "workflow_not_finished"),
        (lambda c, p: c.post(f"{p}/approve"), "workflow_not_waiting"),
        (lambda c, p: c.post(f"{p}/reject"), "workflow_not_waiting"),
        (lambda c, p: c.post(f"{p}/retry"), "job_state"),
    ],
    ids=["export", "approve", "reject", "retry"],
)
async def test_pending_run_refuses_what_it_cannot_do_yet(
    runs: Runs,
    action: Callable[[httpx2.AsyncClient, str], Awaitable[httpx2.Response]],
    code: str,
) -> None:
    started = await runs.client.post(f"{URL}/research", json=BODY)

    answer = await action(runs.client, started.headers["location"])

    assert (answer.status_code, answer.json()["code"]) == (409, code)


async def test_cancelled_run_stays_cancelled_and_can_be_retried(runs: Runs) -> None:
    started = await runs.client.post(f"{URL}/research", json=BODY)
    path = started.headers["location"]

    first = await runs.client.post(f"{path}/cancel")
    again = await runs.client.post(f"{path}/cancel")
    async with runs.working():
        retried = await runs.client.post(f"{path}/retry", headers={"prefer": "wait=20"})

    assert first.json()["status"] == again.json()["status"] == "cancelled"
    assert retried.json()["status"] == "completed"


async def test_viewer_reads_and_starts_nothing(runs: Runs) -> None:
    async with runs.working():
        run = await finished(runs)
    viewer = replace(runs.actor, role="viewer")
    runs.app.state.authenticator = KnownTokens({"viewer": viewer})
    async with client_of(runs.app, "viewer") as client:
        path = f"{URL}/{run['workflow_id']}"
        shown = await client.get(path)
        started = await client.post(f"{URL}/research", json=BODY)
        approved = await client.post(f"{path}/approve")

    assert shown.status_code == 200
    assert {started.status_code, approved.status_code} == {403}


async def test_failure_within_the_wait_is_a_problem_and_never_a_200(
    runs: Runs,
) -> None:
    # Breaks the search.
    runs.documents.passages = None  # type: ignore[assignment]

    async with runs.working():
        answer = await runs.client.post(
            f"{URL}/research", json=BODY, headers={"prefer": "wait=20"}
        )

    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
