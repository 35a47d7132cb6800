"""What search and indexing need from outside, where settings name it."""

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from dossier.integrations.llm.types import CallTag, EmbeddingModel


class RankedPlace(Protocol):
    """One of the documents that were sent, and what the server makes of it."""

    @property
    def index(self) -> int:
        """Place in what was sent, from 0."""
        ...

    @property
    def score(self) -> float:
        """The higher, the better."""
        ...


class Reranker(Protocol):
    """Anything that orders passages by how well they answer."""

    async def rerank(
        self, query: str, documents: Sequence[str], top_n: int, /
    ) -> Sequence[RankedPlace]:
        """Return the best, the best first, or raise `AppError`."""
        ...


class FoundPassage(Protocol):
    """A passage of a central service."""

    @property
    def title(self) -> str:
        """Name the paper."""
        ...

    @property
    def text(self) -> str:
        """Return the passage."""
        ...

    @property
    def score(self) -> float:
        """The higher, the better."""
        ...

    @property
    def reference(self) -> str | None:
        """Return what the service calls the passage."""
        ...


class CentralSearch(Protocol):
    """A central retrieval service, bound to one organisation."""

    async def search(
        self, text: str, limit: int, product_id: UUID | None, /
    ) -> Sequence[FoundPassage]:
        """Return the best passages on a product, or on all, or raise `AppError`."""
        ...


class EmbedderProbe(Protocol):
    """Finds out what an embedder is good for."""

    async def __call__(
        self, embedder: EmbeddingModel, tag: CallTag, /
    ) -> tuple[int | None, tuple[str, ...]]:
        """Return the size of its vectors, and the languages that it tells apart.

        `None`: it does not answer.
        """
        ...
