"""What works here: settings and the newest probe, put together."""

from dataclasses import asdict

from dossier.ai.rules.capabilities import Facts, capabilities
from dossier.ai.schemas import (
    AbilitiesResponse,
    CapabilitiesResponse,
    CapabilityResponse,
    ServerResponse,
)
from dossier.ai.service.abilities import AbilitiesService, StoredProbe, planned_servers
from dossier.core.database import SessionFactory
from dossier.core.settings.models import AiSettings, KnowledgeSettings
from dossier.integrations.llm.models import Purpose, ServerAbilities


class CapabilitiesService:
    """What the installation can do; the same for every organisation."""

    def __init__(
        self, sessions: SessionFactory, ai: AiSettings, knowledge: KnowledgeSettings
    ) -> None:
        self._servers = planned_servers(ai)
        self._abilities = AbilitiesService(StoredProbe(sessions, self._servers))
        self._knowledge = knowledge

    async def describe(self) -> CapabilitiesResponse:
        """Return every feature, the servers, and what they were found to do."""
        found = await self._abilities.current()
        features = capabilities(self._facts(found))
        return CapabilitiesResponse(
            features=[CapabilityResponse.model_validate(each) for each in features],
            servers=[ServerResponse(**asdict(server)) for server in self._servers],
            abilities=found and AbilitiesResponse.model_validate(found),
            probed_at=await self._abilities.probed_at(),
        )

    def _facts(self, found: ServerAbilities | None) -> Facts:
        knowledge = self._knowledge
        return Facts(
            strong=self._model(Purpose.STRONG),
            cheap=self._model(Purpose.CHEAP),
            embedder=self._model(Purpose.EMBEDDING),
            local_embedder=knowledge.local_embed_model,
            reranker=knowledge.rerank_url
            and (knowledge.rerank_model or knowledge.rerank_url),
            has_central=knowledge.central_url is not None,
            is_reachable=found.reachable if found else None,
            problem=found.problem if found else None,
            dimensions=found.embedding_dimensions if found else None,
            languages=found.embedding_languages if found else (),
        )

    def _model(self, purpose: Purpose) -> str | None:
        names = (server.models.get(purpose.value) for server in self._servers)
        return next((name for name in names if name is not None), None)
