"""What answers need from outside the domain."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

from dossier.core.tenancy import Actor
from dossier.integrations.llm.types import ServerAbilities
from dossier.knowledge.types import SearchHit, SearchQuery, SearchResult

if TYPE_CHECKING:
    pass


class Searcher(Protocol):
    """Finds passages in what one actor may read."""

    async def search(self, query: SearchQuery, /) -> SearchResult:
        """Return the best passages, in transactions of its own."""
        ...

    async def read(self, chunk_ids: Sequence[UUID], /) -> Sequence[SearchHit]:
        """Return those that are still there of passages found before."""
        ...


class SearcherOf(Protocol):
    """Makes the searcher of whoever asks."""

    def __call__(self, actor: Actor, /) -> Searcher:
        """Return what finds passages for this actor."""
        ...


AskAbilities = Callable[[], Awaitable[ServerAbilities | None]]
"""Returns what the last probe of the model server found."""
