"""Formulas as clients import them."""

from uuid import UUID

import httpx2
from tests.factories.documents import make_stored_document
from tests.factories.spreadsheets import xlsx_bytes

from dossier.core.database import SessionFactory
from dossier.core.settings import Settings


async def import_formula(
    client: httpx2.AsyncClient,
    sessions: SessionFactory,
    org_id: UUID,
    settings: Settings,
    url: str,
    *lines: tuple[str, str],
) -> None:
    """Import a formula of INCI names and percentages for the product at the address."""
    content = xlsx_bytes([("INCI", "%"), *((n, float(q)) for n, q in lines)])
    document = await make_stored_document(
        sessions, org_id, settings, content, filename="formula.xlsx"
    )
    answer = await client.post(
        f"{url}/formulas", json={"document_id": str(document.id)}
    )
    assert answer.status_code == 201
