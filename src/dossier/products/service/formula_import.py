"""Reading a formula out of a stored paper; no transaction is open meanwhile.

Opens short transactions of its own: one to find the paper, one to keep the result.
"""

import asyncio
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from uuid import UUID

from dossier.core.database import Session, SessionFactory, tenant_transaction
from dossier.core.tenancy import Actor
from dossier.documents.models import Document
from dossier.documents.service import DocumentsService
from dossier.products.ports import FileStore, SpreadsheetReader
from dossier.products.rules.formula import parse_formula
from dossier.products.rules.formula_findings import Source
from dossier.products.rules.intervals import ZERO
from dossier.products.service.formula import FormulaService, StoredFormula
from dossier.products.service.formula_draft import FormulaDraft
from dossier.products.service.product import WRITERS, ProductsService


@dataclass(frozen=True, slots=True, kw_only=True)
class FormulaWish:
    """Which paper to read, and how."""

    document_id: UUID
    sheet: str | None = None
    tolerance: Decimal = ZERO


class FormulaImporter:
    """Turns uploaded spreadsheets into formula versions."""

    def __init__(
        self,
        sessions: SessionFactory,
        actor: Actor,
        files: FileStore,
        reader: SpreadsheetReader,
    ) -> None:
        self._sessions = sessions
        self._actor = actor
        self._files = files
        self._reader = reader

    async def preview(self, product_id: UUID, wish: FormulaWish) -> FormulaDraft:
        """Return what an import would store; store nothing."""
        async with tenant_transaction(self._sessions, self._actor.org_id) as session:
            await self._products(session).get_product(product_id)
            documents = DocumentsService(session, self._actor)
            document = await documents.get_document(wish.document_id)
        return await self._read(document, wish)

    async def import_formula(
        self, product_id: UUID, wish: FormulaWish
    ) -> StoredFormula:
        """Read the paper and keep its formula as a version of the product."""
        self._actor.require(*WRITERS)
        draft = await self.preview(product_id, wish)
        async with tenant_transaction(self._sessions, self._actor.org_id) as session:
            formulas = FormulaService(session, self._actor, self._products(session))
            return await formulas.store(product_id, draft)

    def _products(self, session: Session) -> ProductsService:
        documents = DocumentsService(session, self._actor)
        return ProductsService(session, self._actor, documents)

    async def _read(self, document: Document, wish: FormulaWish) -> FormulaDraft:
        async with self._files.as_file(document.blob_key) as path:
            book = await self._reader.read_workbook(path, document.filename)
        source = Source(
            filename=document.filename,
            sha256=document.sha256,
            document_id=str(document.id),
        )
        parse = partial(
            parse_formula, book, source, tolerance=wish.tolerance, sheet=wish.sheet
        )
        # Some milliseconds of computing; other requests go on meanwhile.
        parsed = await asyncio.to_thread(parse)
        return FormulaDraft(
            document_id=document.id,
            filename=document.filename,
            sha256=document.sha256,
            encoding=book.encoding,
            parsed=parsed,
        )
