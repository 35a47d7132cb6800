"""Matching a product's papers to the items: proposing, and linking what is sure."""

from collections.abc import Sequence
from uuid import UUID

from dossier.documents.constants import TextState
from dossier.documents.models import Document
from dossier.documents.service import DocumentsService
from dossier.pif import rules
from dossier.pif.constants import Outcome
from dossier.pif.schemas import MAX_MATCHED, MatchResponse, match_response
from dossier.products.constants import MatchedBy
from dossier.products.models import ProductDocument
from dossier.products.service import ProductsService

STATED = frozenset({MatchedBy.STATED, MatchedBy.USER})
"""What a person said; no word goes before it."""

OPENING_PARTS = 10
"""Pages or sheets that are judged; a paper says early what it is."""


class Matcher:
    """Judges papers for one product."""

    def __init__(
        self, products: ProductsService, documents: DocumentsService, product_id: UUID
    ) -> None:
        self._products = products
        self._documents = documents
        self._product_id = product_id

    async def propose(self, document_ids: Sequence[UUID] | None) -> list[MatchResponse]:
        """Say what each paper seems to be; nothing is stored."""
        links = await self._products.list_links(self._product_id)
        papers = await self._papers(document_ids)
        return [await self._judge(paper, links) for paper in papers]

    async def apply(self, document_ids: Sequence[UUID] | None) -> list[MatchResponse]:
        """Link what is matched; what is linked already stays as it is."""
        matches = await self.propose(document_ids)
        links = await self._products.list_links(self._product_id)
        known = {(link.document_id, link.item, link.requirement) for link in links}
        for match in matches:
            if match.outcome is Outcome.MATCHED:
                await self._link(match, known)
        return matches

    async def _link(
        self, match: MatchResponse, known: set[tuple[UUID, int, str | None]]
    ) -> None:
        for target in match.serves:
            key = (match.document_id, target.item, target.requirement)
            if key in known:
                continue
            await self._products.link_document(
                self._product_id,
                *key,
                matched_by=match.matched_by or MatchedBy.CONTENT,
                reason=match.reason,
            )
            known.add(key)

    async def _papers(self, document_ids: Sequence[UUID] | None) -> list[Document]:
        if document_ids is None:
            return await self._unlinked()
        return [
            await self._documents.get_document(document_id)
            for document_id in dict.fromkeys(document_ids)
        ]

    async def _unlinked(self) -> list[Document]:
        """Return the newest papers that no product rests on."""
        newest = await self._documents.newest(MAX_MATCHED)
        linked = await self._products.linked_among([paper.id for paper in newest])
        return [paper for paper in newest if paper.id not in linked]

    async def _judge(
        self, document: Document, links: Sequence[ProductDocument]
    ) -> MatchResponse:
        own = [link for link in links if link.document_id == document.id]
        stated = [link for link in own if link.matched_by in STATED]
        opening = await self._documents.page_of_text(document.id, 0, OPENING_PARTS)
        text = "\n".join(part.text for part in opening.items)
        proposal = rules.propose(rules.Paper(document.id, document.filename, text))
        return match_response(proposal, stated, _hindrance(document))


def _hindrance(document: Document) -> str | None:
    """Say why the words of a paper could not be judged."""
    if document.text_state == TextState.UNREADABLE:
        return f"its text cannot be read ({document.unreadable_reason})"
    if document.text_state == TextState.PENDING:
        return "its text has not been read yet"
    return None
