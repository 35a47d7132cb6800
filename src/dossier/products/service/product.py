"""Use cases of products and of the papers linked to them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypedDict, TypeVar
from uuid import UUID

from dossier.activity.service import ActivityService
from dossier.core.clock import now
from dossier.core.database import Session
from dossier.core.pagination import PageParams, Slice
from dossier.core.reads import Row, TenantReader
from dossier.core.tenancy import Actor
from dossier.documents.service import DocumentsService
from dossier.products import gateway, rules
from dossier.products.constants import MatchedBy
from dossier.products.exceptions import (
    LinkNotFoundError,
    ProductExistsError,
    ProductNotFoundError,
)
from dossier.products.models import Product, ProductDocument
from dossier.products.schemas import ProductCreate, ProductUpdate

T = TypeVar("T")

WRITERS = ("owner", "admin", "editor")
"""Roles that may state products and link papers."""

_INDEXED = frozenset({"code", "name_zh", "name_en"})
"""What of a product is indexed with the passages of its papers."""


@dataclass(frozen=True, slots=True)
class LinkedItem:
    """What a paper serves, and of which product."""

    product_id: UUID
    names: tuple[str, ...]
    item: int
    requirement: str | None


@dataclass(frozen=True, slots=True)
class Upserted:
    """A product stated by its identity, and what that did."""

    product: Product
    is_created: bool
    is_changed: bool


class ProductsService:
    """The products of one organisation."""

    def __init__(
        self, session: Session, actor: Actor, documents: DocumentsService
    ) -> None:
        self._session = session
        self._actor = actor
        self._documents = documents
        self._activity = ActivityService(session, actor)

    @staticmethod
    async def list_everywhere(session: Session) -> list[tuple[UUID, UUID]]:
        """Return organisation and id of every product; needs a system transaction."""
        return await gateway.list_products_for_system(session)

    async def create_product(self, body: ProductCreate) -> Product:
        """Insert a product; its identity is unique in the organisation."""
        self._actor.require(*WRITERS)
        rules.category_of(body.category)
        product = Product(
            org_id=self._actor.org_id, identity_key=_identity(body), **_columns(body)
        )
        words = rules.identity_words(**_identity_parts_with(product, {}))
        await gateway.add_product(self._session, product, ProductExistsError(words))
        await self._activity.record(
            "create", "product", product.id, details={"category": product.category}
        )
        return product

    async def get_product(self, product_id: UUID) -> Product:
        """Return one product, or raise."""
        product = await gateway.get_product_for_org(
            self._session, self._actor.org_id, product_id
        )
        return _found(product, product_id)

    async def lock_product(self, product_id: UUID) -> Product:
        """Return one product, held until the end of the transaction."""
        product = await gateway.lock_product_for_org(
            self._session, self._actor.org_id, product_id
        )
        return _found(product, product_id)

    async def update_product(self, product_id: UUID, body: ProductUpdate) -> Product:
        """Change the fields that were sent."""
        self._actor.require(*WRITERS)
        product = await self.lock_product(product_id)
        await self._change(product, body.model_dump(mode="json", exclude_unset=True))
        return product

    async def upsert_product(self, body: ProductCreate) -> Upserted:
        """Find a product by its identity and make it so, or insert it."""
        self._actor.require(*WRITERS)
        known = await gateway.find_product_by_identity_for_org(
            self._session, self._actor.org_id, _identity(body)
        )
        if known is None:
            return Upserted(
                await self.create_product(body), is_created=True, is_changed=True
            )
        is_changed = await self._change(known, _columns(body))
        return Upserted(known, is_created=False, is_changed=is_changed)

    async def _change(self, product: Product, values: dict[str, Any]) -> bool:
        changed = {k: v for k, v in values.items() if getattr(product, k) != v}
        if not changed:
            return False
        if "category" in changed:
            rules.category_of(changed["category"])
        parts = _identity_parts_with(product, changed)
        changed["identity_key"] = rules.identity_key(**parts)
        await gateway.update_product_for_org(
            self._session,
            self._actor.org_id,
            product.id,
            changed | {"updated_at": now()},
            ProductExistsError(rules.identity_words(**parts)),
        )
        if changed.keys() & _INDEXED:
            links = await self.list_links(product.id)
            await self._documents.request_indexing({e.document_id for e in links})
        fields = sorted(set(changed) - {"identity_key"})
        await self._activity.record(
            "update", "product", product.id, details={"fields": fields}
        )
        return True

    async def list_links(self, product_id: UUID) -> Sequence[ProductDocument]:
        """Return the papers linked to a product, by item."""
        await self.get_product(product_id)
        return await gateway.list_links_for_org(
            self._session, self._actor.org_id, product_id
        )

    async def links_of_document(self, document_id: UUID) -> list[LinkedItem]:
        """Return what a paper serves, with the products' names."""
        rows = await gateway.list_items_of_document_for_org(
            self._session, self._actor.org_id, document_id
        )
        return [
            LinkedItem(
                product.id,
                tuple(filter(None, (product.code, product.name_zh, product.name_en))),
                link.item,
                link.requirement,
            )
            for product, link in rows
        ]

    async def linked_among(self, document_ids: Sequence[UUID]) -> set[UUID]:
        """Return those of the documents that some product rests on."""
        return await gateway.list_linked_document_ids_for_org(
            self._session, self._actor.org_id, document_ids
        )

    async def link_document(
        self,
        product_id: UUID,
        document_id: UUID,
        item: int,
        requirement: str | None = None,
        *,
        matched_by: MatchedBy = MatchedBy.USER,
        reason: str | None = None,
    ) -> ProductDocument:
        """Link a paper to an item, or to one of its requirements."""
        self._actor.require(*WRITERS)
        if requirement is not None:
            rules.check_requirement(requirement, item)
        product = await self.get_product(product_id)
        document = await self._documents.get_document(document_id)
        link = ProductDocument(
            org_id=self._actor.org_id,
            product_id=product.id,
            document_id=document.id,
            item=item,
            requirement=requirement,
            matched_by=matched_by,
            reason=reason,
        )
        await gateway.add_link(self._session, link)
        await self._documents.request_indexing([document.id])
        await self._record_link("create", link)
        return link

    async def unlink_document(self, product_id: UUID, link_id: UUID) -> None:
        """Take a link away; the document stays."""
        self._actor.require(*WRITERS)
        await self.get_product(product_id)
        link = await gateway.get_link_for_org(
            self._session, self._actor.org_id, product_id, link_id
        )
        if link is None:
            raise LinkNotFoundError(link_id)
        await gateway.delete_link_for_org(self._session, self._actor.org_id, link.id)
        await self._documents.request_indexing([link.document_id])
        await self._record_link("delete", link)

    async def _record_link(self, action: str, link: ProductDocument) -> None:
        details = {
            "product_id": str(link.product_id),
            "document_id": str(link.document_id),
            "item": link.item,
            "requirement": link.requirement,
            "matched_by": link.matched_by,
        }
        await self._activity.record(
            action, "product_document", link.id, details=details
        )


async def list_products(reader: TenantReader, page: PageParams) -> Slice[Row]:
    """Return one page of the organisation's products, the newest first."""
    return await gateway.list_products_for_org(reader, reader.org_id, page)


async def read_product(reader: TenantReader, product_id: UUID) -> Row:
    """Return what clients see of one product, or raise."""
    product = await gateway.read_product_for_org(reader, reader.org_id, product_id)
    return _found(product, product_id)


def _found(product: T | None, product_id: UUID) -> T:
    if product is None:
        raise ProductNotFoundError(product_id)
    return product


def _columns(body: ProductCreate) -> dict[str, Any]:
    return body.model_dump(mode="json")


class _IdentityParts(TypedDict):
    code: str | None
    holder: str
    name_zh: str | None
    name_en: str | None


def _identity(body: ProductCreate) -> str:
    return rules.identity_key(
        code=body.code,
        holder=body.holder.name,
        name_zh=body.name_zh,
        name_en=body.name_en,
    )


def _identity_parts_with(product: Product, changed: dict[str, Any]) -> _IdentityParts:
    def value(name: str) -> Any:
        return changed.get(name, getattr(product, name))

    return _IdentityParts(
        code=value("code"),
        holder=value("holder")["name"],
        name_zh=value("name_zh"),
        name_en=value("name_en"),
    )
