"""Indexed documents for tests."""

from typing import Any
from uuid import UUID

from sqlalchemy import update
from tests.factories.documents import make_document

from dossier.core.database import SessionFactory, tenant_transaction
from dossier.core.tenancy import Actor
from dossier.documents.models import Document, DocumentText
from dossier.knowledge.models import Chunk
from dossier.knowledge.rules.chunking import passages_of
from dossier.knowledge.rules.preparing import prepare
from dossier.knowledge.service.indexing import IndexingService, weighed


async def make_read_document(
    sessions: SessionFactory, org_id: UUID, *pages: str, **over: Any
) -> Document:
    """Insert a document whose text has been read, page by page."""
    content = over.pop("content", "\f".join(pages).encode() or b"nothing")
    document = await make_document(sessions, org_id, content, **over)
    await set_pages(sessions, document, *pages)
    return document


async def set_pages(sessions: SessionFactory, document: Document, *pages: str) -> None:
    """Give a document another text, as reading it once more would."""
    async with tenant_transaction(sessions, document.org_id) as session:
        found = await session.execute(
            update(Document)
            .where(Document.org_id == document.org_id, Document.id == document.id)
            .values(text_state="read", revision=Document.revision + 1)
            .returning(Document.id)
        )
        assert found.scalar_one() == document.id
        await session.run_sync(
            lambda sync: (
                sync.query(DocumentText)
                .filter_by(org_id=document.org_id, document_id=document.id)
                .delete()
            )
        )
        session.add_all(
            DocumentText(
                org_id=document.org_id,
                document_id=document.id,
                position=position,
                label=f"page {position}",
                text=text,
                has_text_layer=True,
            )
            for position, text in enumerate(pages, 1)
        )


async def index(sessions: SessionFactory, org_id: UUID, document_id: UUID) -> None:
    """Index a document as its job does, in one transaction."""
    async with tenant_transaction(sessions, org_id) as session:
        service = IndexingService(session, Actor.system(org_id))
        source = await service.read(document_id)
        assert source is not None
        passages = prepare(list(passages_of(source.parts)), source.head, 1)
        assert await service.replace(source, weighed(passages, source.average_terms))


async def make_indexed_document(
    sessions: SessionFactory, org_id: UUID, *pages: str, **over: Any
) -> Document:
    """Insert a document whose passages can be found."""
    document = await make_read_document(sessions, org_id, *pages, **over)
    await index(sessions, org_id, document.id)
    return document


async def make_chunk(
    sessions: SessionFactory, org_id: UUID, text: str = "Shelf life: 36 months."
) -> Chunk:
    """Insert one passage of a new document."""
    document = await make_indexed_document(sessions, org_id, text)
    async with tenant_transaction(sessions, org_id) as session:
        page = await IndexingService(session, Actor.system(org_id)).page_of_chunks(
            document.id, 0, 1
        )
    return page.items[0]
