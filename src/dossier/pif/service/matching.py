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
from dossier.products.types import NewLink

STATED = frozenset({MatchedBy.STATED, MatchedBy.USER})
"""Links that a person made; they take precedence over words."""

JUDGED_PARTS = 10
"""Pages or sheets that are judged; the first ones show what a document is."""


class MatchingService:
    """Proposes which items documents serve, and links what is sure."""

    def __init__(self, products: ProductsService, documents: DocumentsService) -> None:
        self._products = products
        self._documents = documents

    async def propose(
        self, product_id: UUID, document_ids: Sequence[UUID] | None = None
    ) -> list[MatchResponse]:
        """Return what each document seems to be; nothing is stored.

        Without `document_ids`: the newest documents that are linked to no product.
        """
        links = await self._products.list_links(product_id)
        if document_ids is None:
            newest = await self._documents.newest(MAX_MATCHED)
            linked = await self._products.linked_among(
                [document.id for document in newest]
            )
            judged = [document for document in newest if document.id not in linked]
        else:
            judged = [
                await self._documents.get_evidence(document_id)
                for document_id in dict.fromkeys(document_ids)
            ]
        return [await self._match(document, links) for document in judged]

    async def apply(
        self, product_id: UUID, document_ids: Sequence[UUID] | None = None
    ) -> list[MatchResponse]:
        """Link what is matched; links that exist are not changed."""
        matches = await self.propose(product_id, document_ids)
        links = await self._products.list_links(product_id)
        known = {(link.document_id, link.item, link.requirement) for link in links}
        new = [
            NewLink(
                match.document_id,
                target.item,
                target.requirement,
                match.matched_by or MatchedBy.CONTENT,
                match.reason,
            )
            for match in matches
            if match.outcome is MatchOutcome.MATCHED
            for target in match.serves
            if (match.document_id, target.item, target.requirement) not in known
        ]
        await self._products.link_documents(product_id, new)
        return matches

    async def _match(
        self, document: Document, links: Sequence[ProductDocument]
    ) -> MatchResponse:
        stated = [
            link
            for link in links
            if link.document_id == document.id and link.matched_by in STATED
        ]
        opening = await self._documents.page_of_text(document.id, 0, JUDGED_PARTS)
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
