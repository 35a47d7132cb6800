"""Versions of a file, and who may decide, on the real services."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from decimal import Decimal
from typing import Any
from uuid import UUID

import httpx2
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from tests.factories.documents import make_document
from tests.factories.products import WHOLE, make_product

from dossier import __version__
from dossier.core.database import Session, SessionFactory, tenant_transaction
from dossier.core.findings import Finding, Message, Place, Severity, finding_json
from dossier.core.pagination import PageParams
from dossier.core.tenancy import Actor, RoleRequiredError
from dossier.documents.models import Document
from dossier.documents.service import DocumentsService
from dossier.pif.constants import DecisionKind
from dossier.pif.exceptions import VersionNotFoundError
from dossier.pif.schemas import PifSnapshot
from dossier.pif.service.decisions import DecisionsService
from dossier.pif.service.versions import VersionsService
from dossier.products.constants import MatchedBy
from dossier.products.models import FormulaLine, FormulaVersion, Product
from dossier.products.schemas import ProductUpdate
from dossier.products.service.formulas import FormulaService
from dossier.products.service.products import ProductsService

TOTAL = Finding(
    code="total-not-100",
    severity=Severity.BLOCKING,
    market="tw",
    item=3,
    article="PIF Reg. Art. 3(1)(3)",
    message=Message(zh="總和 99.5", en="The total is 99.5."),
    closes_by=Message(zh="更正", en="Correct the sheet."),
    value=Decimal("99.50"),
    place=Place(filename="formula.xlsx", sha256="ab", sheet="A", cell="G12"),
)

NOTE = {"code": "unit", "kind": "assumed", "zh": "以 % 計", "en": "In %.", "cell": "G6"}

OpenServices = Callable[[Actor], AbstractAsyncContextManager["Services"]]


class Services:
    """The services of one transaction."""

    def __init__(self, session: Session, actor: Actor) -> None:
        documents = DocumentsService(session, actor)
        self.session = session
        self.products = ProductsService(session, actor, documents)
        formulas = FormulaService(session, actor, self.products)
        self.decisions = DecisionsService(session, actor, self.products)
        self.versions = VersionsService(
            session, actor, self.products, formulas, documents
        )


@pytest.fixture
def services(sessions: SessionFactory) -> OpenServices:
    @asynccontextmanager
    async def open_services(actor: Actor) -> AsyncIterator[Services]:
        async with tenant_transaction(sessions, actor.org_id) as session:
            yield Services(session, actor)

    return open_services


@pytest.fixture
async def product(sessions: SessionFactory, org_id: UUID) -> Product:
    return await make_product(sessions, org_id, **WHOLE)


@pytest.fixture
async def document(sessions: SessionFactory, org_id: UUID) -> Document:
    return await make_document(sessions, org_id, filename="stability.pdf")


async def add_formula(services: Services, product: Product, document: Document) -> None:
    version = FormulaVersion(
        org_id=product.org_id,
        product_id=product.id,
        number=1,
        document_id=document.id,
        filename=document.filename,
        sha256=document.sha256,
        sheet="Formula",
        encoding=None,
        tolerance=Decimal(0),
        total_lower=Decimal("99.50"),
        total_upper=Decimal("99.50"),
        line_count=1,
        content_sha256="c" * 64,
        header={},
        units={},
        notes=[NOTE],
        findings=[finding_json(TOTAL)],
    )
    line = FormulaLine(
        org_id=product.org_id,
        version_id=version.id,
        position=1,
        phase="A",
        trade_name=None,
        supplier=None,
        inci="AQUA",
        cas="7732-18-5",
        ec=None,
        function="solvent",
        percent_lower=Decimal("99.50"),
        percent_upper=Decimal("99.50"),
        percent_text="99.5",
        is_qs=False,
        is_exploded=False,
        place={"cell": "G7"},
        cells={},
    )
    services.session.add(version)
    await services.session.flush()
    services.session.add(line)
    await services.session.flush()


async def test_same_content_is_the_same_version(
    services: OpenServices, actor: Actor, product: Product
) -> None:
    async with services(actor) as one:
        first = await one.versions.snapshot_version(product.id)
    async with services(actor) as two:
        second = await two.versions.snapshot_version(product.id)

    assert (first.created, first.version.number) == (True, 1)
    assert (second.created, second.version.id) == (False, first.version.id)


async def test_changed_fact_gives_the_next_version_and_the_old_one_stays(
    services: OpenServices, actor: Actor, product: Product
) -> None:
    async with services(actor) as one:
        first = (await one.versions.snapshot_version(product.id)).version
        await one.products.update_product(product.id, ProductUpdate(population="teens"))
        second = (await one.versions.snapshot_version(product.id)).version
        kept = await one.versions.get_version(product.id, 1)
        listed = await one.versions.list_versions(product.id, PageParams())

    assert second.number == 2
    assert second.sha256 != first.sha256
    assert kept.snapshot["product"]["population"] == "adults"
    assert [version.number for version in listed.items] == [2, 1]
    assert listed.total == 2


async def test_restored_content_is_its_old_version(
    services: OpenServices, actor: Actor, product: Product
) -> None:
    async with services(actor) as one:
        first = (await one.versions.snapshot_version(product.id)).version
        await one.products.update_product(product.id, ProductUpdate(population="teens"))
        await one.versions.snapshot_version(product.id)
        before = ProductUpdate(population="adults")
        await one.products.update_product(product.id, before)
        result = await one.versions.snapshot_version(product.id)

    assert (result.created, result.version.id) == (False, first.id)


async def test_snapshot_holds_product_formula_findings_and_evidence(
    services: OpenServices, actor: Actor, product: Product, document: Document
) -> None:
    async with services(actor) as one:
        await add_formula(one, product, document)
        for item, why in ((11, MatchedBy.FILENAME), (3, MatchedBy.STATED)):
            await one.products.link_document(
                product.id, document.id, item, matched_by=why, reason=f"by {why}"
            )
        await one.decisions.declare(product.id, 8, "None is known.")
        version = (await one.versions.snapshot_version(product.id)).version

    stored: dict[str, Any] = version.snapshot
    assert PifSnapshot.model_validate(stored).model_dump(mode="json") == stored
    assert stored["schema"] == "dossier.pif/2"
    assert stored["generator"] == {"name": "dossier", "version": __version__}
    assert stored["product"]["category_zh"] == "面霜"
    assert stored["product"]["phase_in_on"] == "2026-07-01"
    assert stored["completeness"]["complete"] == 3  # 1, 7 and 8
    assert stored["completeness"]["blocked"] == 1  # 3: the total is wrong
    assert stored["completeness"]["unconfirmed"] == 1  # 11: not read yet
    assert stored["items"][7]["decision"]["reason"] == "None is known."
    assert stored["completeness"]["status"] == "blocked"
    assert stored["formula"]["total_lower"] == "99.50"
    assert stored["formula"]["notes"] == [NOTE]
    [line] = stored["formula"]["lines"]
    assert (line["inci"], line["percent_lower"], line["cell"]) == (
        "AQUA",
        "99.50",
        "G7",
    )
    today = stored["as_of"]
    assert finding_json(TOTAL) | {"since": today} in stored["findings"]
    assert stored["evidence"] == [
        {
            "document_id": str(document.id),
            "filename": "stability.pdf",
            "sha256": document.sha256,
            "size_bytes": document.size_bytes,
            "media_type": "text/plain",
            "items": [3, 11],
            "matched_by": "stated",
            "reason": "by stated",
            "kind": None,
            "text_state": "pending",
            "facts": [],
        }
    ]


async def test_finding_keeps_the_day_on_which_a_version_first_had_it(
    services: OpenServices, actor: Actor, product: Product
) -> None:
    async with services(actor) as one:
        await one.versions.snapshot_version(product.id)
    async with services(actor) as two:
        await two.session.execute(
            text("update pif_finding_days set since = '2026-01-02'")
        )
        await two.decisions.declare(product.id, 5, "Works by GMP, Dawn Works.")
        version = (await two.versions.snapshot_version(product.id)).version
        again = (await two.versions.snapshot_version(product.id)).created
        kept = await two.session.execute(text("select count(*) from pif_finding_days"))

    found = version.snapshot["findings"]
    assert {each["since"] for each in found} == {"2026-01-02"}
    assert kept.scalar_one() == len(found)  # without the one that was closed
    assert not again


async def test_version_can_be_neither_changed_nor_deleted(
    services: OpenServices, actor: Actor, product: Product, session: Session
) -> None:
    async with services(actor) as one:
        await one.versions.snapshot_version(product.id)

    for statement in ("update pif_versions set number = 9", "delete from pif_versions"):
        with pytest.raises(DBAPIError, match="permission denied"):
            async with session.begin_nested():
                await session.execute(text(statement))


async def test_version_of_another_organisation_is_not_found(
    services: OpenServices, actor: Actor, other_actor: Actor, product: Product
) -> None:
    async with services(actor) as one:
        version = (await one.versions.snapshot_version(product.id)).version

    async with services(other_actor) as foreign:
        with pytest.raises(VersionNotFoundError):
            await foreign.versions.get_version_by_id(version.id)
    async with services(actor) as own:
        assert (await own.versions.get_version_by_id(version.id)).number == 1
        with pytest.raises(VersionNotFoundError):
            await own.versions.get_version(product.id, 2)


async def test_version_is_read_over_http(
    services: OpenServices, actor: Actor, product: Product, client: httpx2.AsyncClient
) -> None:
    async with services(actor) as one:
        version = (await one.versions.snapshot_version(product.id)).version
    url = f"/api/v1/products/{product.id}/pif/versions"

    listed = (await client.get(url)).json()
    read = (await client.get(f"{url}/1")).json()

    [summary] = listed["items"]
    assert (summary["id"], summary["sha256"]) == (str(version.id), version.sha256)
    assert read == summary | {"snapshot": version.snapshot}
    assert (await client.get(f"{url}/2")).json()[
        "type"
    ] == "/problems/version-not-found"


@pytest.mark.parametrize(
    ("role", "may_waive", "may_declare", "may_freeze"),
    [
        ("owner", True, True, True),
        ("admin", False, True, True),
        ("editor", False, True, True),
        ("assessor", True, False, True),
        ("viewer", False, False, False),
    ],
)
async def test_role_decides_what_a_member_may_state(
    services: OpenServices,
    actor: Actor,
    product: Product,
    role: str,
    may_waive: bool,  # noqa: FBT001 - a column of the table
    may_declare: bool,  # noqa: FBT001 - a column of the table
    may_freeze: bool,  # noqa: FBT001 - a column of the table
) -> None:
    async with services(replace(actor, role=role)) as one:
        found = []
        for attempt in (
            one.decisions.waive(product.id, 11, "No water."),
            one.decisions.declare(product.id, 5, "Works by GMP."),
            one.versions.snapshot_version(product.id),
        ):
            try:
                await attempt
            except RoleRequiredError:
                found.append(False)
            else:
                found.append(True)

    assert found == [may_waive, may_declare, may_freeze]


async def test_every_change_is_recorded_as_activity(
    services: OpenServices,
    actor: Actor,
    product: Product,
    document: Document,
    session: Session,
) -> None:
    async with services(actor) as one:
        link = await one.products.link_document(product.id, document.id, 4)
        await one.products.unlink_document(product.id, link.id)
        await one.decisions.declare(product.id, 5, "Works by GMP.")
        await one.decisions.declare(product.id, 5, "Works by ISO 22716.")
        await one.decisions.revoke(product.id, 5, DecisionKind.DECLARATION)
        await one.versions.snapshot_version(product.id)

    rows = await session.execute(
        text(
            "select action, entity_type from activity_events "
            "where entity_type <> 'document' order by created_at, id"
        )
    )
    assert [tuple(row) for row in rows] == [
        ("create", "product"),
        ("create", "product_document"),
        ("delete", "product_document"),
        ("create", "pif_decision"),
        ("update", "pif_decision"),
        ("delete", "pif_decision"),
        ("create", "pif_version"),
    ]
