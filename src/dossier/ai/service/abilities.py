"""What the configured servers can do, as the newest probe found it."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import asdict, fields
from datetime import datetime
from typing import Any

from dossier.ai.gateway import servers as gateway
from dossier.ai.models import AiServers
from dossier.ai.rules import plan_fingerprint
from dossier.ai.types import PlannedServer
from dossier.core.database import SessionFactory, system_transaction
from dossier.core.settings import AiSettings
from dossier.integrations.llm.plan import ModelServer, model_plan
from dossier.integrations.llm.types import ServerAbilities

REFRESH_S = 30


def planned_servers(ai: AiSettings) -> tuple[PlannedServer, ...]:
    """Return the servers that settings name, first choice first, the embedder last."""
    plan = model_plan(ai)
    if plan is None:
        return ()
    embedders = (plan.embedder,) if plan.embedder else ()
    return tuple(_planned(server) for server in (*plan.servers, *embedders))


def fingerprint_of(servers: Sequence[PlannedServer]) -> str:
    """Return the digest of a configuration."""
    return plan_fingerprint([asdict(server) for server in servers])


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
                await self._refresh()
        return self._found

    async def _refresh(self) -> None:
        if time.monotonic() < self._next_s:
            return  # somebody else has just been at it
        async with system_transaction(self._sessions) as session:
            self._found = await gateway.get_servers_for_system(
                session, self._fingerprint
            )
        self._next_s = time.monotonic() + self._refresh_s


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


def _planned(server: ModelServer) -> PlannedServer:
    models = {purpose.value: name for purpose, name in server.models.items()}
    return PlannedServer(server.label, server.wire, models)
