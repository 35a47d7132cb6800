"""What works here: settings and the newest probe, put together."""

from dataclasses import asdict
from importlib.util import find_spec
from typing import TypedDict

from dossier.ai.rules.capabilities import Facts, capabilities
from dossier.ai.schemas import (
    AbilitiesResponse,
    CapabilitiesResponse,
    CapabilityResponse,
    ServerResponse,
)
from dossier.ai.service.abilities import AbilitiesService, StoredProbe, planned_servers
from dossier.core.database import SessionFactory
from dossier.core.settings import AiSettings, KnowledgeSettings
from dossier.integrations.llm.plan import UNNAMED
from dossier.integrations.llm.types import Purpose, ServerAbilities


class _Named(TypedDict):
    strong: str | None
    fallback: str | None
    cheap: str | None
    cheap_fallback: str | None
    embedder: str | None
    has_name: bool


class CapabilitiesService:
    """What the installation can do; the same for every organisation."""

    def __init__(
        self,
        sessions: SessionFactory,
        ai: AiSettings,
        knowledge: KnowledgeSettings,
    ) -> None:
        self._servers = planned_servers(ai)
        self._abilities = AbilitiesService(StoredProbe(sessions, self._servers))
        self._knowledge = knowledge
        self._embed_model = ai.embed_model

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
            **self._models(),
            embed_model=self._embed_model,
            local_embedder=knowledge.local_embed_model,
            has_local_library=find_spec("sentence_transformers") is not None,
            reranker=knowledge.rerank_url
            and (knowledge.rerank_model or knowledge.rerank_url),
            has_central=knowledge.central_url is not None,
            is_reachable=found.reachable if found else None,
            problem=found.problem if found else None,
            dimensions=found.embedding_dimensions if found else None,
            languages=found.embedding_languages if found else (),
        )

    def _models(self) -> _Named:
        strong, fallback = self._first_two(Purpose.STRONG)
        cheap, cheap_fallback = self._first_two(Purpose.CHEAP)
        return {
            "strong": strong,
            "fallback": fallback,
            "cheap": cheap,
            "cheap_fallback": cheap_fallback,
            "embedder": self._first_two(Purpose.EMBEDDING)[0],
            "has_name": strong != UNNAMED,
        }

    def _first_two(self, purpose: Purpose) -> tuple[str | None, str | None]:
        told = (server.models.get(purpose.value) for server in self._servers)
        first, second, *_ = *filter(None, told), None, None
        return first, second
