"""What a process searches with, put together from settings once.

The clients of servers cost memory, so each is imported and opened when first needed.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from dossier.ai.service.assembly import open_tracer
from dossier.core.database import SessionFactory
from dossier.core.settings import Settings
from dossier.core.tenancy import Actor
from dossier.integrations.llm.plan import model_plan
from dossier.integrations.llm.types import EmbeddingModel, Recorder
from dossier.knowledge import ports
from dossier.knowledge.service.search import SearchService
from dossier.knowledge.service.search_outside import Outside, Rests
from dossier.sources.service import CentralRetrieval

if TYPE_CHECKING:
    from dossier.integrations.llm.embeddings import EmbeddingClient
    from dossier.integrations.llm.local import LocalEmbedder
    from dossier.integrations.rag.client import RagClient
    from dossier.integrations.rerank.client import RerankClient


class Searchers:
    """Embedder, reranker and central service of a process, and who searches by them."""

    def __init__(
        self, sessions: SessionFactory, settings: Settings, recorder: Recorder
    ) -> None:
        self._sessions = sessions
        self._settings = settings
        self._recorder = recorder
        self._tracer = open_tracer(settings)
        self._rests = Rests()
        self._embedder: EmbeddingClient | LocalEmbedder | None = None
        self._reranker: RerankClient | None = None
        self._central: RagClient | None = None

    def searcher(
        self, sessions: SessionFactory, actor: Actor, *, asks_central: bool = False
    ) -> SearchService:
        """Return what searches for somebody.

        The central service is asked where its passages are shown: an answer cannot
        cite what is on no page of the organisation's papers.
        """
        outside = Outside(
            self.embedder(),
            self._reranker_set(),
            self._central_of(actor) if asks_central else None,
            self._rests,
            self._tracer,
        )
        return SearchService(sessions, actor, outside)

    def searcher_of(self, actor: Actor) -> SearchService:
        """Return what finds the passages of an answer."""
        return self.searcher(self._sessions, actor)

    def embedder(self) -> EmbeddingModel | None:
        """Return the embedder; `None` where no setting names one."""
        if self._embedder is None:
            self._embedder = self._opened_embedder()
        return self._embedder

    async def close(self) -> None:
        """Give the connections up."""
        for client in (self._embedder, self._reranker, self._central):
            if client is not None:
                await client.close()

    def _opened_embedder(self) -> "EmbeddingClient | LocalEmbedder | None":
        local = self._settings.knowledge.local_embed_model
        if local is not None:
            from dossier.integrations.llm.local import (  # noqa: PLC0415 - as it is said above
                open_local_embedder,
            )

            return open_local_embedder(local)
        plan = model_plan(self._settings.ai)
        if plan is None or plan.embedder is None:
            return None
        from dossier.integrations.llm.embeddings import (  # noqa: PLC0415 - the HTTP client
            open_embedder,
        )

        return open_embedder(plan, self._recorder)

    def _reranker_set(self) -> ports.Reranker | None:
        if self._reranker is None and self._settings.knowledge.rerank_url:
            from dossier.integrations.rerank.client import (  # noqa: PLC0415 - the HTTP client
                open_reranker,
            )

            self._reranker = open_reranker(self._settings.knowledge)
        return self._reranker

    def _central_of(self, actor: Actor) -> ports.CentralSearch | None:
        knowledge = self._settings.knowledge
        if knowledge.central_url is None:
            return None
        if self._central is None:
            from dossier.integrations.rag.client import (  # noqa: PLC0415 - the HTTP client
                RagClient,
            )

            key = knowledge.central_api_key
            secret = key.get_secret_value() if key else None
            self._central = RagClient(knowledge.central_url, secret)
        return CentralRetrieval(self._sessions, actor.org_id, self._central)


@asynccontextmanager
async def opened_searchers(
    sessions: SessionFactory, settings: Settings, recorder: Recorder
) -> AsyncIterator[Searchers]:
    """Yield what a process searches with; leaving closes its clients."""
    searchers = Searchers(sessions, settings, recorder)
    try:
        yield searchers
    finally:
        await searchers.close()
