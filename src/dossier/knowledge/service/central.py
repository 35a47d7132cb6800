"""What a central retrieval service is given of the documents."""

from collections.abc import Collection
from uuid import UUID

from dossier.core.database import Session
from dossier.core.tenancy import Actor
from dossier.documents.constants import WITH_TEXT
from dossier.documents.service import DocumentsService
from dossier.knowledge.gateway import central as gateway
from dossier.products.service import ProductsService
from dossier.sources.constants import CentralDocument, CentralPaper, LinkedPaper


async def central_document(
    session: Session, org_id: UUID, document_id: UUID
) -> CentralPaper | None:
    """Return a document with its products; `None`: nothing of it is to lie there."""
    actor = Actor.system(org_id)
    documents = DocumentsService(session, actor)
    document = await documents.hold_document(document_id)
    if document is None or document.archived_at is not None:
        return None
    if document.text_state not in WITH_TEXT:
        return None
    texts = await documents.texts_of(document_id)
    products = ProductsService(session, actor, documents)
    links = await products.links_of_document(document_id)
    text = "\n\n".join(part.text for part in texts)
    return CentralPaper(
        CentralDocument(str(document_id), document.filename, text),
        document.revision,
        frozenset(link.product_id for link in links),
    )


async def central_documents(session: Session) -> Collection[LinkedPaper]:
    """Return every document that belongs there, across organisations."""
    return await gateway.list_linked_papers_for_system(session)
