"""Products stated by their identity, and who may state them."""

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from tests.factories.products import MINIMAL, WHOLE, make_product
from tests.readers import SharingReader

from dossier.core.database import Session, SessionFactory, tenant_transaction
from dossier.core.pagination import PageParams
from dossier.core.reads import TenantReader
from dossier.core.tenancy import Actor, RoleRequiredError
from dossier.documents.service import DocumentsService
from dossier.products.schemas import ProductCreate, ProductUpdate
from dossier.products.service.products import ProductsService, list_products
from dossier.products.types import ProductFilter


def service_of(session: Session, actor: Actor) -> ProductsService:
    return ProductsService(session, actor, DocumentsService(session, actor))


@pytest.fixture
def products(session: Session, actor: Actor) -> ProductsService:
    return service_of(session, actor)


@pytest.fixture
def reader(sessions: SessionFactory, actor: Actor) -> TenantReader:
    return SharingReader(sessions, actor)


def stated(**facts: Any) -> ProductCreate:
    return ProductCreate.model_validate(facts)


async def test_same_statement_twice_is_one_product_and_no_change(
    products: ProductsService,
) -> None:
    first = await products.upsert_product(stated(**WHOLE))
    second = await products.upsert_product(stated(**WHOLE))

    assert (first.is_created, first.is_changed) == (True, True)
    assert (second.is_created, second.is_changed) == (False, False)
    assert second.product.id == first.product.id


async def test_statement_with_a_known_code_changes_the_facts(
    products: ProductsService,
) -> None:
    first = await products.upsert_product(stated(**WHOLE))
    second = await products.upsert_product(
        stated(**WHOLE | {"name_en": "Rose Cream", "sites": []})
    )

    assert (second.is_created, second.is_changed) == (False, True)
    assert second.product.id == first.product.id
    assert (second.product.name_en, second.product.sites) == ("Rose Cream", [])


async def test_without_a_code_holder_and_names_are_the_identity(
    products: ProductsService,
) -> None:
    first = await products.upsert_product(stated(**MINIMAL))
    same = await products.upsert_product(stated(**MINIMAL | {"population": "adults"}))
    other = await products.upsert_product(
        stated(**MINIMAL | {"holder": {"name": "Lily House"}})
    )

    assert same.product.id == first.product.id
    assert other.is_created


@pytest.mark.parametrize("role", ["viewer", "assessor"])
async def test_reader_changes_nothing(
    session: Session, actor: Actor, sessions: SessionFactory, org_id: UUID, role: str
) -> None:
    product = await make_product(sessions, org_id)
    products = service_of(session, replace(actor, role=role))

    assert (await products.get_product(product.id)).id == product.id
    for attempt in (
        products.create_product(stated(**WHOLE)),
        products.upsert_product(stated(**WHOLE)),
        products.update_product(product.id, ProductUpdate(population="adults")),
        products.link_document(product.id, product.id, 4),
        products.unlink_document(product.id, product.id),
    ):
        with pytest.raises(RoleRequiredError):
            await attempt


async def test_total_is_the_same_from_every_page(
    products: ProductsService, reader: TenantReader
) -> None:
    for number in range(3):
        await products.upsert_product(stated(**WHOLE | {"code": f"P{number}"}))

    full = await list_products(reader, ProductFilter(), PageParams(limit=2))
    exact = await list_products(
        reader, ProductFilter(), PageParams(limit=2, include_total=True)
    )
    rest = await list_products(reader, ProductFilter(), PageParams(limit=2, offset=2))
    beyond = await list_products(reader, ProductFilter(), PageParams(limit=2, offset=9))

    assert [page.total for page in (full, exact, rest, beyond)] == [3] * 4
    assert [len(page.items) for page in (full, exact, rest, beyond)] == [2, 2, 1, 0]


MANY = text(
    "insert into products (id, org_id, created_at, updated_at, identity_key, code,"
    " name_en, category, use, usage, sites, holder, markets)"
    " select gen_random_uuid(), org_id, created_at, updated_at, md5(g::text),"
    " 'N' || g, name_en, category, use, usage, sites, holder, markets"
    " from products, generate_series(1, 10000) g"
)


async def test_long_list_is_counted_only_when_asked(
    sessions: SessionFactory, reader: TenantReader, org_id: UUID
) -> None:
    await make_product(sessions, org_id)
    async with tenant_transaction(sessions, org_id) as session:
        await session.execute(MANY)

    uncounted = await list_products(reader, ProductFilter(), PageParams())
    counted = await list_products(
        reader, ProductFilter(), PageParams(include_total=True)
    )

    assert (uncounted.total, counted.total) == (None, 10_001)
