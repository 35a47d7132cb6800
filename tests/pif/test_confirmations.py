"""Confirmations by a person, over HTTP: what they can do and what they cannot."""

from dataclasses import replace
from datetime import date
from typing import Any
from uuid import UUID

import httpx2
import pytest
from tests.factories.documents import make_document, make_read_document
from tests.factories.formulas import import_formula
from tests.factories.products import WHOLE, make_product

from dossier.core.database import Session, SessionFactory, tenant_transaction
from dossier.core.settings import Settings
from dossier.core.tenancy import Actor, RoleRequiredError
from dossier.documents.models import Document
from dossier.documents.service import DocumentsService
from dossier.pif import gateway
from dossier.pif.service.confirmations import (
    ConfirmationsService,
    StatedConfirmation,
)
from dossier.products.models import Product
from dossier.products.service.products import ProductsService

REASON = "Read on paper."
OTHER = """產品安定性試驗報告 Stability test report
產品編號 Product code: XX-99
結論 Conclusion: 符合 Pass
"""
STABILITY = """產品安定性試驗報告 Stability test report
產品名稱 Product: Rose Moisture Cream
結論 Conclusion: 符合 Pass
"""
EXPIRED = """GMP 證書 Certificate of GMP
製造場所 Site: Dawn Works, 1 Harbour Road, Taoyuan
有效期限 Valid until: 2020-01-01
"""
ASSESSMENT = """產品安全性評估結論 Safety assessment
品名 Product: Rose Moisture Cream
簽署人員 Safety assessor: Kao Shu-Fen
簽名 Signature: /s/ Kao Shu-Fen
日期 Date: 2026-02-28
"""


@pytest.fixture
async def product(sessions: SessionFactory, org_id: UUID) -> Product:
    return await make_product(sessions, org_id, **WHOLE)


@pytest.fixture
def url(product: Product) -> str:
    return f"/api/v1/products/{product.id}"


async def link(
    client: httpx2.AsyncClient, url: str, document: Document, item: int
) -> None:
    body = {"document_id": str(document.id), "item": item}
    assert (await client.post(f"{url}/documents", json=body)).status_code == 201


async def confirm(
    client: httpx2.AsyncClient,
    url: str,
    document: Document,
    item: int,
    requirement: str | None = None,
) -> httpx2.Response:
    body = {
        "document_id": str(document.id),
        "requirement": requirement,
        "reason": REASON,
    }
    return await client.put(f"{url}/pif/items/{item}/confirmation", json=body)


async def item_of(client: httpx2.AsyncClient, url: str, number: int) -> dict[str, Any]:
    item: dict[str, Any] = (await client.get(f"{url}/pif")).json()["items"][number - 1]
    return item


async def test_confirmed_document_makes_its_requirement_present_until_revoked(
    client: httpx2.AsyncClient, sessions: SessionFactory, org_id: UUID, url: str
) -> None:
    document = await make_document(sessions, org_id, filename="scan.pdf")
    await link(client, url, document, 9)

    made = await confirm(client, url, document, 9, "tw-9.product")
    again = await confirm(client, url, document, 9, "tw-9.product")
    item = await item_of(client, url, 9)
    gone = await client.delete(f"{url}/pif/items/9/confirmation")

    assert (made.status_code, made.json()["sha256"]) == (200, document.sha256)
    assert again.json() == made.json()
    assert [each["state"] for each in item["requirements"]] == [
        "present",
        "unconfirmed",
    ]
    [judgement] = item["requirements"][0]["judgements"]
    assert judgement["code"] == "confirmed"
    assert judgement["confirmation"]["actor_name"] == "Mei"
    assert judgement["reason"]["en"].startswith("was confirmed by Mei on 20")
    assert gone.status_code == 204
    after = await item_of(client, url, 9)
    assert {each["state"] for each in after["requirements"]} == {"unconfirmed"}
    missing = await client.delete(f"{url}/pif/items/9/confirmation")
    assert missing.json()["type"] == "/problems/confirmation-not-found"


@pytest.mark.parametrize(
    ("text", "item", "why"),
    [
        (OTHER, 11, "is about another product (XX-99)"),
        (EXPIRED, 5, "was valid until 2020-01-01"),
    ],
)
async def test_document_of_another_product_or_expired_is_refused(
    client: httpx2.AsyncClient,
    sessions: SessionFactory,
    org_id: UUID,
    url: str,
    text: str,
    item: int,
    why: str,
) -> None:
    document = await make_read_document(sessions, org_id, text)
    await link(client, url, document, item)

    answer = await confirm(client, url, document, item)

    assert answer.status_code == 409
    assert answer.json()["type"] == "/problems/confirmation-refused"
    assert why in answer.json()["detail"]


async def test_document_that_counts_by_what_was_read_in_it_is_refused(
    client: httpx2.AsyncClient, sessions: SessionFactory, org_id: UUID, url: str
) -> None:
    report = await make_read_document(sessions, org_id, STABILITY)
    await link(client, url, report, 11)

    answer = await confirm(client, url, report, 11)

    assert answer.status_code == 409
    assert answer.json()["detail"] == (
        "paper.txt counts as present already, by what was read in it."
    )


@pytest.mark.process
async def test_data_of_one_material_can_be_confirmed_for_all_while_others_lack_it(
    client: httpx2.AsyncClient,
    sessions: SessionFactory,
    org_id: UUID,
    url: str,
    settings: Settings,
) -> None:
    await import_formula(
        client, sessions, org_id, settings, url, ("Aqua", "90"), ("Glycerin", "10")
    )
    text = "SAFETY DATA SHEET\nTrade name: Glycerin\nINCI name: Glycerin\n"
    sheet = await make_read_document(sessions, org_id, text)
    await link(client, url, sheet, 9)

    answer = await confirm(client, url, sheet, 9, "tw-9.ingredients")

    assert answer.status_code == 200
    requirement = (await item_of(client, url, 9))["requirements"][1]
    assert requirement["state"] == "present"
    assert [row["is_covered"] for row in requirement["coverage"]] == [False, True]


async def test_document_must_be_linked_and_the_requirement_take_documents(
    client: httpx2.AsyncClient, sessions: SessionFactory, org_id: UUID, url: str
) -> None:
    document = await make_document(sessions, org_id)

    unlinked = await confirm(client, url, document, 11)
    await link(client, url, document, 11)
    answers = [
        await confirm(client, url, document, 11, "tw-9.product"),
        await confirm(client, url, document, 1),
        await confirm(client, url, document, 3),
    ]

    assert unlinked.status_code == 409
    assert unlinked.json()["detail"] == "paper.txt is not linked to item 11."
    assert {a.json()["type"] for a in answers} == {"/problems/confirmation-not-allowed"}


async def test_reason_in_a_signed_assessment_closes_the_finding_of_a_waiver(
    client: httpx2.AsyncClient, sessions: SessionFactory, org_id: UUID, url: str
) -> None:
    async def codes() -> list[tuple[str, int]]:
        findings = (await client.get(f"{url}/pif")).json()["findings"]
        return [(each["code"], each["item"]) for each in findings]

    why = "因本品不含水，防腐效能試驗得免附。"
    document = await make_read_document(sessions, org_id, f"{ASSESSMENT}{why}\n")
    await link(client, url, document, 16)
    for item in (11, 12, 13):
        path = f"{url}/pif/items/{item}/waiver"
        await client.put(path, json={"reason": "No water."})
    before = [item for code, item in await codes() if code == "needs-signatory-reason"]
    assert before == [11, 12]  # the reason for 13 was read

    answer = await confirm(client, url, document, 11)

    assert answer.status_code == 200
    assert ("needs-signatory-reason", 11) not in await codes()
    assert ("needs-signatory-reason", 12) in await codes()


@pytest.mark.parametrize(
    ("role", "item", "is_allowed"),
    [
        ("editor", 11, True),
        ("admin", 11, True),
        ("assessor", 11, False),
        ("viewer", 11, False),
        ("assessor", 16, True),
        ("owner", 16, True),
        ("editor", 16, False),
        ("admin", 16, False),
    ],
)
async def test_role_decides_who_confirms_documents_of_an_item(
    sessions: SessionFactory,
    org_id: UUID,
    actor: Actor,
    product: Product,
    role: str,
    item: int,
    is_allowed: bool,  # noqa: FBT001 - a column of the table
) -> None:
    document = await make_document(sessions, org_id)
    async with tenant_transaction(sessions, org_id) as session:

        def products(who: Actor) -> ProductsService:
            return ProductsService(session, who, DocumentsService(session, who))

        system = products(Actor.system(org_id))
        await system.link_document(product.id, document.id, item)
        who = replace(actor, role=role)
        service = ConfirmationsService(
            session, who, products(who), DocumentsService(session, who)
        )
        if is_allowed:
            made = await service.confirm(product.id, item, document.id, None, REASON)
            assert made.actor_name == actor.name
        else:
            with pytest.raises(RoleRequiredError):
                await service.confirm(product.id, item, document.id, None, REASON)


async def test_stated_confirmations_replace_those_stated_before_and_no_others(
    sessions: SessionFactory, org_id: UUID, actor: Actor, product: Product
) -> None:
    documents = [
        await make_document(sessions, org_id, str(number).encode())
        for number in range(3)
    ]

    def stated(document: Document, reason: str) -> StatedConfirmation:
        return StatedConfirmation(
            item=11,
            requirement=None,
            document_id=document.id,
            sha256=document.sha256,
            reason=reason,
            by="Lin Mei",
            on=date(2026, 11, 2),
        )

    async def reasons(session: Session) -> dict[UUID, str]:
        rows = await gateway.list_confirmations_for_org(
            session, org_id, product.id, "tw"
        )
        return {row.document_id: row.reason for row in rows}

    one, two, three = documents
    async with tenant_transaction(sessions, org_id) as session:
        own = DocumentsService(session, actor)
        products = ProductsService(session, actor, own)
        service = ConfirmationsService(session, actor, products, own)
        await products.link_document(product.id, three.id, 11)
        await service.confirm(product.id, 11, three.id, None, REASON)
        await service.state(product.id, [stated(one, "a"), stated(two, "b")])
        assert await reasons(session) == {one.id: "a", two.id: "b", three.id: REASON}
        await service.state(product.id, [stated(one, "a"), stated(three, "c")])
        assert await reasons(session) == {one.id: "a", three.id: REASON}
        await service.state(product.id, [stated(one, "d")])
        assert await reasons(session) == {one.id: "d", three.id: REASON}


async def test_confirmation_of_another_organisation_is_not_found(
    client: httpx2.AsyncClient,
    other_client: httpx2.AsyncClient,
    sessions: SessionFactory,
    org_id: UUID,
    url: str,
) -> None:
    document = await make_document(sessions, org_id)
    await link(client, url, document, 11)

    made = await confirm(other_client, url, document, 11)
    gone = await other_client.delete(f"{url}/pif/items/11/confirmation")

    assert (made.status_code, gone.status_code) == (404, 404)
