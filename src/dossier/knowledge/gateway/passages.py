"""Passages by their ids."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

import asyncpg

from dossier.core.reads import Reads, bound

_LIST: Final = bound("""
select c.id as chunk_id, c.document_id, d.filename, c.page, c.label, c.kind, c.text,
       c.context, c.places::text as places, c.language
  from knowledge_chunks c
  join documents d on d.org_id = bound.org_id and d.id = c.document_id
   and d.archived_at is null
 where c.org_id = bound.org_id and c.id = any($2::uuid[])
""")


async def list_passages_for_org(
    reads: Reads, org_id: UUID, chunk_ids: Sequence[UUID]
) -> Sequence[asyncpg.Record]:
    """Return those of the passages that are still there, in no order."""
    return await reads.rows(_LIST, org_id, list(chunk_ids))
