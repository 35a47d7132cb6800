"""What clients see of calls, budgets, abilities and stored answers."""

from collections.abc import AsyncIterator
from datetime import datetime
from uuid import UUID, uuid4

import httpx2
import pytest
from fastapi import FastAPI
from tests.conftest import client_of
from tests.factories.accounts import make_api_key, make_user
from tests.factories.ai import (
    FixedPrices,
    make_ledger,
    make_record,
    make_tag,
)

from dossier.ai.exceptions import BudgetExhaustedError
from dossier.ai.service.cache import AnswerCache
from dossier.ai.service.ledger import Ledger
from dossier.core.clock import now
from dossier.core.database import SessionFactory, tenant_transaction
from dossier.core.tenancy import Actor

pytestmark = pytest.mark.usefixtures("acting_members")

CAPPED = {"scope": "organisation", "window": "month", "cap_tokens": 1000}


@pytest.fixture
async def viewer_client(
    app: FastAPI, sessions: SessionFactory, org_id: UUID
) -> AsyncIterator[httpx2.AsyncClient]:
    viewer = await make_user(sessions, org_id, email="viewer@example.com")
    app.state.authenticator._actors["viewer"] = Actor(org_id, viewer.id, "viewer", "V")  # noqa: SLF001 - the tests' own authenticator
    async with client_of(app, "viewer") as client:
        yield client


async def settled(sessions: SessionFactory, org_id: UUID, **tag: object) -> None:
    ledger = make_ledger(sessions)
    reservation = await ledger.reserve(make_tag(org_id, **tag), "large", 500)
    await ledger.settle(reservation, make_record())


async def test_a_new_budget_counts_what_calls_under_way_have_set_aside(
    client: httpx2.AsyncClient, sessions: SessionFactory, org_id: UUID
) -> None:
    ledger = make_ledger(sessions)
    await ledger.reserve(make_tag(org_id), "large", 700)

    made = await client.put("/api/v1/ai/budgets", json=CAPPED)

    assert made.json()["spent_tokens"] == 700
    with pytest.raises(BudgetExhaustedError):
        await ledger.reserve(make_tag(org_id), "large", 400)
    await ledger.reserve(make_tag(org_id), "large", 300)


async def test_a_budget_is_set_shown_changed_and_removed(
    client: httpx2.AsyncClient,
) -> None:
    made = await client.put("/api/v1/ai/budgets", json=CAPPED)
    changed = await client.put(
        "/api/v1/ai/budgets", json=CAPPED | {"cap_tokens": None, "cap_usd": "12.50"}
    )
    path = f"/api/v1/ai/budgets/{made.json()['id']}"
    shown = await client.get(path)
    listed = await client.get("/api/v1/ai/budgets")
    removed = await client.delete(path)
    gone = await client.get(path)

    assert made.status_code == changed.status_code == 200
    assert made.json()["id"] == changed.json()["id"]
    assert shown.json()["cap_usd"] == "12.50"
    assert shown.json()["cap_tokens"] is None
    assert listed.json()["total"] == 1
    assert (removed.status_code, gone.status_code) == (204, 404)


async def test_a_new_budget_begins_with_what_its_calls_have_cost(
    client: httpx2.AsyncClient, sessions: SessionFactory, org_id: UUID
) -> None:
    await settled(sessions, org_id)

    made = (await client.put("/api/v1/ai/budgets", json=CAPPED)).json()

    assert (made["spent_tokens"], made["spent_usd"]) == (150, "0.0006")
    assert made["starts_at"] < made["resets_at"]


async def test_a_users_budget_names_a_user_of_the_organisation(
    client: httpx2.AsyncClient, sessions: SessionFactory, org_id: UUID
) -> None:
    user = await make_user(sessions, org_id)
    wanted = CAPPED | {"scope": "user", "subject_id": str(user.id)}

    made = await client.put("/api/v1/ai/budgets", json=wanted)
    unknown = await client.put(
        "/api/v1/ai/budgets", json=wanted | {"subject_id": str(uuid4())}
    )

    assert made.status_code == 200
    assert (unknown.status_code, unknown.json()["code"]) == (404, "user_not_found")


@pytest.mark.parametrize("revoked_at", [None, now()])
async def test_a_keys_budget_names_a_key_of_the_organisation(
    client: httpx2.AsyncClient,
    sessions: SessionFactory,
    org_id: UUID,
    other_org_id: UUID,
    revoked_at: datetime | None,
) -> None:
    api_key = await make_api_key(sessions, org_id, revoked_at=revoked_at)
    foreign = await make_api_key(sessions, other_org_id)
    wanted = CAPPED | {"scope": "key"}

    made, unknown = [
        await client.put("/api/v1/ai/budgets", json=wanted | {"subject_id": str(id_)})
        for id_ in (api_key.id, foreign.id)
    ]

    assert (made.status_code, made.json()["subject_id"]) == (200, str(api_key.id))
    assert (unknown.status_code, unknown.json()["code"]) == (404, "api_key_not_found")


async def test_usage_is_summed_by_key_whatever_became_of_it(
    client: httpx2.AsyncClient, sessions: SessionFactory, org_id: UUID
) -> None:
    api_key = await make_api_key(sessions, org_id, revoked_at=now())
    for key_id in (None, api_key.id, api_key.id):
        await settled(sessions, org_id, key_id=key_id)

    usage = await client.get("/api/v1/ai/usage", params={"group_by": "key"})
    calls = await client.get("/api/v1/ai/calls", params={"key_id": str(api_key.id)})

    rows = {row["key_id"]: row["calls"] for row in usage.json()["items"]}
    assert rows == {str(api_key.id): 2, None: 1}
    assert usage.json()["totals"]["calls"] == 3
    assert [call["key_id"] for call in calls.json()["items"]] == [str(api_key.id)] * 2


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"cap_tokens": None}, "#/cap_tokens"),
        ({"scope": "user"}, "#/subject_id"),
        ({"subject_id": str(uuid4())}, "#/subject_id"),
        ({"cap_tokens": -1}, "#/cap_tokens"),
        ({"cap_usd": "1e-13"}, "#/cap_usd"),
        ({"window": "year"}, "#/window"),
    ],
)
async def test_a_budget_that_caps_nothing_is_refused(
    client: httpx2.AsyncClient, change: dict[str, object], pointer: str
) -> None:
    answer = await client.put("/api/v1/ai/budgets", json=CAPPED | change)

    assert answer.status_code == 422
    assert [fault["pointer"] for fault in answer.json()["errors"]] == [pointer]


async def test_who_does_not_manage_sees_no_cost(
    viewer_client: httpx2.AsyncClient,
) -> None:
    paths = ("usage", "calls", "budgets")
    answers = [await viewer_client.get(f"/api/v1/ai/{path}") for path in paths]
    answers.append(await viewer_client.put("/api/v1/ai/budgets", json=CAPPED))
    answers.append(await viewer_client.delete("/api/v1/ai/cache"))

    assert {answer.status_code for answer in answers} == {403}
    assert (await viewer_client.get("/api/v1/ai/capabilities")).status_code == 200


async def test_usage_is_summed_and_counts_unknown_costs(
    client: httpx2.AsyncClient,
    sessions: SessionFactory,
    org_id: UUID,
    other_org_id: UUID,
) -> None:
    await settled(sessions, org_id)
    await settled(sessions, org_id, feature="knowledge.embed")
    await settled(sessions, other_org_id)
    unpriced = Ledger(sessions, FixedPrices(None).price_of)
    reservation = await unpriced.reserve(make_tag(org_id), "own", 10)
    await unpriced.settle(reservation, make_record(model="own"))

    usage = (await client.get("/api/v1/ai/usage?group_by=model")).json()

    by_model = {row["model"]: row for row in usage["items"]}
    assert by_model["large"]["calls"] == 2
    assert by_model["large"]["cost_usd"] == "0.0012"
    assert (by_model["own"]["cost_usd"], by_model["own"]["unknown_costs"]) == (None, 1)
    assert usage["totals"]["calls"] == 3
    assert usage["totals"]["charged_tokens"] == 450
    assert usage["totals"]["unknown_costs"] == 1
    assert usage["totals"]["day"] is None


async def test_usage_of_nothing_is_an_empty_sum(client: httpx2.AsyncClient) -> None:
    usage = (await client.get("/api/v1/ai/usage")).json()

    assert usage["items"] == []
    assert (usage["totals"]["calls"], usage["totals"]["cost_usd"]) == (0, None)


async def test_calls_are_listed_newest_first_and_filtered(
    client: httpx2.AsyncClient, sessions: SessionFactory, org_id: UUID
) -> None:
    await settled(sessions, org_id)
    await settled(sessions, org_id, feature="chat.summary")

    every = (await client.get("/api/v1/ai/calls")).json()
    some = (await client.get("/api/v1/ai/calls?feature=chat.answer")).json()

    features = [call["feature"] for call in every["items"]]
    assert features == ["chat.summary", "chat.answer"]
    assert some["total"] == 1
    assert some["items"][0]["cost_usd"] == "0.0006"
    assert some["items"][0]["outcome"] == "completed"


async def test_the_store_of_answers_is_counted_and_cleared(
    client: httpx2.AsyncClient, sessions: SessionFactory, actor: Actor
) -> None:
    product = uuid4()
    async with tenant_transaction(sessions, actor.org_id) as own:
        cache = AnswerCache(own, actor)
        await cache.find_or_lead(
            "k" * 64, "chat.answer", uuid4(), {"product_id": product}
        )
        await cache.store("k" * 64, {"text": "5.5"})

    before = (await client.get("/api/v1/ai/cache")).json()
    other = await client.delete(f"/api/v1/ai/cache?product_id={uuid4()}")
    cleared = await client.delete(f"/api/v1/ai/cache?product_id={product}")

    assert (before["answers"], before["hits"]) == (1, 0)
    assert other.json() == {"deleted": 0}
    assert cleared.json() == {"deleted": 1}


async def test_without_settings_the_capabilities_name_what_is_missing(
    client: httpx2.AsyncClient,
) -> None:
    shown = (await client.get("/api/v1/ai/capabilities")).json()

    features = {each["feature"]: each for each in shown["features"]}
    assert features["chat.answer"]["engine"] == "extractive"
    assert features["chat.plain"]["setting"] == "DOSSIER_AI__BASE_URL"
    assert (shown["servers"], shown["abilities"], shown["probed_at"]) == (
        [],
        None,
        None,
    )
