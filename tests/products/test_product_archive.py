"""Products that are archived, restored and deleted; filters of the list; over HTTP."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import asyncpg
import httpx2
import orjson
import pytest
from tests.core.openapi_samples import body_of
from tests.factories.chat import make_room
from tests.factories.documents import make_document
from tests.factories.products import WHOLE, make_product
from tests.factories.reports import make_version

from dossier.core import migrate
from dossier.core.database import SessionFactory
from dossier.core.openapi import operations

URL = "/api/v1/products"
READS_ONLY = {
    ("post", f"{URL}/{{product_id}}/formulas/preview"),
    ("post", f"{URL}/{{product_id}}/restore"),
    ("delete", f"{URL}/{{product_id}}"),
}
"""Routes that an archived product answers besides those that read."""


async def ids(client: httpx2.AsyncClient, **params: Any) -> list[str]:
    answer = await client.get(URL, params=params)
    assert answer.status_code == 200, answer.text
    return [each["id"] for each in answer.json()["items"]]


async def test_archived_product_is_listed_apart_and_can_be_restored(
    client: httpx2.AsyncClient, sessions: SessionFactory, org_id: UUID
) -> None:
    product = await make_product(sessions, org_id)
    path = f"{URL}/{product.id}"

    archived = await client.delete(path, params={"archive": True})
    again = await client.delete(path, params={"archive": True})
    listed, apart = await ids(client), await ids(client, archived=True)
    shown = (await client.get(path)).json()
    restored = await client.post(f"{path}/restore")

    assert archived.status_code == again.status_code == 204
    assert (listed, apart) == ([], [str(product.id)])
    assert shown["archived_at"] is not None
    assert restored.json()["archived_at"] is None
    assert await ids(client) == [str(product.id)]
    trail = (await client.get("/api/v1/activity")).json()["items"]
    states = [each["details"].get("archive_state") for each in trail]
    assert [each for each in states if each] == ["active", "archived"]


async def test_archived_product_refuses_every_change(
    client: httpx2.AsyncClient,
    sessions: SessionFactory,
    org_id: UUID,
    document: dict[str, Any],
) -> None:
    product = await make_product(sessions, org_id)
    paper = await make_document(sessions, org_id)
    await client.delete(f"{URL}/{product.id}", params={"archive": True})
    wrong, tried = [], 0
    for method, path, operation in operations(document):
        if not path.startswith(f"{URL}/{{product_id}}") or method == "get":
            continue
        if (method, path) in READS_ONLY:
            continue
        values = {"product_id": product.id, "link_id": UUID(int=7), "item": 11}
        values["item"] = 5 if "declaration" in path else 11
        body = body_of(document, operation)
        if "document_id" in body.get("json", {}):
            body["json"]["document_id"] = str(paper.id)
        if path.endswith("/matches"):
            body = {"json": {"apply": True, "document_ids": []}}
        if path.endswith("/formulas"):
            continue  # the document is read first; see the next test
        answer = await client.request(method, path.format(**values), **body)
        tried += 1
        if answer.json().get("code") != "product_archived":
            wrong.append((method, path, answer.status_code, answer.text))

    assert wrong == []
    assert tried >= 10


async def test_product_is_deleted_with_its_links_and_its_documents_stay(
    client: httpx2.AsyncClient, sessions: SessionFactory, org_id: UUID
) -> None:
    product = await make_product(sessions, org_id)
    paper = await make_document(sessions, org_id)
    body = {"document_id": str(paper.id), "item": 11}
    await client.post(f"{URL}/{product.id}/documents", json=body)

    answer = await client.delete(f"{URL}/{product.id}")

    assert answer.status_code == 204
    assert (await client.get(f"{URL}/{product.id}")).status_code == 404
    assert (await client.get(f"/api/v1/documents/{paper.id}")).status_code == 200


@pytest.mark.parametrize("what", ["version", "room"])
async def test_product_that_others_name_is_kept_and_the_answer_says_what_to_do(
    client: httpx2.AsyncClient, sessions: SessionFactory, org_id: UUID, what: str
) -> None:
    if what == "version":
        product_id = (await make_version(sessions, org_id)).product_id
    else:
        product_id = (await make_product(sessions, org_id)).id
        await make_room(sessions, org_id, product_id=product_id)

    answer = await client.delete(f"{URL}/{product_id}")

    assert answer.status_code == 409
    assert answer.json()["code"] == "product_in_use"
    assert "?archive=true" in answer.json()["detail"]
    assert (await client.get(f"{URL}/{product_id}")).status_code == 200


@pytest.mark.parametrize(
    ("wanted", "count"),
    [
        ({"search": "moisture"}, 1),
        ({"search": "rc-01"}, 1),
        ({"search": "玫瑰"}, 1),
        ({"search": "old name"}, 1),
        ({"search": "%"}, 0),
        ({"category": "face_cream"}, 1),
        ({"category": "shampoo"}, 0),
        ({"market": "tw"}, 1),
        ({"state": "without_formula"}, 1),
        ({"state": "with_formula"}, 0),
        ({"archived": True}, 0),
        ({"search": "rose", "category": "face_cream", "market": "tw"}, 1),
    ],
)
async def test_products_are_filtered(
    client: httpx2.AsyncClient,
    sessions: SessionFactory,
    org_id: UUID,
    wanted: dict[str, Any],
    count: int,
) -> None:
    product = await make_product(sessions, org_id, **WHOLE, aliases=["Old name"])

    assert await ids(client, **wanted) == [str(product.id)] * count


@pytest.mark.parametrize(
    ("wanted", "pointer", "nearest"),
    [
        ({"category": "face_crem"}, "category", "face_cream"),
        ({"state": "with_formla"}, "state", "with_formula"),
        ({"market": "tww"}, "market", "tw"),
        ({"serach": "rose"}, "serach", "search"),
    ],
)
async def test_misspelt_filter_is_refused_with_the_nearest_name(
    client: httpx2.AsyncClient, wanted: dict[str, str], pointer: str, nearest: str
) -> None:
    answer = await client.get(URL, params=wanted)

    assert answer.status_code == 422
    [fault] = answer.json()["errors"]
    assert fault["pointer"] == pointer
    assert f"Did you mean {nearest!r}?" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("change", "shown"),
    [
        ({"usage": {}}, {"usage": WHOLE["usage"]}),
        (
            {"usage": {"amount": "1 g"}},
            {"usage": WHOLE["usage"] | {"amount": "1 g"}},
        ),
        (
            {"usage": {"amount": None}},
            {"usage": WHOLE["usage"] | {"amount": None}},
        ),
        (
            {"holder": {"phone": "1"}},
            {"holder": WHOLE["holder"] | {"phone": "1"}},
        ),
        ({"holder": {"name": "R."}}, {"holder": WHOLE["holder"] | {"name": "R."}}),
        (
            {"sites": [{"step": "a", "name": "b", "address": "c"}]},
            {"sites": [{"step": "a", "name": "b", "address": "c", "country": None}]},
        ),
    ],
)
async def test_change_inside_an_object_keeps_the_rest_of_it(
    client: httpx2.AsyncClient,
    sessions: SessionFactory,
    org_id: UUID,
    change: dict[str, Any],
    shown: Mapping[str, Any],
) -> None:
    product = await make_product(sessions, org_id, **WHOLE)

    answer = await client.patch(f"{URL}/{product.id}", json=change)

    assert answer.status_code == 200
    assert answer.json().items() >= shown.items()
    assert (await client.get(URL)).status_code == 200


async def test_change_that_leaves_an_object_incomplete_is_refused(
    client: httpx2.AsyncClient, sessions: SessionFactory, org_id: UUID
) -> None:
    product = await make_product(sessions, org_id, **WHOLE)

    answer = await client.patch(f"{URL}/{product.id}", json={"holder": {"name": None}})

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "#/holder/name"


@pytest.mark.slow  # migrations
async def test_members_that_an_earlier_change_left_out_are_null_again(
    fresh_database: str,
) -> None:
    await migrate.downgrade(fresh_database, "evidence")
    connection = await asyncpg.connect(fresh_database)
    org, product = UUID(int=1), UUID(int=2)
    await connection.execute(
        f"""
        insert into organisations (id, created_at, name, kind)
        values ('{org}', now(), 'Rose', 'brand');
        insert into products (id, org_id, created_at, updated_at, identity_key,
               category, use, usage, sites, holder, markets)
        values ('{product}', '{org}', now(), now(), 'k', 'face_cream', 'leave_on',
                '{{"amount": "1 g"}}', '[{{"name": "b"}}]', '{{"name": "R"}}', '[]');
        """  # noqa: S608 - our own ids
    )

    await migrate.upgrade(fresh_database)

    row = await connection.fetchrow("select usage, sites, holder from products")
    await connection.close()
    assert row is not None
    assert [orjson.loads(each) for each in row] == [
        {"method": None, "amount": "1 g", "frequency": None},
        [{"name": "b", "country": None}],
        {"name": "R", "address": None, "phone": None},
    ]
