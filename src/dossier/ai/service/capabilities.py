"""What the configured servers can do, and which features work with them."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import asdict, fields
from datetime import datetime
from importlib.util import find_spec
from typing import Any

from dossier.ai import gateway
from dossier.ai.models import AiServers
from dossier.ai.rules import Facts, capabilities
from dossier.ai.schemas import (
    AbilitiesResponse,
    CapabilitiesResponse,
    CapabilityResponse,
    ServerResponse,
)
from dossier.ai.service.cache import cache_key
from dossier.ai.types import PlannedServer
from dossier.core.database import SessionFactory, system_transaction
from dossier.core.settings import AiSettings, KnowledgeSettings
from dossier.integrations.llm.plan import AUTO_MODEL, model_plan
from dossier.integrations.llm.types import Purpose, ServerAbilities

REFRESH_S = 30


def planned_servers(ai: AiSettings) -> tuple[PlannedServer, ...]:
    """Return the servers that settings name, first choice first, the embedder last."""
    plan = model_plan(ai)
    if plan is None:
        return ()
    embedders = (plan.embedder,) if plan.embedder else ()
    return tuple(
        PlannedServer(
            server.label,
            server.wire,
            {purpose.value: name for purpose, name in server.models.items()},
        )
        for server in (*plan.servers, *embedders)
    )


def fingerprint_of(servers: Sequence[PlannedServer]) -> str:
    """Return the digest of a configuration."""
    return cache_key(servers=[asdict(server) for server in servers])


class StoredProbe:
    """The newest probe of one configuration; one per process, read now and then."""

    def __init__(
        self,
        sessions: SessionFactory,
        servers: Sequence[PlannedServer],
        refresh_s: float = REFRESH_S,
    ) -> None:
        self.servers = tuple(servers)
        self._sessions = sessions
        self._fingerprint = fingerprint_of(servers)
        self._refresh_s = refresh_s
        self._next_s = 0.0
        self._found: AiServers | None = None
        self._lock = asyncio.Lock()

    async def latest(self) -> AiServers | None:
        """Return what was found, or `None` before the first probe."""
        if self.servers and time.monotonic() >= self._next_s:
            async with self._lock:
                if time.monotonic() >= self._next_s:  # not read while we waited
                    async with system_transaction(self._sessions) as session:
                        self._found = await gateway.get_servers_for_system(
                            session, self._fingerprint
                        )
                    self._next_s = time.monotonic() + self._refresh_s
        return self._found


class AbilitiesService:
    """Abilities of the configured servers."""

    def __init__(self, probe: StoredProbe) -> None:
        self._probe = probe

    async def current(self) -> ServerAbilities | None:
        """Return what the newest probe found; `None` before there was one."""
        found = await self._probe.latest()
        return None if found is None else restored(found.abilities)

    async def probed_at(self) -> datetime | None:
        """Return when that was."""
        found = await self._probe.latest()
        return None if found is None else found.probed_at


def stored(abilities: ServerAbilities) -> dict[str, Any]:
    """Return abilities as they are stored."""
    return asdict(abilities)


def restored(members: dict[str, Any]) -> ServerAbilities:
    """Return stored abilities; members of another version are left out."""
    known = {field.name for field in fields(ServerAbilities)}
    values: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in members.items()
        if name in known
    }
    return ServerAbilities(**values)


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
        knowledge = self._knowledge
        strong, fallback = self._first_two(Purpose.STRONG)
        cheap, cheap_fallback = self._first_two(Purpose.CHEAP)
        embedder, _ = self._first_two(Purpose.EMBEDDING)
        facts = Facts(
            strong=strong,
            fallback=fallback,
            cheap=cheap,
            cheap_fallback=cheap_fallback,
            has_name=strong != AUTO_MODEL,
            embedder=embedder,
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
        features = capabilities(facts)
        return CapabilitiesResponse(
            features=[CapabilityResponse.model_validate(each) for each in features],
            servers=[ServerResponse(**asdict(server)) for server in self._servers],
            abilities=found and AbilitiesResponse.model_validate(found),
            probed_at=await self._abilities.probed_at(),
        )

    def _first_two(self, purpose: Purpose) -> tuple[str | None, str | None]:
        """Return the names of the first server's model and of its fallback."""
        names = [
            name
            for server in self._servers
            if (name := server.models.get(purpose.value))
        ]
        first = names[0] if names else None
        second = names[1] if len(names) > 1 else None
        return first, second
