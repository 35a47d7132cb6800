"""Reports over HTTP: asked for, printed by the worker, fetched."""

import base64
import hashlib
from typing import Any
from uuid import UUID

import httpx2
import pytest
from tests.conftest import DrainJobs
from tests.factories.reports import make_report

from dossier.core.database import SessionFactory

PRODUCT = {
    "name_zh": "玫瑰保濕霜",
    "name_en": "Rose Cream",
    "category": "face_cream",
    "use": "leave_on",
    "holder": {"name": "Rose Maison Co."},
}


@pytest.fixture
async def product_id(client: httpx2.AsyncClient) -> str:
    answer = await client.post("/api/v1/products", json=PRODUCT)
    product_id: str = answer.json()["id"]
    return product_id


async def _request(client: httpx2.AsyncClient, product_id: str) -> httpx2.Response:
    return await client.post(f"/api/v1/products/{product_id}/pif/reports", json={})


@pytest.mark.slow  # the whole way: freeze, queue, print, store, fetch
async def test_report_is_requested_printed_and_downloaded(
    client: httpx2.AsyncClient, product_id: str, drain_jobs: DrainJobs
) -> None:
    asked = await _request(client, product_id)
    assert asked.status_code == 202
    assert asked.headers["location"] == f"/api/v1/jobs/{asked.json()['id']}"
    assert "retry-after" in asked.headers

    assert await drain_jobs() == 1

    job = (await client.get(asked.headers["location"])).json()
    assert (job["state"], job["error"]) == ("done", None)
    report = (await client.get(job["result_path"])).json()
    assert sorted(report["files"]) == ["findings.json", "inspection.zip", "pif.pdf"]
    for file in report["files"].values():
        fetched = await client.get(file["path"])
        digest = hashlib.sha256(fetched.content).digest()
        assert fetched.status_code == 200
        assert digest.hex() == file["sha256"]
        assert base64.b64encode(digest).decode() in fetched.headers["content-digest"]
    await _check_activity(client, report["id"])


async def _check_activity(client: httpx2.AsyncClient, report_id: str) -> None:
    trail = await client.get("/api/v1/activity", params={"entity_id": report_id})
    events = [(e["action"], e["details"].get("file")) for e in trail.json()["items"]]
    assert sorted(events, key=str) == [
        ("create", None),
        ("export", "inspection.zip"),
        ("view", "findings.json"),
        ("view", "pif.pdf"),
    ]


@pytest.mark.slow  # prints once
async def test_an_unchanged_state_is_not_printed_again(
    client: httpx2.AsyncClient, product_id: str, drain_jobs: DrainJobs
) -> None:
    first = await _request(client, product_id)
    waiting = await _request(client, product_id)
    await drain_jobs()

    again = await _request(client, product_id)

    assert (waiting.status_code, again.status_code) == (202, 200)
    assert waiting.headers["location"] == first.headers["location"]
    assert again.json()["id"] == first.json()["id"]
    assert again.json()["state"] == "done"
    assert await drain_jobs() == 0


async def test_a_changed_state_is_a_new_version_with_its_own_report(
    client: httpx2.AsyncClient, product_id: str
) -> None:
    first = await _request(client, product_id)
    await client.patch(f"/api/v1/products/{product_id}", json={"body_site": "Face"})

    second = await _request(client, product_id)

    assert second.json()["id"] != first.json()["id"]
    listed = await client.get("/api/v1/reports", params={"product_id": product_id})
    numbers = [report["version_number"] for report in listed.json()["items"]]
    assert numbers == [2, 1]


async def test_cancelled_report_can_be_requested_again(
    client: httpx2.AsyncClient, product_id: str
) -> None:
    first = await _request(client, product_id)
    await client.post(f"{first.headers['location']}/cancel")

    second = await _request(client, product_id)

    assert second.status_code == 202
    assert second.json()["id"] != first.json()["id"]
    listed = await client.get("/api/v1/reports")
    assert [report["job_id"] for report in listed.json()["items"]] == [
        second.json()["id"]
    ]


@pytest.mark.parametrize("name", ["pif.pdf", "findings.json", "inspection.zip"])
async def test_download_before_printing_is_a_conflict(
    name: str,
    client: httpx2.AsyncClient,
    sessions: SessionFactory,
    org_id: UUID,
) -> None:
    report = await make_report(sessions, org_id)

    answer = await client.get(f"/api/v1/reports/{report.id}/{name}")

    assert answer.status_code == 409
    assert answer.json()["type"] == "/problems/report-not-ready"


async def test_a_report_of_another_organisation_is_not_found(
    client: httpx2.AsyncClient,
    other_client: httpx2.AsyncClient,
    product_id: str,
) -> None:
    await _request(client, product_id)
    [report] = (await client.get("/api/v1/reports")).json()["items"]

    answers = [
        await other_client.get(f"/api/v1/reports/{report['id']}"),
        await other_client.get(f"/api/v1/reports/{report['id']}/pif.pdf"),
        await _request(other_client, product_id),
    ]

    assert [answer.status_code for answer in answers] == [404, 404, 404]
    assert (await other_client.get("/api/v1/reports")).json()["items"] == []


@pytest.mark.parametrize("body", [{"market": "mars"}, {"pages": 3}])
async def test_request_for_unknown_product_or_report_is_refused(
    body: dict[str, Any], client: httpx2.AsyncClient, product_id: str
) -> None:
    path = f"/api/v1/products/{product_id}/pif/reports"

    answer = await client.post(path, json=body)

    assert answer.status_code == 422


async def test_report_is_requested_without_a_body(
    client: httpx2.AsyncClient, product_id: str
) -> None:
    first = await client.post(f"/api/v1/products/{product_id}/pif/reports")

    again = await _request(client, product_id)

    assert (first.status_code, again.status_code) == (202, 202)
    assert first.json()["id"] == again.json()["id"]
