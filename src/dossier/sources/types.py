"""Documents and products for the central retrieval service."""

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from dossier.core.database import Session
from dossier.integrations.rag.models import RemoteDocument


@dataclass(frozen=True, slots=True)
class CentralDocument:
    """A document as it is now, and the products whose bases it belongs to."""

    document: RemoteDocument
    revision: int
    product_ids: frozenset[UUID]


class LinkedDocument(NamedTuple):
    """A document at a revision, and one product that it belongs to."""

    org_id: UUID
    document_id: UUID
    product_id: UUID
    revision: int


# Documents and products lie above this domain, so the composition root binds these.
LoadDocument = Callable[[Session, UUID, UUID], Awaitable[CentralDocument | None]]
"""By organisation and id; `None` where the document may not be pushed."""
ListDocuments = Callable[[Session], Awaitable[Collection[LinkedDocument]]]
"""Every document that belongs into a base, in a transaction across organisations."""
ListProducts = Callable[[Session], Awaitable[Sequence[tuple[UUID, UUID]]]]
"""Organisation and id of every product, in a transaction across organisations."""
