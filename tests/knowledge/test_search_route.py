"""`GET /search` and `dossier search`."""

from typing import Any
from uuid import UUID, uuid4

import httpx2
import pytest
from sqlalchemy import update
from tests.factories.knowledge import make_indexed_document

from dossier.core.database import SessionFactory, tenant_transaction
from dossier.core.visible import visible
from dossier.documents.models import Document

URL = "/api/v1/search"
TEXT = (
    "The cream is stored at room temperature. Its shelf life is 24 months. "
    "After opening it keeps for six months."
)


async def test_a_hit_has_its_quote_page_and_parts(
    client: httpx2.AsyncClient, sessions: SessionFactory, org_id: UUID
) -> None:
    document = await make_indexed_document(sessions, org_id, TEXT, filename="life.txt")

    answer = await client.get(URL, params={"q": "How long is the shelf life?"})

    body = answer.json()
    [hit] = body["items"]
    assert answer.status_code == 200
    assert hit["document_id"] == str(document.id)
    assert (hit["filename"], hit["page"], hit["label"]) == ("life.txt", 1, "page 1")
    assert hit["quote"] == "Its shelf life is 24 months."
    assert hit["places"] == [
        {"page": 1, "label": "page 1", "start": 0, "end": len(TEXT), "box": None}
    ]
    assert hit["parts"]["lexical"] > 0
    assert hit["parts"]["dense"] is None
    assert (body["query"], body["mode"]) == ("How long is the shelf life?", "lexical")
    assert body["why"] == "no embedding model is set"
    assert body["corpus_version"] > 0
    assert body["took_ms"] > 0
    assert body["not_ready"] == body["central"] == []


async def test_what_was_not_read_of_a_document_is_said(
    client: httpx2.AsyncClient, sessions: SessionFactory, org_id: UUID
) -> None:
    await make_indexed_document(sessions, org_id, TEXT, filename="whole.txt")
    partly = await make_indexed_document(
        sessions, org_id, "The shelf life is 30 months.", filename="scan.pdf"
    )
    late = await make_indexed_document(sessions, org_id, "Red.", filename="late.pdf")
    async with tenant_transaction(sessions, org_id) as session:
        for document_id, values in (
            (partly.id, {"text_state": "read_partly"}),
            (late.id, {"text_state": "read_partly", "revision": Document.revision + 1}),
        ):
            await session.execute(
                update(Document)
                .where(Document.org_id == org_id, Document.id == document_id)
                .values(**values)
            )

    answer = await client.get(URL, params={"q": "How long is the shelf life?"})

    body = answer.json()
    assert {hit["filename"]: hit["is_partly_read"] for hit in body["items"]} == {
        "whole.txt": False,
        "scan.pdf": True,
    }
    assert [(each["filename"], each["state"]) for each in body["not_ready"]] == [
        ("late.pdf", "indexing"),
        ("scan.pdf", "read_partly"),
    ]


@pytest.mark.parametrize(
    ("value", "state", "is_draft"),
    [
        ("draft", "read", True),
        ("unsigned", "read", True),
        ("signed", "read", False),
        ("unknown", "unknown", False),
    ],
)
async def test_hit_says_whether_its_document_is_a_draft(
    client: httpx2.AsyncClient,
    sessions: SessionFactory,
    org_id: UUID,
    value: str,
    state: str,
    is_draft: bool,  # noqa: FBT001 - a parameter of the table
) -> None:
    document = await make_indexed_document(sessions, org_id, TEXT)
    record = {"facts": {"signature": [{"value": value, "state": state}]}}
    async with tenant_transaction(sessions, org_id) as session:
        await session.execute(
            update(Document)
            .where(Document.org_id == org_id, Document.id == document.id)
            .values(record=record)
        )

    answer = await client.get(URL, params={"q": "How long is the shelf life?"})

    assert [hit["is_draft"] for hit in answer.json()["items"]] == [is_draft]


async def test_a_quote_is_in_the_text_verbatim(
    client: httpx2.AsyncClient, sessions: SessionFactory, org_id: UUID
) -> None:
    page = "成分\t用量\n甘油\t5.0\n菸鹼醯胺\t4.0\n"
    await make_indexed_document(sessions, org_id, page)

    answer = await client.get(URL, params={"q": "菸鹼醯胺添加多少"})

    [hit] = answer.json()["items"]
    assert hit["kind"] == "table"
    assert hit["quote"] == "菸鹼醯胺\t4.0"
    assert hit["quote"] in page


@pytest.mark.parametrize("sign", ["\u200b", "\u202e", "\u00ad", "\U000e0041", "\ufe0f"])
async def test_invisible_characters_are_not_shown_and_keep_their_places(
    client: httpx2.AsyncClient, sessions: SessionFactory, org_id: UUID, sign: str
) -> None:
    page = f"It is{sign} white. {sign}Its shelf {sign}life is 24{sign} months.{sign}"
    document = await make_indexed_document(sessions, org_id, page)

    answer = await client.get(URL, params={"q": "shelf life"})
    chunks = await client.get(f"/api/v1/documents/{document.id}/chunks")

    [hit], [chunk] = answer.json()["items"], chunks.json()["items"]
    assert hit["quote"] == "Its shelf life is 24 months."
    assert hit["text"] == chunk["text"] == visible(page)
    assert sign not in answer.text + chunks.text
    [place] = hit["places"]
    assert page[place["start"] : place["end"]] == page.strip()


@pytest.mark.parametrize(
    ("params", "pointer"),
    [
        ({}, "q"),
        ({"q": ""}, "q"),
        ({"q": "   "}, "q"),
        ({"q": "a\x00b"}, "q"),
        ({"q": "a\x1bb"}, "q"),
        ({"q": "a\u202eb"}, "q"),
        ({"q": "x" * 1001}, "q"),
        ({"q": "x", "limit": "51"}, "limit"),
        ({"q": "x", "limit": "0"}, "limit"),
        ({"q": "x", "item": "17"}, "item"),
        ({"q": "x", "product_id": "mine"}, "product_id"),
        ({"q": "x", "language": "fr"}, "language"),
        ({"q": "x", "document_type": "a b"}, "document_type"),
        ({"q": "x", "document_type": "junk"}, "document_type"),
    ],
)
async def test_invalid_parameter_is_refused_by_name(
    client: httpx2.AsyncClient, params: dict[str, str], pointer: str
) -> None:
    answer = await client.get(URL, params=params)

    body: dict[str, Any] = answer.json()
    assert answer.status_code == 422
    assert [fault["pointer"] for fault in body["errors"]] == [pointer]


async def test_error_of_an_unknown_document_type_names_the_valid_ones(
    client: httpx2.AsyncClient,
) -> None:
    answer = await client.get(URL, params={"q": "x", "document_type": "stability"})

    (fault,) = answer.json()["errors"]
    assert "`application/pdf`" in fault["detail"]
    assert "`tw-11.stability`" in fault["detail"]


async def test_the_longest_question_is_answered(client: httpx2.AsyncClient) -> None:
    answer = await client.get(URL, params={"q": "面" * 1000})

    assert answer.status_code == 200


async def test_an_unknown_product_is_not_found(client: httpx2.AsyncClient) -> None:
    answer = await client.get(URL, params={"q": "x", "product_id": str(uuid4())})

    assert answer.status_code == 404
    assert answer.json()["code"] == "product_not_found"


async def test_search_requires_a_log_in(
    anonymous_client: httpx2.AsyncClient,
) -> None:
    assert (await anonymous_client.get(URL, params={"q": "x"})).status_code == 401


async def test_search_finds_nothing_of_other_organisations(
    other_client: httpx2.AsyncClient, sessions: SessionFactory, org_id: UUID
) -> None:
    await make_indexed_document(sessions, org_id, TEXT)

    answer = await other_client.get(URL, params={"q": TEXT[:40]})

    body = answer.json()
    assert (body["items"], body["not_ready"], body["corpus_version"]) == ([], [], 0)
