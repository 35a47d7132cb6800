"""Use cases of products, the documents linked to them, and their formulas.

`FormulaImporter` opens short transactions of its own, one to find the document and one
to store the result; none is open while the spreadsheet is read.
"""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from decimal import Decimal
from functools import cached_property
from hashlib import sha256
from typing import Any, Final, TypedDict, TypeVar
from uuid import UUID

from dossier.activity.service import ActivityService
from dossier.core.clock import now
from dossier.core.database import Session, SessionFactory, tenant_transaction
from dossier.core.findings import Finding, finding_json
from dossier.core.pagination import PageParams, Slice
from dossier.core.reads import Row, TenantReader
from dossier.core.tenancy import Actor
from dossier.documents.constants import CitationKind
from dossier.documents.service import DocumentsService
from dossier.integrations.parsing.reader import SandboxedBooks
from dossier.integrations.storage.client import ObjectStore
from dossier.products import gateway, rules
from dossier.products.constants import MatchedBy
from dossier.products.exceptions import (
    FormulaNotFoundError,
    FormulaUndecidedError,
    LinkNotFoundError,
    ProductExistsError,
    ProductNotFoundError,
)
from dossier.products.formula_import.lines import ParsedLine
from dossier.products.formula_import.pipeline import ParsedFormula, parse_formula
from dossier.products.formula_import.types import ZERO, FormulaSource
from dossier.products.models import (
    FormulaLine,
    FormulaVersion,
    Product,
    ProductDocument,
)
from dossier.products.schemas import ProductCreate, ProductUpdate
from dossier.products.types import NewLink

T = TypeVar("T")

category_of = rules.category_of
formula_content = rules.formula_content
"""Also for other domains, to which the rules of this one are private."""

WRITERS = ("owner", "admin", "editor")
"""Roles that may state products and link documents."""

_IDENTITY = ("code", "name_zh", "name_en", "holder")

_LINE_COLUMNS: Final = tuple(
    each.name
    for each in fields(ParsedLine)
    if each.name not in {"cell", "percent_nominal"}
)

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
        product = await self.get_product(product_id)
        ids = list(dict.fromkeys(each.document_id for each in new))
        for document_id in ids:
            await self._documents.get_document(document_id)
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


@dataclass(frozen=True, kw_only=True)
class FormulaDraft:
    """A formula that was read and not stored: the values of its rows and their hash."""

    document_id: UUID
    filename: str
    sha256: str
    encoding: str | None
    parsed: ParsedFormula

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Return what is wrong with it, the most severe first."""
        return self.parsed.findings

    @cached_property
    def content_sha256(self) -> str:
        """Return the hash of the source and of everything that was read from it."""
        text = json.dumps(
            self.members(), sort_keys=True, ensure_ascii=False, default=str
        )
        return sha256(text.encode()).hexdigest()

    def columns(self) -> dict[str, Any]:
        """Return the columns of the version's row."""
        return {**self._reading(), "content_sha256": self.content_sha256}

    def members(self) -> dict[str, Any]:
        """Return the members of a preview."""
        return {**self._reading(), "lines": self.lines()}

    def lines(self) -> list[dict[str, Any]]:
        """Return the columns of the lines' rows."""
        place = {
            "document_id": str(self.document_id),
            "filename": self.filename,
            "sha256": self.sha256,
        }
        if self.parsed.sheet:
            place["sheet"] = self.parsed.sheet
        # Not `asdict`: its deep copies take longer than parsing the whole sheet.
        return [
            {name: getattr(line, name) for name in _LINE_COLUMNS}
            | {"place": place | {"cell": line.cell}}
            for line in self.parsed.lines
        ]

    def _reading(self) -> dict[str, Any]:
        parsed = self.parsed
        return {
            "document_id": self.document_id,
            "filename": self.filename,
            "sha256": self.sha256,
            "sheet": parsed.sheet,
            "encoding": self.encoding,
            "tolerance": parsed.tolerance,
            "total_lower": parsed.total.lower,
            "total_upper": parsed.total.upper,
            "line_count": len(parsed.lines),
            "header": parsed.header,
            "units": parsed.units,
            "notes": [asdict(note) for note in parsed.notes],
            "findings": [finding_json(finding) for finding in parsed.findings],
        }


@dataclass(frozen=True, slots=True)
class StoredFormula:
    """A version with its lines; `is_created` is false for one that existed before."""

    version: FormulaVersion
    lines: Sequence[FormulaLine]
    is_created: bool

    def members(self) -> dict[str, Any]:
        """Return the version's members and its lines as one mapping."""
        names = FormulaVersion.__table__.columns.keys()
        version = {name: getattr(self.version, name) for name in names}
        return version | {"lines": self.lines}


class FormulaService:
    """The formula versions of one organisation's products."""

    def __init__(
        self, session: Session, actor: Actor, products: ProductsService
    ) -> None:
        self._session = session
        self._actor = actor
        self._products = products
        self._documents = DocumentsService(session, actor)
        self._activity = ActivityService(session, actor)

    async def store(self, product_id: UUID, draft: FormulaDraft) -> StoredFormula:
        """Store a formula as the next version, unless the newest has the same content.

        A formula that returns after another one is a new version: the newest version is
        the product's formula, and the numbers give the order.
        """
        self._actor.require(*WRITERS)
        product = await self._products.lock_product(product_id)
        newest = await self.latest(product.id)
        if newest is not None and newest.content_sha256 == draft.content_sha256:
            return await self._with_lines(newest)
        if newest is not None:
            # What was linked before there was a formula is compared with the first one.
            await gateway.set_formula_of_links_for_org(
                self._session,
                self._actor.org_id,
                product.id,
                await self._products.formula_content(product.id),
            )
        number = newest.number + 1 if newest else 1
        version = FormulaVersion(
            org_id=self._actor.org_id,
            product_id=product.id,
            number=number,
            **draft.columns(),
        )
        await gateway.add_formula(self._session, version, draft.lines())
        await self._documents.cite(
            [version.document_id],
            CitationKind.FORMULA,
            version.id,
            product_id=product.id,
            number=number,
        )
        await self._activity.record(
            "import",
            "formula",
            version.id,
            details={
                "product_id": str(version.product_id),
                "number": version.number,
                "filename": version.filename,
                "sha256": version.sha256,
                "lines": version.line_count,
                "findings": len(version.findings),
            },
        )
        return await self._with_lines(version, is_created=True)

    async def latest(self, product_id: UUID) -> FormulaVersion | None:
        """Return the newest version, `None` before the first import."""
        return await gateway.get_latest_formula_for_org(
            self._session, self._actor.org_id, product_id
        )

    async def lines_of(self, version: FormulaVersion) -> Sequence[FormulaLine]:
        """Return the lines of a version in the order of its sheet."""
        return await gateway.list_formula_lines_for_org(
            self._session, self._actor.org_id, version.id
        )

    async def get_formula(self, product_id: UUID, number: int) -> StoredFormula:
        """Return one version with its lines, or raise."""
        version = await gateway.get_formula_for_org(
            self._session, self._actor.org_id, product_id, number
        )
        if version is None:
            raise FormulaNotFoundError(number)
        return await self._with_lines(version)

    async def list_formulas(
        self, product_id: UUID, page: PageParams
    ) -> Slice[FormulaVersion]:
        """Return one page of a product's versions, the newest first."""
        product = await self._products.get_product(product_id)
        return await gateway.list_formulas_for_org(
            self._session, self._actor.org_id, product.id, page
        )

    async def _with_lines(
        self, version: FormulaVersion, *, is_created: bool = False
    ) -> StoredFormula:
        return StoredFormula(version, await self.lines_of(version), is_created)


class FormulaImporter:
    """Turns uploaded spreadsheets into formula versions."""

    def __init__(
        self,
        sessions: SessionFactory,
        actor: Actor,
        store: ObjectStore,
        reader: SandboxedBooks,
    ) -> None:
        self._sessions = sessions
        self._actor = actor
        self._store = store
        self._reader = reader

    async def preview(
        self,
        product_id: UUID,
        document_id: UUID,
        *,
        sheet: str | None = None,
        column: str | None = None,
        tolerance: Decimal = ZERO,
    ) -> FormulaDraft:
        """Return what an import would store; store nothing.

        Without `sheet` and `column` (a header or a letter) they are chosen by evidence;
        where that leaves two, the draft has no lines and a finding that names them.
        """
        async with tenant_transaction(self._sessions, self._actor.org_id) as session:
            await self._products(session).get_product(product_id)
            documents = DocumentsService(session, self._actor)
            document = await documents.get_document(document_id)
        async with self._store.as_file(document.blob_key) as path:
            book = await self._reader.read_workbook(path, document.filename)
        source = FormulaSource(
            filename=document.filename,
            sha256=document.sha256,
            document_id=str(document.id),
        )
        # In a thread: parsing takes milliseconds of processor time, and the event loop
        # serves other requests meanwhile.
        parsed = await asyncio.to_thread(
            parse_formula,
            book,
            source,
            tolerance=tolerance,
            sheet=sheet,
            column=column,
        )
        return FormulaDraft(
            document_id=document.id,
            filename=document.filename,
            sha256=document.sha256,
            encoding=book.encoding,
            parsed=parsed,
        )

    async def import_formula(
        self,
        product_id: UUID,
        document_id: UUID,
        *,
        sheet: str | None = None,
        column: str | None = None,
        tolerance: Decimal = ZERO,
    ) -> StoredFormula:
        """Read the document and store its formula as a version of the product.

        Raises:
            FormulaUndecidedError: no line was read, and a finding says why.
        """
        self._actor.require(*WRITERS)
        draft = await self.preview(
            product_id, document_id, sheet=sheet, column=column, tolerance=tolerance
        )
        if not draft.parsed.lines:
            reasons = [each.message.en for each in draft.findings]
            raise FormulaUndecidedError(draft.filename, reasons)
        async with tenant_transaction(self._sessions, self._actor.org_id) as session:
            formulas = FormulaService(session, self._actor, self._products(session))
            return await formulas.store(product_id, draft)

    def _products(self, session: Session) -> ProductsService:
        documents = DocumentsService(session, self._actor)
        return ProductsService(session, self._actor, documents)
