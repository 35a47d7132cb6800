"""Values of outside sources: requests, answers, documents for central retrieval."""

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from dossier.core.database import Session
from dossier.integrations.rag.models import RemoteDocument
from dossier.sources.constants import MODE_SETTING


@dataclass(frozen=True, slots=True)
class SourceRequest:
    """A request to one source."""

    source: str
    fingerprint: str
    """Of `rules.request_fingerprint`."""
    url: str
    """Where a person may look for themselves; never with a key in it."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """A source's answer; `is_found` is false where it has no entry."""

    status: int
    body: bytes
    parser_version: str
    is_found: bool = True
    media_type: str | None = None


@dataclass(frozen=True, slots=True)
class NotAsked:
    """No request was made; `setting` names the setting that forbids it."""

    setting: str = MODE_SETTING


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
