"""Documents that were read before facts were are read again."""

from uuid import UUID

import pytest
from sqlalchemy import select
from tests.factories.documents import make_document, make_read_document

from dossier.core.database import SessionFactory, tenant_transaction
from dossier.documents.constants import READ_TASK
from dossier.documents.models import Document
from dossier.documents.tasks import read_again
from dossier.jobs.models import Job


@pytest.fixture
async def old(sessions: SessionFactory, org_id: UUID) -> Document:
    """A document whose text was read and whose facts were not."""
    document = await make_read_document(sessions, org_id, "Stability", filename="a.pdf")
    async with tenant_transaction(sessions, org_id) as session:
        row = await session.get_one(Document, document.id)
        row.record = None
    return document


async def test_document_without_facts_is_read_again_once(
    sessions: SessionFactory, org_id: UUID, old: Document
) -> None:
    await make_read_document(sessions, org_id, "Label", filename="b.pdf")
    await make_document(sessions, org_id, b"pending")

    counts = [await read_again(sessions), await read_again(sessions)]

    assert counts == [1, 0]
    async with tenant_transaction(sessions, org_id) as session:
        row = await session.get_one(Document, old.id)
        jobs = (await session.scalars(select(Job).where(Job.kind == READ_TASK))).all()
    assert row.text_state == "pending"
    assert [j.args["document_id"] for j in jobs].count(str(old.id)) == 1
