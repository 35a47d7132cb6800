"""Use cases of formulas: preview, import, versions.

`FormulaImporter` opens short transactions of its own, one to find the document and one
to store the result; none is open while the spreadsheet is read.
"""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from decimal import Decimal
from functools import cached_property
from hashlib import sha256
from typing import Any, Final
from uuid import UUID

from dossier.activity.service import ActivityService
from dossier.core.database import Session, SessionFactory, tenant_transaction
from dossier.core.findings import Finding, finding_json
from dossier.core.pagination import PageParams, Slice
from dossier.core.tenancy import Actor
from dossier.documents.constants import CitationKind
from dossier.documents.service import DocumentsService
from dossier.integrations.parsing.reader import SandboxedBooks
from dossier.integrations.storage.client import ObjectStore
from dossier.products import gateway
from dossier.products.exceptions import FormulaNotFoundError, FormulaUndecidedError
from dossier.products.formula_import.lines import ParsedLine
from dossier.products.formula_import.pipeline import ParsedFormula, parse_formula
from dossier.products.formula_import.types import ZERO, FormulaSource
from dossier.products.models import FormulaLine, FormulaVersion
from dossier.products.service.products import WRITERS, ProductsService

_LINE_COLUMNS: Final = tuple(
    each.name
    for each in fields(ParsedLine)
    if each.name not in {"sheet", "cell", "percent_nominal"}
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
        # Not `asdict`: its deep copies take longer than parsing the whole sheet.
        return [
            {name: getattr(line, name) for name in _LINE_COLUMNS}
            | {
                "place": place
                | ({"sheet": line.sheet} if line.sheet else {})
                | {"cell": line.cell}
            }
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
            document = await documents.get_evidence(document_id)
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
