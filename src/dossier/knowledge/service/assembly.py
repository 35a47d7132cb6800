"""The search of a process: its clients, opened as settings name them.

Clients cost memory, so each is imported and opened when first needed.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from dossier.ai.service.assembly import open_tracer
from dossier.core.database import SessionFactory
from dossier.core.settings import KnowledgeSettings, Settings
from dossier.core.tenancy import Actor
from dossier.integrations.llm.plan import model_plan
from dossier.integrations.llm.types import EmbeddingModel, Recorder
from dossier.knowledge.service.clients import (
    SearchBreakers,
    SearchCentral,
    SearchClients,
)
from dossier.knowledge.service.search import SearchService
from dossier.sources.service import CentralRetrieval

if TYPE_CHECKING:
    from dossier.integrations.llm.embeddings import EmbeddingClient
    from dossier.integrations.llm.local import LocalEmbedder
    from dossier.integrations.rag.client import RagClient
    from dossier.integrations.rerank.client import RerankClient


class Searchers:
    """Opens a process's embedder, reranker and central service, and builds searches."""

    def __init__(
        self, sessions: SessionFactory, settings: Settings, recorder: Recorder
    ) -> None:
        self._sessions = sessions
        self._settings = settings
        self._recorder = recorder
        self._tracer = open_tracer(settings)
        self._breakers = SearchBreakers()
        self._embedder: EmbeddingClient | LocalEmbedder | None = None
        self._reranker: RerankClient | None = None
        self._central: RagClient | None = None

    def searcher(
        self, sessions: SessionFactory, actor: Actor, *, asks_central: bool = False
    ) -> SearchService:
        """Return the search of an actor.

        The central service is searched only where its passages are shown: an answer
        cannot cite them, since they are in no document of the organisation.
        """
        if self._reranker is None and self._settings.knowledge.rerank_url:
            from dossier.integrations.rerank.client import (  # noqa: PLC0415 - the HTTP client
                open_reranker,
            )

            self._reranker = open_reranker(self._settings.knowledge)
        if self._central is None and asks_central:
            self._central = open_central(self._settings.knowledge)
        search_central: SearchCentral | None = None
        if self._central is not None and asks_central:
            central = CentralRetrieval(self._sessions, actor.org_id, self._central)
            search_central = central.search
        clients = SearchClients(
            self.embedder(),
            None if self._reranker is None else self._reranker.rerank,
            search_central,
            self._breakers,
            self._tracer,
        )
        return SearchService(sessions, actor, clients)

    def searcher_of(self, actor: Actor) -> SearchService:
        """Return the search for the passages of an answer."""
        return self.searcher(self._sessions, actor)

    def embedder(self) -> EmbeddingModel | None:
        """Return the embedder; `None` where no setting names one."""
        if self._embedder is not None:
            return self._embedder
        local = self._settings.knowledge.local_embed_model
        plan = model_plan(self._settings.ai)
        if local is not None:
            from dossier.integrations.llm.local import (  # noqa: PLC0415 - see the module
                open_local_embedder,
            )

            self._embedder = open_local_embedder(local)
        elif plan is not None and plan.embedder is not None:
            from dossier.integrations.llm.embeddings import (  # noqa: PLC0415 - the HTTP client
                open_embedder,
            )

            self._embedder = open_embedder(plan, self._recorder)
        return self._embedder

    async def close(self) -> None:
        """Close the clients."""
        for client in (self._embedder, self._reranker, self._central):
            if client is not None:
                await client.close()


def open_central(settings: KnowledgeSettings) -> "RagClient | None":
    """Return a client of the central retrieval service; `None` where none is set."""
    if settings.central_url is None:
        return None
    from dossier.integrations.rag.client import (  # noqa: PLC0415 - the HTTP client
        RagClient,
    )

    key = settings.central_api_key
    return RagClient(settings.central_url, key.get_secret_value() if key else None)


@asynccontextmanager
async def opened_searchers(
    sessions: SessionFactory, settings: Settings, recorder: Recorder
) -> AsyncIterator[Searchers]:
    """Yield the `Searchers` of a process; closes its clients at the end."""
    searchers = Searchers(sessions, settings, recorder)
    try:
        yield searchers
    finally:
        await searchers.close()
