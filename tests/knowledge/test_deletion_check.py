"""The orphan scan finds each kind of what should not be there, once it is planted."""

import os
from uuid import UUID

import pytest
from sqlalchemy import text
from tests.factories.documents import make_stored_document
from tests.factories.knowledge import make_indexed_document

from dossier.cli.knowledge import look
from dossier.core.database import SessionFactory, tenant_transaction
from dossier.core.settings import Settings
from dossier.integrations.storage.client import open_store
from dossier.knowledge.types import Orphans

VECTOR = """
insert into knowledge_embeddings
select org_id, id, 'tiny', 1, content_sha256, '[1]' from knowledge_chunks;
delete from knowledge_chunks
"""
PLANTED = {
    "passage-without-document": "delete from documents",
    "entry-without-document": "delete from documents",
    "text-without-document": "delete from documents",
    "vector-without-passage": VECTOR,
    "passage-of-archived-document": "update documents set archived_at = now()",
    "frequency-differs": "update knowledge_terms set chunk_count = chunk_count + 1",
    "sum-differs": "update knowledge_stats set total_terms = total_terms + 1",
}


async def scan(sessions: SessionFactory, settings: Settings) -> list[Orphans]:
    return await look(sessions, open_store(None, settings.home))


@pytest.mark.parametrize("kind", PLANTED)
async def test_inserted_orphans_are_found(
    sessions: SessionFactory, org_id: UUID, settings: Settings, kind: str
) -> None:
    await make_indexed_document(sessions, org_id, "Shelf life.")
    async with tenant_transaction(sessions, org_id) as session:
        await session.execute(text("set local role none"))
        # Neither keys nor triggers watch over what a replica applies.
        await session.execute(text("set local session_replication_role = replica"))
        for statement in PLANTED[kind].split(";"):
            await session.execute(text(statement))
        await session.execute(text("set local session_replication_role = origin"))

    found = await scan(sessions, settings)

    assert (kind, org_id) in {(each.kind, each.organisation_id) for each in found}


async def test_bytes_without_a_document_are_found_when_they_are_old(
    sessions: SessionFactory, org_id: UUID, settings: Settings
) -> None:
    document = await make_stored_document(sessions, org_id, settings, b"left behind")
    async with tenant_transaction(sessions, org_id) as session:
        await session.execute(text("delete from documents"))
    young = await scan(sessions, settings)
    os.utime(settings.home / "blobs" / document.blob_key, (0, 0))

    found = await scan(sessions, settings)

    assert young == []
    assert found == [Orphans("blob-without-document", org_id, 1)]


async def test_intact_index_has_no_orphans(
    sessions: SessionFactory, org_id: UUID, settings: Settings
) -> None:
    await make_indexed_document(sessions, org_id, "Shelf life.")

    assert await scan(sessions, settings) == []
