"""Matching documents to the items of a product: proposing, and linking what is sure."""

from collections.abc import Sequence
from uuid import UUID

from dossier.documents.constants import TextState
from dossier.documents.facts.record import kind_of
from dossier.documents.models import Document
from dossier.documents.service import DocumentsService
from dossier.pif.constants import MatchOutcome
from dossier.pif.rules.matching import DocumentFacts, propose
from dossier.pif.schemas import MAX_MATCHED, MatchResponse, match_response
from dossier.products.constants import MatchedBy
from dossier.products.models import ProductDocument
from dossier.products.service.products import ProductsService

STATED = frozenset({MatchedBy.STATED, MatchedBy.USER})
"""Links that a person made; they take precedence over words."""

JUDGED_PARTS = 10
"""Pages or sheets that are judged; the first ones show what a document is."""


async def propose_matches(
    products: ProductsService,
    documents: DocumentsService,
    product_id: UUID,
    document_ids: Sequence[UUID] | None,
) -> list[MatchResponse]:
    """Return what each document seems to be; nothing is stored.

    Without `document_ids`: the newest documents that are linked to no product.
    """
    links = await products.list_links(product_id)
    if document_ids is None:
        newest = await documents.newest(MAX_MATCHED)
        linked = await products.linked_among([document.id for document in newest])
        judged = [document for document in newest if document.id not in linked]
    else:
        judged = [
            await documents.get_document(document_id)
            for document_id in dict.fromkeys(document_ids)
        ]
    return [await _match(documents, document, links) for document in judged]


async def apply_matches(
    products: ProductsService,
    documents: DocumentsService,
    product_id: UUID,
    document_ids: Sequence[UUID] | None,
) -> list[MatchResponse]:
    """Link what is matched; links that exist are not changed."""
    matches = await propose_matches(products, documents, product_id, document_ids)
    links = await products.list_links(product_id)
    known = {(link.document_id, link.item, link.requirement) for link in links}
    for match in matches:
        if match.outcome is not MatchOutcome.MATCHED:
            continue
        for target in match.serves:
            key = (match.document_id, target.item, target.requirement)
            if key not in known:
                await products.link_document(
                    product_id,
                    *key,
                    matched_by=match.matched_by or MatchedBy.CONTENT,
                    reason=match.reason,
                )
                known.add(key)
    return matches


async def _match(
    documents: DocumentsService, document: Document, links: Sequence[ProductDocument]
) -> MatchResponse:
    stated = [
        link
        for link in links
        if link.document_id == document.id and link.matched_by in STATED
    ]
    opening = await documents.page_of_text(document.id, 0, JUDGED_PARTS)
    text = "\n".join(part.text for part in opening.items)
    hindrance = None
    if document.text_state == TextState.UNREADABLE:
        hindrance = f"its text cannot be read ({document.unreadable_reason})"
    elif document.text_state == TextState.READ_PARTLY:
        hindrance = f"its text was read partly ({document.unreadable_detail})"
    elif document.text_state == TextState.PENDING:
        hindrance = "its text has not been read yet"
    kind = kind_of(document.record) if document.record else None
    proposal = propose(DocumentFacts(document.id, document.filename, text, kind))
    return match_response(proposal, stated, hindrance)
