"""Passages by their ids."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import ARRAY, Uuid, any_, bindparam, select

from dossier.core.reads import ORG_ID, Row, TenantReader, TenantSelect
from dossier.documents.models import Document
from dossier.knowledge.models import Chunk

_LIST = TenantSelect(
    select(
        Chunk.id.label("chunk_id"),
        Chunk.document_id,
        Document.filename,
        Chunk.page,
        Chunk.label,
        Chunk.kind,
        Chunk.text,
        Chunk.context,
        Chunk.places,
        Chunk.language,
    )
    .join(
        Document,
        (Document.org_id == Chunk.org_id) & (Document.id == Chunk.document_id),
    )
    .where(
        Chunk.org_id == ORG_ID,
        Document.org_id == ORG_ID,
        Document.archived_at.is_(None),
        Chunk.id == any_(bindparam("chunk_ids", type_=ARRAY(Uuid()))),
    )
)


async def list_passages_for_org(
    reader: TenantReader, org_id: UUID, chunk_ids: Sequence[UUID]
) -> list[Row]:
    """Return those of the passages that are still there, in no order."""
    return await reader.rows(_LIST, org_id, chunk_ids=list(chunk_ids))
