"""Reads what a print needs, in one short transaction."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from dossier.core.database import Session, tenant_transaction
from dossier.core.tenancy import Actor
from dossier.documents.service import DocumentsService
from dossier.jobs.context import JobContext
from dossier.pif.models import PifVersion
from dossier.pif.service import PifService
from dossier.products.service import FormulaService, ProductsService
from dossier.reports import gateway
from dossier.reports.tasks.manuscript import Manuscript


@dataclass(frozen=True, slots=True)
class Source:
    """A version, and where its originals lie: keys in the store by document id."""

    manuscript: Manuscript
    keys: Mapping[str, str]


async def load(ctx: JobContext, report_id: UUID) -> Source | None:
    """Return what to print, or `None` where it is printed already."""
    async with tenant_transaction(ctx.sessions, ctx.org_id) as session:
        report = await gateway.get_report_for_org(session, ctx.org_id, report_id)
        if report is None or report.files is not None:
            return None
        version = await _version(session, ctx.actor, report.version_id)
        keys = await _keys(session, ctx.actor, version.snapshot["evidence"])
    return Source(Manuscript(version.snapshot, version.sha256), keys)


async def _version(session: Session, actor: Actor, version_id: UUID) -> PifVersion:
    documents = DocumentsService(session, actor)
    products = ProductsService(session, actor, documents)
    formulas = FormulaService(session, actor, products)
    pif = PifService(session, actor, products, formulas, documents)
    return await pif.get_version_by_id(version_id)


async def _keys(
    session: Session, actor: Actor, evidence: list[dict[str, Any]]
) -> dict[str, str]:
    documents = DocumentsService(session, actor)
    ids = [paper["document_id"] for paper in evidence]
    return {each: (await documents.get_document(UUID(each))).blob_key for each in ids}
