"""Papers linked to a product's items, over HTTP."""

from uuid import UUID, uuid4

import httpx2
import pytest
from tests.factories.documents import make_document
from tests.factories.products import make_product

from dossier.core.database import SessionFactory


@pytest.fixture
async def url(sessions: SessionFactory, org_id: UUID) -> str:
    product = await make_product(sessions, org_id)
    return f"/api/v1/products/{product.id}/documents"


@pytest.fixture
async def document(sessions: SessionFactory, org_id: UUID) -> str:
    return str((await make_document(sessions, org_id)).id)


async def test_document_is_linked_listed_and_unlinked(
    client: httpx2.AsyncClient, url: str, document: str
) -> None:
    body = {"document_id": document, "item": 9, "requirement": "tw-9.product"}

    made = await client.post(url, json=body)
    listed = (await client.get(url)).json()["items"]
    gone = await client.delete(f"{url}/{made.json()['id']}")

    assert made.status_code == 201
    assert made.json() == listed[0]
    assert made.json()["matched_by"] == "user"
    assert (gone.status_code, gone.content) == (204, b"")
    assert (await client.get(url)).json() == {"items": []}


@pytest.mark.parametrize("requirement", [None, "tw-11.stability"])
async def test_same_link_twice_is_a_conflict(
    client: httpx2.AsyncClient, url: str, document: str, requirement: str | None
) -> None:
    body = {"document_id": document, "item": 11, "requirement": requirement}
    await client.post(url, json=body)

    answer = await client.post(url, json=body)

    assert answer.status_code == 409
    assert answer.json()["type"] == "/problems/link-exists"


@pytest.mark.parametrize(
    ("item", "requirement", "problem"),
    [
        (0, None, "request-invalid"),
        (17, None, "request-invalid"),
        (11, "tw-12.microbes", "requirement-unknown"),
        (11, "stability", "requirement-unknown"),
        (11, "tw-11.nonsense", "requirement-unknown"),
    ],
)
async def test_link_to_something_unknown_is_refused(
    *,
    client: httpx2.AsyncClient,
    url: str,
    document: str,
    item: int,
    requirement: str | None,
    problem: str,
) -> None:
    body = {"document_id": document, "item": item, "requirement": requirement}

    answer = await client.post(url, json=body)

    assert answer.status_code == 422
    assert problem in answer.json()["type"]
    pointer = "#/item" if requirement is None else "#/requirement"
    assert [fault["pointer"] for fault in answer.json()["errors"]] == [pointer]


async def test_document_of_another_organisation_cannot_be_linked(
    client: httpx2.AsyncClient, sessions: SessionFactory, other_org_id: UUID, url: str
) -> None:
    foreign = await make_document(sessions, other_org_id)

    answer = await client.post(url, json={"document_id": str(foreign.id), "item": 4})

    assert answer.status_code == 404
    assert answer.json()["type"] == "/problems/document-not-found"


async def test_links_of_another_organisation_are_not_found(
    client: httpx2.AsyncClient,
    other_client: httpx2.AsyncClient,
    url: str,
    document: str,
) -> None:
    link = (await client.post(url, json={"document_id": document, "item": 4})).json()

    answers = [
        await other_client.get(url),
        await other_client.post(url, json={"document_id": document, "item": 5}),
        await other_client.delete(f"{url}/{link['id']}"),
        await client.delete(f"{url}/{uuid4()}"),
    ]

    assert [answer.status_code for answer in answers] == [404] * 4
    assert len((await client.get(url)).json()["items"]) == 1
