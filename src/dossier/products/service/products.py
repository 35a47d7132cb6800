"""Use cases of products and the documents linked to them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypedDict, TypeVar
from uuid import UUID

from dossier.activity.service import ActivityService
from dossier.core.clock import now
from dossier.core.database import Session
from dossier.core.merging import merged
from dossier.core.pagination import PageParams, Slice
from dossier.core.reads import Row, TenantReader
from dossier.core.tenancy import Actor
from dossier.documents.service import DocumentsService
from dossier.products import gateway, rules
from dossier.products.categories import category_of
from dossier.products.constants import MatchedBy
from dossier.products.exceptions import (
    LinkNotFoundError,
    ProductArchivedError,
    ProductExistsError,
    ProductInUseError,
    ProductNotFoundError,
)
from dossier.products.models import (
    Product,
    ProductDocument,
)
from dossier.products.schemas import ProductCreate, ProductUpdate
from dossier.products.types import NewLink, ProductFilter

T = TypeVar("T")

WRITERS = ("owner", "admin", "editor")
"""Roles that may state products and link documents."""

_IDENTITY = ("code", "name_zh", "name_en", "holder")

_INDEXED = frozenset({"code", "name_zh", "name_en"})
"""Product fields that are indexed with the passages of linked documents."""


@dataclass(frozen=True, slots=True)
class LinkedItem:
    """An item that a document is linked to, and the product."""

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
        category_of(body.category)
        values = body.model_dump(mode="json")
        identity = _identity_of(values)
        product = Product(
            org_id=self._actor.org_id,
            identity_key=rules.identity_key(**identity),
            **values,
        )
        clash = ProductExistsError(rules.identity_words(**identity))
        await gateway.add_product(self._session, product, clash)
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

    async def lock_product(
        self, product_id: UUID, *, archived_too: bool = False
    ) -> Product:
        """Return one product to change, held until the end of the transaction.

        Raises:
            ProductArchivedError: it is archived, and `archived_too` is not set.
        """
        product = _found(
            await gateway.lock_product_for_org(
                self._session, self._actor.org_id, product_id
            ),
            product_id,
        )
        if product.archived_at is not None and not archived_too:
            raise ProductArchivedError(product_id)
        return product

    async def set_archived(self, product_id: UUID, *, is_archived: bool) -> Product:
        """Archive a product, or restore it; what it has stays."""
        self._actor.require(*WRITERS)
        product = await self.lock_product(product_id, archived_too=True)
        if (product.archived_at is not None) != is_archived:
            product.archived_at = now() if is_archived else None
            await self._session.flush()
            word = "archived" if is_archived else "active"
            await self._activity.record(
                "update", "product", product.id, details={"archive_state": word}
            )
        return product

    async def delete_product(self, product_id: UUID) -> None:
        """Delete a product of which no version exists; its documents stay."""
        self._actor.require(*WRITERS)
        product = await self.lock_product(product_id, archived_too=True)
        if await self.formula_content(product.id) is not None:
            raise ProductInUseError(product.id)
        links = await self.list_links(product.id)
        await gateway.delete_product_for_org(
            self._session, self._actor.org_id, product.id
        )
        await self._documents.request_indexing({e.document_id for e in links})
        await self._activity.record(
            "delete", "product", product.id, details={"category": product.category}
        )

    async def update_product(self, product_id: UUID, body: ProductUpdate) -> Product:
        """Change the fields that were sent."""
        self._actor.require(*WRITERS)
        product = await self.lock_product(product_id)
        changes = body.model_dump(mode="json", exclude_unset=True)
        stored = {name: getattr(product, name) for name in ProductCreate.model_fields}
        await self._change(product, merged(ProductCreate, stored, changes))
        return product

    async def upsert_product(self, body: ProductCreate) -> Upserted:
        """Update the product with the same identity, or insert it."""
        self._actor.require(*WRITERS)
        values = body.model_dump(mode="json")
        known = await gateway.find_product_by_identity_for_org(
            self._session,
            self._actor.org_id,
            rules.identity_key(**_identity_of(values)),
        )
        if known is None:
            return Upserted(
                await self.create_product(body), is_created=True, is_changed=True
            )
        if known.archived_at is not None:
            raise ProductArchivedError(known.id)
        is_changed = await self._change(known, values)
        return Upserted(known, is_created=False, is_changed=is_changed)

    async def _change(self, product: Product, values: dict[str, Any]) -> bool:
        changed = {k: v for k, v in values.items() if getattr(product, k) != v}
        if not changed:
            return False
        if "category" in changed:
            category_of(changed["category"])
        stored = {name: getattr(product, name) for name in _IDENTITY}
        identity = _identity_of(stored | changed)
        changed["identity_key"] = rules.identity_key(**identity)
        await gateway.update_product_for_org(
            self._session,
            self._actor.org_id,
            product.id,
            changed | {"updated_at": now()},
            ProductExistsError(rules.identity_words(**identity)),
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
        """Return the documents linked to a product, by item."""
        await self.get_product(product_id)
        return await gateway.list_links_for_org(
            self._session, self._actor.org_id, product_id
        )

    async def links_of_document(self, document_id: UUID) -> list[LinkedItem]:
        """Return the items that a document is linked to, with the products' names."""
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
        """Return those of the documents that are linked to a product."""
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
        """Link a document to an item, or to one of its requirements."""
        new = NewLink(document_id, item, requirement, matched_by, reason)
        [link] = await self.link_documents(product_id, [new])
        return link

    async def link_documents(
        self, product_id: UUID, new: Sequence[NewLink]
    ) -> list[ProductDocument]:
        """Link documents; the formula that they were linked to is read once."""
        self._actor.require(*WRITERS)
        for each in new:
            if each.requirement is not None:
                rules.check_requirement(each.requirement, each.item)
        product = await self.lock_product(product_id)
        ids = list(dict.fromkeys(each.document_id for each in new))
        for document_id in ids:
            await self._documents.get_evidence(document_id)
        formula = await self.formula_content(product.id)
        links = []
        for each in new:
            link = ProductDocument(
                org_id=self._actor.org_id,
                product_id=product.id,
                document_id=each.document_id,
                item=each.item,
                requirement=each.requirement,
                matched_by=each.matched_by,
                reason=each.reason,
                formula=formula,
            )
            await gateway.add_link(self._session, link)
            await self._record_link("create", link)
            links.append(link)
        await self._documents.request_indexing(ids)
        return links

    async def formula_content(self, product_id: UUID) -> dict[str, str] | None:
        """Return the newest formula's quantities by ingredient, `None` without one."""
        newest = await gateway.get_latest_formula_for_org(
            self._session, self._actor.org_id, product_id
        )
        if newest is None:
            return None
        lines = await gateway.list_formula_lines_for_org(
            self._session, self._actor.org_id, newest.id
        )
        return formula_content(
            (
                line.inci or line.cas or line.trade_name,
                line.percent_lower,
                line.percent_upper,
                line.is_qs,
            )
            for line in lines
        )

    async def unlink_document(self, product_id: UUID, link_id: UUID) -> None:
        """Delete a link; the document stays."""
        self._actor.require(*WRITERS)
        await self.lock_product(product_id)
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


async def list_products(
    reader: TenantReader, wanted: ProductFilter, page: PageParams
) -> Slice[Row]:
    """Return one page of the organisation's products, the newest first."""
    return await gateway.list_products_for_org(reader, reader.org_id, wanted, page)


async def read_product(reader: TenantReader, product_id: UUID) -> Row:
    """Return what clients see of one product, or raise."""
    product = await gateway.read_product_for_org(reader, reader.org_id, product_id)
    return _found(product, product_id)


def formula_content(
    lines: Iterable[tuple[str | None, Decimal, Decimal | None, bool]],
) -> dict[str, str]:
    """Return the quantities of a formula by ingredient, as they are compared.

    Each line has a name, its interval and whether it fills up to 100: that one changes
    only because others do. The lines of one ingredient are listed together.
    """
    content: dict[str, list[str]] = {}
    for name, lower, upper, is_qs in lines:
        quantity = "q.s." if is_qs else f"{lower.normalize():f}"
        if not is_qs and upper is not None and upper != lower:
            quantity += f"\u2013{upper.normalize():f}"
        content.setdefault((name or "").strip(), []).append(quantity)
    return {name: " + ".join(sorted(each)) for name, each in content.items()}


def _found(product: T | None, product_id: UUID) -> T:
    if product is None:
        raise ProductNotFoundError(product_id)
    return product


class _Identity(TypedDict):
    code: str | None
    holder: str
    name_zh: str | None
    name_en: str | None


def _identity_of(values: Mapping[str, Any]) -> _Identity:
    return _Identity(
        code=values["code"],
        holder=values["holder"]["name"],
        name_zh=values["name_zh"],
        name_en=values["name_en"],
    )
