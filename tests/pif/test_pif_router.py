"""The file over HTTP: board, decisions, matches, versions."""

from typing import Any
from uuid import UUID, uuid4

import httpx2
import pytest
from tests.factories.documents import make_document, make_read_document
from tests.factories.products import WHOLE, make_product

from dossier.core.database import SessionFactory, tenant_transaction
from dossier.documents.models import Document, DocumentText

NO_WORD = "too few known words in the file name and the text"
STABILITY = """產品安定性試驗報告 Stability test report
品名 Product: Rose Moisture Cream
結論 Conclusion: 符合 Pass
"""
REASON = {"reason": "The product holds no water."}


@pytest.fixture
async def url(sessions: SessionFactory, org_id: UUID) -> str:
    product = await make_product(sessions, org_id, **WHOLE)
    return f"/api/v1/products/{product.id}/pif"


async def board(client: httpx2.AsyncClient, url: str) -> dict[str, Any]:
    answer = await client.get(url)
    assert answer.status_code == 200
    body: dict[str, Any] = answer.json()
    return body


def states(board: dict[str, Any]) -> dict[int, str]:
    return {item["number"]: item["state"] for item in board["items"]}


async def test_board_of_a_stated_product_has_its_facts_and_names_every_gap(
    client: httpx2.AsyncClient, url: str
) -> None:
    body = await board(client, url)

    assert (body["market"], body["phase_in_on"]) == ("tw", "2026-07-01")
    assert body["formula"] is None
    assert [n for n, state in states(body).items() if state == "present"] == [1, 7]
    assert body["completeness"] == {
        "present": 2,
        "declared": 0,
        "waived": 0,
        "not_applicable": 0,
        "stale": 0,
        "unconfirmed": 0,
        "missing": 14,
        "blocked": 0,
        "complete": 2,
        "total": 16,
        "status": "blocked",
    }
    finding = body["findings"][0]
    assert finding["code"] == "missing-item"
    assert (finding["item"], finding["article"]) == (2, "PIF Reg. Art. 3(1)(2)")
    assert finding["closes_by"]["en"].startswith("Upload the print-out")
    assert len(body["findings"]) == 14
    assert (finding["basis"], finding["blocks_signing"]) == ("law", True)
    assert finding["since"] is None
    assert len({each["id"] for each in body["findings"]}) == 14


async def test_linked_document_that_was_read_makes_an_item_present(
    client: httpx2.AsyncClient, sessions: SessionFactory, org_id: UUID, url: str
) -> None:
    document = await make_read_document(sessions, org_id, STABILITY)
    links = url.replace("/pif", "/documents")

    await client.post(links, json={"document_id": str(document.id), "item": 11})

    item = (await board(client, url))["items"][10]
    assert item["state"] == "present"
    [requirement] = item["requirements"]
    assert requirement["documents"] == [str(document.id)]
    assert requirement["judgements"] == [
        {
            "document_id": str(document.id),
            "state": "present",
            "code": "read",
            "reason": {"zh": "已讀取", "en": "was read"},
            "confirmation": None,
        }
    ]
    assert item["allows"] == "waiver"


async def test_archived_document_is_no_evidence_until_it_is_restored(
    client: httpx2.AsyncClient, sessions: SessionFactory, org_id: UUID, url: str
) -> None:
    document = await make_read_document(sessions, org_id, STABILITY)
    links = url.replace("/pif", "/documents")
    body = {"document_id": str(document.id), "item": 11}
    await client.post(links, json=body)
    path = f"/api/v1/documents/{document.id}"

    await client.delete(path, params={"archive": True})
    without = states(await board(client, url))
    again = await client.post(links, json=body | {"item": 12})
    matched = await client.post(
        f"{url}/matches", json={"apply": False, "document_ids": [str(document.id)]}
    )
    await client.post(f"{path}/restore")

    assert without[11] == "missing"
    for answer in (again, matched):
        assert answer.status_code == 409
        assert answer.json()["code"] == "document_archived"
        assert f"POST {path}/restore" in answer.json()["detail"]
    assert states(await board(client, url))[11] == "present"


async def test_linked_document_that_was_not_read_leaves_its_item_unconfirmed(
    client: httpx2.AsyncClient, sessions: SessionFactory, org_id: UUID, url: str
) -> None:
    document = await make_document(sessions, org_id, filename="stability.pdf")
    links = url.replace("/pif", "/documents")

    await client.post(links, json={"document_id": str(document.id), "item": 11})

    body = await board(client, url)
    assert states(body)[11] == "unconfirmed"
    assert body["completeness"]["unconfirmed"] == 1
    [finding] = [f for f in body["findings"] if f["item"] == 11]
    assert finding["code"] == "unconfirmed-requirement"
    assert finding["message"]["en"].endswith(
        "is unconfirmed: stability.pdf has not been read yet."
    )
    assert finding["place"]["filename"] == "stability.pdf"


async def test_document_without_a_labelled_name_is_known_by_its_text(
    client: httpx2.AsyncClient, sessions: SessionFactory, org_id: UUID, url: str
) -> None:
    text = "製造流程 Manufacturing process\nRose Moisture Cream\nHeat to 75 °C, stir."
    document = await make_read_document(sessions, org_id, text)
    links = url.replace("/pif", "/documents")

    await client.post(links, json={"document_id": str(document.id), "item": 6})

    assert states(await board(client, url))[6] == "present"


async def test_document_of_another_product_of_the_organisation_does_not_count(
    client: httpx2.AsyncClient, sessions: SessionFactory, org_id: UUID, url: str
) -> None:
    await make_product(sessions, org_id, name_en="Rose Night Cream", code="RN-02")
    text = STABILITY.replace("Rose Moisture Cream", "Rose Night Cream")
    document = await make_read_document(sessions, org_id, text)
    links = url.replace("/pif", "/documents")

    await client.post(links, json={"document_id": str(document.id), "item": 11})

    body = await board(client, url)
    assert states(body)[11] == "missing"
    codes = {f["code"]: f for f in body["findings"] if f["item"] == 11}
    assert set(codes) == {"missing-item", "identity-drift"}
    other, missing = codes["identity-drift"], codes["missing-item"]
    assert "(Rose Night Cream)" in other["message"]["en"]
    assert (other["basis"], missing["basis"]) == ("practice", "law")
    assert missing["caused_by"] == other["id"]


async def test_alias_of_a_product_is_one_of_its_names(
    client: httpx2.AsyncClient, sessions: SessionFactory, org_id: UUID, url: str
) -> None:
    text = STABILITY.replace("Rose Moisture Cream", "Rose Cream Export")
    document = await make_read_document(sessions, org_id, text)
    links = url.replace("/pif", "/documents")
    await client.post(links, json={"document_id": str(document.id), "item": 11})
    before = states(await board(client, url))[11]

    product = url.removesuffix("/pif")
    answer = await client.patch(product, json={"aliases": ["Rose Cream Export"]})

    assert answer.json()["aliases"] == ["Rose Cream Export"]
    assert (before, states(await board(client, url))[11]) == ("unconfirmed", "present")


@pytest.mark.parametrize(
    ("kind", "item", "state"),
    [("waiver", 12, "waived"), ("declaration", 8, "declared")],
)
async def test_decision_counts_until_it_is_revoked(
    client: httpx2.AsyncClient, url: str, kind: str, item: int, state: str
) -> None:
    path = f"{url}/items/{item}/{kind}"

    made = await client.put(path, json=REASON)
    during = await board(client, url)
    gone = await client.delete(path)
    after = await board(client, url)

    assert made.status_code == 200
    assert (made.json()["kind"], made.json()["actor_name"]) == (kind, "Mei")
    assert states(during)[item] == state
    decision = during["items"][item - 1]["decision"]
    assert (decision["reason"], decision["actor_name"]) == (REASON["reason"], "Mei")
    assert gone.status_code == 204
    assert states(after)[item] == "missing"
    assert (await client.delete(path)).json()["type"] == "/problems/decision-not-found"


async def test_waiver_has_a_finding_until_the_signatory_gives_the_reason(
    client: httpx2.AsyncClient, url: str
) -> None:
    await client.put(f"{url}/items/12/waiver", json=REASON)

    findings = (await board(client, url))["findings"]

    [finding] = [f for f in findings if f["code"] == "needs-signatory-reason"]
    assert (finding["item"], finding["article"]) == (12, "PIF Reg. Art. 3")


async def test_same_decision_again_changes_nothing_and_a_new_reason_replaces_it(
    client: httpx2.AsyncClient, url: str
) -> None:
    path = f"{url}/items/5/declaration"
    first = (await client.put(path, json=REASON)).json()

    again = (await client.put(path, json=REASON)).json()
    other = (await client.put(path, json={"reason": "Works by GMP."})).json()

    assert again == first
    assert other["id"] != first["id"]
    item = (await board(client, url))["items"][4]
    assert item["decision"]["reason"] == "Works by GMP."


@pytest.mark.parametrize(
    ("kind", "item"),
    [("waiver", 5), ("waiver", 10), ("declaration", 11), ("declaration", 16)],
)
async def test_decision_outside_the_regulation_is_refused(
    client: httpx2.AsyncClient, url: str, kind: str, item: int
) -> None:
    answer = await client.put(f"{url}/items/{item}/{kind}", json=REASON)

    assert answer.status_code == 422
    assert answer.json()["type"] == "/problems/decision-not-allowed"


async def test_decision_needs_an_item_and_a_reason(
    client: httpx2.AsyncClient, url: str
) -> None:
    answers = [
        await client.put(f"{url}/items/17/waiver", json=REASON),
        await client.put(f"{url}/items/11/waiver", json={"reason": "  "}),
    ]

    assert [answer.status_code for answer in answers] == [422, 422]


async def test_documents_are_proposed_then_linked_once(
    client: httpx2.AsyncClient, sessions: SessionFactory, org_id: UUID, url: str
) -> None:
    stability = await make_document(sessions, org_id, b"1", filename="stability.pdf")
    sds = await make_document(sessions, org_id, b"2", filename="SDS glycerin.pdf")
    photo = await make_document(sessions, org_id, b"3", filename="IMG_1.jpg")
    both = await make_document(sessions, org_id, b"4", filename="label and GMP.pdf")
    ids = [str(document.id) for document in (stability, sds, photo, both)]

    proposed = await client.post(f"{url}/matches", json={"document_ids": ids})
    before = await board(client, url)
    applied = await client.post(f"{url}/matches", json={"apply": True})
    again = await client.post(
        f"{url}/matches", json={"document_ids": ids, "apply": True}
    )

    assert states(before)[11] == "missing"
    by_id = {match["document_id"]: match for match in proposed.json()["items"]}
    assert [by_id[key]["outcome"] for key in ids] == [
        "matched",
        "matched",
        "unmatched",
        "ambiguous",
    ]
    assert by_id[ids[0]]["reason"] == (
        "file name contains 'stability'; its text has not been read yet"
    )
    assert by_id[ids[1]]["serves"] == [
        {"item": 9, "requirement": "tw-9.ingredients"},
        {"item": 10, "requirement": None},
    ]
    assert len(applied.json()["items"]) == 4
    assert again.status_code == 200
    links = (await client.get(url.replace("/pif", "/documents"))).json()["items"]
    assert [(link["item"], link["matched_by"]) for link in links] == [
        (9, "filename"),
        (10, "filename"),
        (11, "filename"),
    ]
    assert states(await board(client, url))[11] == "unconfirmed"


async def test_statement_of_a_person_takes_precedence_over_words(
    client: httpx2.AsyncClient, sessions: SessionFactory, org_id: UUID, url: str
) -> None:
    document = await make_document(sessions, org_id, filename="stability.pdf")
    links = url.replace("/pif", "/documents")
    await client.post(links, json={"document_id": str(document.id), "item": 14})

    answer = await client.post(
        f"{url}/matches", json={"document_ids": [str(document.id)], "apply": True}
    )

    [match] = answer.json()["items"]
    assert match["outcome"] == "stated"
    assert match["serves"] == [{"item": 14, "requirement": None}]
    assert len((await client.get(links)).json()["items"]) == 1


async def test_unknown_document_cannot_be_matched(
    client: httpx2.AsyncClient, sessions: SessionFactory, other_org_id: UUID, url: str
) -> None:
    foreign = await make_document(sessions, other_org_id)

    answer = await client.post(
        f"{url}/matches", json={"document_ids": [str(foreign.id)]}
    )

    assert answer.status_code == 404


async def test_file_of_another_organisation_is_not_found(
    other_client: httpx2.AsyncClient, client: httpx2.AsyncClient, url: str
) -> None:
    answers = [
        await other_client.get(url),
        await other_client.put(f"{url}/items/11/waiver", json=REASON),
        await other_client.delete(f"{url}/items/11/waiver"),
        await other_client.put(f"{url}/items/5/declaration", json=REASON),
        await other_client.delete(f"{url}/items/5/declaration"),
        await other_client.post(f"{url}/matches", json={}),
        await other_client.get(f"{url}/versions"),
        await other_client.get(f"{url}/versions/1"),
        await client.get(f"/api/v1/products/{uuid4()}/pif"),
    ]

    assert [answer.status_code for answer in answers] == [404] * len(answers)


async def test_market_without_a_rulebook_is_refused(
    client: httpx2.AsyncClient, url: str
) -> None:
    answer = await client.get(url, params={"market": "mars"})

    assert answer.status_code == 422


async def test_document_with_a_neutral_name_is_matched_by_its_text(
    client: httpx2.AsyncClient, sessions: SessionFactory, org_id: UUID, url: str
) -> None:
    document = await make_document(sessions, org_id, filename="scan-7.pdf")
    async with tenant_transaction(sessions, org_id) as session:
        part = DocumentText(
            org_id=org_id,
            document_id=document.id,
            position=1,
            label="page 1",
            text="玫瑰面霜 防腐效能試驗報告",
            has_text_layer=True,
        )
        session.add(part)

    answer = await client.post(f"{url}/matches", json={"apply": True})

    [match] = answer.json()["items"]
    assert (match["outcome"], match["matched_by"]) == ("matched", "content")
    assert match["serves"] == [{"item": 13, "requirement": None}]
    assert match["reason"].startswith("content says 防腐效能試驗 (1x)")
    assert states(await board(client, url))[13] == "unconfirmed"


@pytest.mark.parametrize(
    ("state", "why", "reason"),
    [
        ("read", None, NO_WORD),
        (
            "unreadable",
            "encrypted",
            f"{NO_WORD}; its text cannot be read (encrypted)",
        ),
    ],
)
async def test_unmatched_document_names_what_prevented_the_match(
    *,
    client: httpx2.AsyncClient,
    sessions: SessionFactory,
    org_id: UUID,
    url: str,
    state: str,
    why: str | None,
    reason: str,
) -> None:
    document = await make_document(sessions, org_id, filename="scan-8.pdf")
    async with tenant_transaction(sessions, org_id) as session:
        row = await session.get_one(Document, document.id)
        row.text_state, row.unreadable_reason = state, why

    answer = await client.post(f"{url}/matches", json={})

    [match] = answer.json()["items"]
    assert (match["outcome"], match["reason"]) == ("unmatched", reason)
    assert match["candidates"] == []
