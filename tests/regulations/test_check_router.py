"""Checks over HTTP."""

from typing import Any

import httpx2
import pytest

URL = "/api/v1/checks"
LINE = {"inci": "Octocrylene", "function": "UV filter", "percent_min": "12"}
CHECK: dict[str, Any] = {
    "market": "eu",
    "category": "sunscreen",
    "as_of": "2026-12-01",
    "lines": [LINE, {"cas": "123-31-9", "percent_min": "0.1"}],
}


async def test_check_answers_like_the_command(client: httpx2.AsyncClient) -> None:
    answer = await client.post(URL, json=CHECK)
    content = answer.json()

    assert answer.status_code == 200
    assert [f["rule"] for f in content["findings"]] == ["VI/10", "II/1339"]
    assert content["findings"][0]["margin"] == "-2"
    assert content["data_set"]["as_of"] == "2026-08-28"
    assert len(content["lines"]) == 2


async def test_batch_is_answered_in_order(client: httpx2.AsyncClient) -> None:
    body = {"checks": [CHECK, CHECK | {"market": "tw"}]}

    content = (await client.post(f"{URL}/batch", json=body)).json()

    assert [each["market"] for each in content["items"]] == ["eu", "tw"]


async def test_data_sets_say_their_date_licence_and_gaps(
    client: httpx2.AsyncClient,
) -> None:
    items = (await client.get("/api/v1/regulations/data-sets")).json()["items"]

    assert [source["market"] for source in items[0]["sources"]] == ["eu", "tw"]
    assert all(s["licence"] and s["missing"] for s in items[0]["sources"])


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({"category": "moon_dust"}, "category-unknown"),
        ({"use": "rinse_off"}, "product-facts-invalid"),
        ({"as_of": "2020-01-01"}, "date-outside-data"),
        ({"market": "mars"}, "request-invalid"),
        ({"ph": "15"}, "request-invalid"),
        ({"lines": []}, "request-invalid"),
        ({"lines": [LINE | {"percent_min": "-1"}]}, "request-invalid"),
        ({"lines": [LINE | {"percent_min": "101"}]}, "request-invalid"),
        ({"lines": [LINE | {"percent_min": "NaN"}]}, "request-invalid"),
        ({"lines": [LINE | {"percent_min": "abc"}]}, "request-invalid"),
        ({"lines": [LINE | {"percent_max": "1"}]}, "request-invalid"),
        ({"lines": [{"percent_min": "1"}]}, "request-invalid"),
    ],
)
async def test_check_that_cannot_be_made_is_refused(
    client: httpx2.AsyncClient, change: dict[str, Any], kind: str
) -> None:
    answer = await client.post(URL, json=CHECK | change)

    assert answer.status_code == 422
    assert answer.json()["type"] == f"/problems/{kind}"


async def test_check_is_for_members(anonymous_client: httpx2.AsyncClient) -> None:
    assert (await anonymous_client.post(URL, json=CHECK)).status_code == 401
