"""Which documents belong into which product's base of a central service."""

from collections.abc import Sequence

from sqlalchemy import text

from dossier.core.database import Session
from dossier.sources.constants import LinkedPaper

_LINKED = text(
    """
select distinct d.org_id, d.id, l.product_id, d.revision
from documents d
join product_documents l on l.org_id = d.org_id and l.document_id = d.id
where d.text_state in ('read', 'read_partly') and d.archived_at is null
"""
)


async def list_linked_papers_for_system(session: Session) -> Sequence[LinkedPaper]:
    """Return every document that has a text and serves a product."""
    return [LinkedPaper(*row) for row in await session.execute(_LINKED)]
