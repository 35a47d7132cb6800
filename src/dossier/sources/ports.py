"""What this domain needs from a central retrieval service."""

from collections.abc import Awaitable, Collection, Sequence
from typing import Protocol
from uuid import UUID

from dossier.core.database import Session
from dossier.sources.constants import CentralDocument, CentralPaper, LinkedPaper


class RemotePassage(Protocol):
    """A passage as the service gives it."""

    @property
    def title(self) -> str:
        """Name of the paper."""
        ...

    @property
    def text(self) -> str:
        """The passage."""
        ...

    @property
    def score(self) -> float:
        """The higher, the better."""
        ...

    @property
    def reference(self) -> str | None:
        """What the service calls it."""
        ...


class CentralService(Protocol):
    """A central retrieval service; every call names the tenant."""

    async def create_base(self, tenant: str, name: str, external_id: str, /) -> str:
        """Make a knowledge base and return its id there."""
        ...

    async def push_document(
        self, tenant: str, base_id: str, document: CentralDocument, /
    ) -> None:
        """Give it a document, in place of an earlier one of the same id."""
        ...

    async def remove_document(
        self, tenant: str, base_id: str, external_id: str, /
    ) -> None:
        """Take a document away; one that is not there is none to take."""
        ...

    async def query(
        self, tenant: str, base_ids: Sequence[str], text: str, limit: int, /
    ) -> Sequence[RemotePassage]:
        """Return the best passages of some bases, the best first."""
        ...


class Papers(Protocol):
    """Knows the documents, which lie above; bound by the composition root."""

    def __call__(
        self, session: Session, org_id: UUID, document_id: UUID, /
    ) -> Awaitable[CentralPaper | None]:
        """Return a document, or `None` where nothing of it may be given away."""
        ...


class PaperList(Protocol):
    """Names every document that belongs into a base."""

    def __call__(self, session: Session, /) -> Awaitable[Collection[LinkedPaper]]:
        """Return them all, in a transaction across organisations."""
        ...


class ProductList(Protocol):
    """Names every product; bound by the composition root, since products lie above."""

    def __call__(self, session: Session, /) -> Awaitable[Sequence[tuple[UUID, UUID]]]:
        """Return organisation and product, in a transaction across organisations."""
        ...
