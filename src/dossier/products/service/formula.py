"""Use cases of stored formula versions."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from dossier.activity.service import ActivityService
from dossier.core.database import Session
from dossier.core.pagination import PageParams, Slice
from dossier.core.tenancy import Actor
from dossier.documents.constants import CitationKind
from dossier.documents.service import DocumentsService
from dossier.products import gateway
from dossier.products.exceptions import FormulaNotFoundError
from dossier.products.models import FormulaLine, FormulaVersion
from dossier.products.service.formula_draft import FormulaDraft
from dossier.products.service.product import WRITERS, ProductsService


@dataclass(frozen=True, slots=True)
class StoredFormula:
    """A version with its lines, and whether it was made just now."""

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
        """Keep a formula as the next version, unless the newest says the same.

        A formula that comes back after another is a version again: the newest is
        the product's, and the numbers tell the order.
        """
        self._actor.require(*WRITERS)
        product = await self._products.lock_product(product_id)
        newest = await self.latest(product.id)
        if newest is not None and newest.content_sha256 == draft.content_sha256:
            return await self._with_lines(newest)
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
        await self._record(version)
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

    async def _record(self, version: FormulaVersion) -> None:
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
