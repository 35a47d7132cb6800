"""Products over HTTP."""

from typing import Any
from uuid import UUID, uuid4

import httpx2
import pytest
from tests.factories.products import MINIMAL, WHOLE, make_product

from dossier.core.database import SessionFactory

URL = "/api/v1/products"


async def test_product_is_stated_and_read_back_whole(
    client: httpx2.AsyncClient,
) -> None:
    created = await client.post(URL, json=WHOLE)
    product = created.json()
    read = await client.get(f"{URL}/{product['id']}")
    listed = await client.get(URL)

    assert created.status_code == 201
    assert {k: product[k] for k in WHOLE} == WHOLE
    assert read.json() == product
    assert listed.json() == {
        "items": [product],
        "total": 1,
        "limit": 20,
        "offset": 0,
    }


async def test_fields_that_are_not_stated_are_null_or_empty(
    client: httpx2.AsyncClient,
) -> None:
    product = (await client.post(URL, json=MINIMAL)).json()

    assert product["code"] is None
    assert product["usage"] == {"method": None, "amount": None, "frequency": None}
    assert product["holder"]["phone"] is None
    assert (product["sites"], product["markets"]) == ([], ["tw"])


@pytest.mark.parametrize(
    ("change", "status", "kind"),
    [
        ({"category": "moon_dust"}, 422, "category-unknown"),
        ({"name_en": None}, 422, "product-name-missing"),
        ({"use": "sometimes"}, 422, "request-invalid"),
        ({"colour": "red"}, 422, "request-invalid"),
        ({"name_en": "a\x00b"}, 422, "request-invalid"),
        ({"name_en": " "}, 422, "request-invalid"),
        ({"markets": ["mars"]}, 422, "request-invalid"),
    ],
)
async def test_invalid_product_is_refused(
    client: httpx2.AsyncClient, change: dict[str, Any], status: int, kind: str
) -> None:
    answer = await client.post(URL, json=MINIMAL | change)

    assert answer.status_code == status
    assert kind in answer.json()["type"]
    pointers = [fault["pointer"].split("/")[1] for fault in answer.json()["errors"]]
    assert set(change) <= set(pointers)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (WHOLE, WHOLE | {"name_en": "Another name"}),
        (WHOLE, WHOLE | {"code": "rc-01"}),
        (MINIMAL, MINIMAL | {"name_en": "ROSE  moisture cream"}),
    ],
)
async def test_same_code_or_same_holder_and_names_is_a_conflict(
    client: httpx2.AsyncClient, one: dict[str, Any], other: dict[str, Any]
) -> None:
    await client.post(URL, json=one)

    answer = await client.post(URL, json=other)

    assert answer.status_code == 409
    assert answer.json()["type"] == "/problems/product-exists"
    same = other.get("code") or other["name_en"]
    assert same in answer.json()["detail"]


async def test_only_the_fields_that_are_sent_change(
    client: httpx2.AsyncClient,
) -> None:
    product = (await client.post(URL, json=WHOLE)).json()

    answer = await client.patch(
        f"{URL}/{product['id']}", json={"population": "teenagers", "code": None}
    )

    assert answer.status_code == 200
    changed = answer.json()
    assert changed["updated_at"] > product["updated_at"]
    different = {k for k in product if product[k] != changed[k]} - {"updated_at"}
    assert different == {"population", "code"}
    assert (await client.get(f"{URL}/{product['id']}")).json() == changed


@pytest.mark.parametrize(
    ("change", "stored"),
    [
        ({"usage": {}}, {"method": None, "amount": None, "frequency": None}),
        ({"usage": {"amount": "1 g"}}, {"method": None, "amount": "1 g"}),
        ({"holder": {"name": "Lily"}}, {"name": "Lily", "address": None}),
    ],
)
async def test_object_that_is_sent_in_part_is_stored_whole(
    client: httpx2.AsyncClient, change: dict[str, Any], stored: dict[str, Any]
) -> None:
    made = (await client.post("/api/v1/products", json=MINIMAL)).json()
    path = f"/api/v1/products/{made['id']}"

    answer = await client.patch(path, json=change)
    shown = await client.get(path)

    assert answer.status_code == shown.status_code == 200
    (name,) = change
    assert stored.items() <= shown.json()[name].items()


async def test_category_changes_to_a_known_one_only(
    client: httpx2.AsyncClient, sessions: SessionFactory, org_id: UUID
) -> None:
    product = await make_product(sessions, org_id)

    known = await client.patch(f"{URL}/{product.id}", json={"category": "lipstick"})
    other = await client.patch(f"{URL}/{product.id}", json={"category": "moon_dust"})

    assert (known.status_code, known.json()["category"]) == (200, "lipstick")
    assert (other.status_code, other.json()["code"]) == (422, "category_unknown")


@pytest.mark.parametrize("field", ["category", "use", "holder", "sites", "usage"])
async def test_required_field_set_to_null_is_refused(
    client: httpx2.AsyncClient, sessions: SessionFactory, org_id: UUID, field: str
) -> None:
    product = await make_product(sessions, org_id)

    answer = await client.patch(f"{URL}/{product.id}", json={field: None})

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == f"#/{field}"


async def test_update_into_the_identity_of_another_is_a_conflict(
    client: httpx2.AsyncClient, sessions: SessionFactory, org_id: UUID
) -> None:
    await make_product(sessions, org_id, code="A-1")
    other = await make_product(sessions, org_id, code="A-2")

    answer = await client.patch(f"{URL}/{other.id}", json={"code": "A-1"})

    assert answer.status_code == 409


async def test_list_is_newest_first_in_pages(
    client: httpx2.AsyncClient, sessions: SessionFactory, org_id: UUID
) -> None:
    made = [await make_product(sessions, org_id, code=f"P-{n}") for n in range(5)]

    first = (await client.get(URL, params={"limit": 2})).json()
    last = (await client.get(URL, params={"limit": 2, "offset": 4})).json()
    beyond = (await client.get(URL, params={"limit": 2, "offset": 9})).json()

    assert [p["code"] for p in first["items"]] == ["P-4", "P-3"]
    assert [p["id"] for p in last["items"]] == [str(made[0].id)]
    assert beyond["items"] == []
    assert [page["total"] for page in (first, last, beyond)] == [5, 5, 5]
    assert (await client.get(URL, params={"limit": 51})).status_code == 422


async def test_product_of_another_organisation_is_not_found(
    client: httpx2.AsyncClient,
    other_client: httpx2.AsyncClient,
    sessions: SessionFactory,
    org_id: UUID,
) -> None:
    product = await make_product(sessions, org_id)

    read = await other_client.get(f"{URL}/{product.id}")
    changed = await other_client.patch(f"{URL}/{product.id}", json={"code": "X"})

    assert (read.status_code, changed.status_code) == (404, 404)
    assert read.json()["type"] == "/problems/product-not-found"
    assert (await other_client.get(URL)).json()["items"] == []
    assert (await client.get(f"{URL}/{uuid4()}")).status_code == 404


async def test_categories_give_phase_in_and_certainty_of_each_column(
    client: httpx2.AsyncClient,
) -> None:
    answer = (await client.get("/api/v1/categories")).json()

    rows = {row["id"]: row for row in answer["items"]}
    assert rows["face_cream"]["phase_in_on"] == "2026-07-01"
    assert rows["handmade_soap"]["phase_in_on"] is None
    assert answer["sources"]["phase_in_on"]["certainty"] == "secondary"


async def test_categories_are_for_members(
    anonymous_client: httpx2.AsyncClient,
) -> None:
    assert (await anonymous_client.get("/api/v1/categories")).status_code == 401
