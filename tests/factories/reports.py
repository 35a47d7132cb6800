"""Versions with stored originals, and reports of them."""

from typing import Any
from uuid import UUID

from tests.factories.documents import make_stored_document
from tests.reports import samples

from dossier.core.clock import now
from dossier.core.database import SessionFactory, tenant_transaction
from dossier.core.models import new_id
from dossier.core.settings import Settings
from dossier.core.tenancy import Actor
from dossier.documents.service import DocumentsService
from dossier.pif.models import PifVersion
from dossier.products.constants import Use
from dossier.products.schemas import ProductCreate
from dossier.products.service.products import ProductsService
from dossier.reports import gateway
from dossier.reports.models import Report

ORIGINALS = {"配方表.xlsx": b"cells", "GMP 證書.pdf": b"%PDF-1.7 certificate"}


async def make_version(
    sessions: SessionFactory,
    org_id: UUID,
    settings: Settings | None = None,
    **overrides: Any,
) -> PifVersion:
    """Insert a version; with settings, its evidence lies in their store."""
    evidence = [
        await _paper(sessions, org_id, settings, name, content)
        for name, content in ORIGINALS.items()
        if settings
    ]
    async with tenant_transaction(sessions, org_id) as session:
        actor = Actor.system(org_id)
        products = ProductsService(session, actor, DocumentsService(session, actor))
        product = await products.create_product(_product())
        snapshot = samples.snapshot(evidence=evidence) | overrides
        snapshot["product"]["id"] = str(product.id)
        version = PifVersion(
            org_id=org_id,
            product_id=product.id,
            market="tw",
            number=snapshot["version_number"],
            sha256=samples.digest("version"),
            snapshot=snapshot,
        )
        session.add(version)
    return version


async def make_report(
    sessions: SessionFactory,
    org_id: UUID,
    settings: Settings | None = None,
    **overrides: Any,
) -> Report:
    """Insert a report that nobody has printed yet."""
    version = await make_version(sessions, org_id, settings, **overrides)
    async with tenant_transaction(sessions, org_id) as session:
        report_id = new_id()
        values = {
            "id": report_id,
            "created_at": now(),
            "org_id": org_id,
            "product_id": version.product_id,
            "version_id": version.id,
            "version_number": version.number,
            "market": version.market,
        }
        await gateway.add_report(session, values)
    return await read_report(sessions, org_id, report_id)


async def read_report(
    sessions: SessionFactory, org_id: UUID, report_id: UUID
) -> Report:
    """Read a report's row anew."""
    async with tenant_transaction(sessions, org_id) as session:
        report = await gateway.get_report_for_org(session, org_id, report_id)
    if report is None:
        raise LookupError(report_id)
    return report


async def _paper(
    sessions: SessionFactory,
    org_id: UUID,
    settings: Settings,
    filename: str,
    content: bytes,
) -> dict[str, Any]:
    document = await make_stored_document(
        sessions, org_id, settings, content, filename=filename
    )
    return {
        "document_id": str(document.id),
        "filename": filename,
        "sha256": document.sha256,
        "size_bytes": document.size_bytes,
        "media_type": document.media_type,
        "items": [3],
        "matched_by": "stated",
        "reason": None,
    }


def _product() -> ProductCreate:
    return ProductCreate.model_validate(
        {
            "name_zh": "玫瑰保濕霜",
            "category": "face_cream",
            "use": Use.LEAVE_ON,
            "holder": {"name": "Rose Maison Co."},
        }
    )
