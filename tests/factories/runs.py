"""Runs for tests, and engines that play several processes."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any
from uuid import UUID

from sqlalchemy import text

from dossier.core.database import (
    SessionFactory,
    system_transaction,
    tenant_transaction,
)
from dossier.core.settings.models import RunSettings
from dossier.core.tenancy import Actor
from dossier.runs.models import Run
from dossier.runs.service import Executor, RunEngine, RunsService


async def make_run(
    sessions: SessionFactory, org_id: UUID, kind: str = "tests.talk", **overrides: Any
) -> Run:
    """Create a run that nobody has in hand; overrides are set on its row."""
    given = overrides.pop("input", {})
    async with tenant_transaction(sessions, org_id) as session:
        run = await RunsService(session, Actor.system(org_id)).start(kind, input=given)
        for name, value in overrides.items():
            setattr(run, name, value)
    return run


async def get_run(sessions: SessionFactory, run: Run) -> Run:
    """Read a run's row anew."""
    async with tenant_transaction(sessions, run.org_id) as session:
        return await RunsService(session, Actor.system(run.org_id)).get_run(run.id)


async def run_when(
    sessions: SessionFactory, run: Run, wanted: Callable[[Run], bool]
) -> Run:
    """Return a run's row once it is as wanted."""
    for _ in range(1000):
        now = await get_run(sessions, run)
        if wanted(now):
            return now
        await asyncio.sleep(0.005)
    raise TimeoutError(run.id)


async def until_stored(sessions: SessionFactory, run: Run, through: int) -> None:
    """Return once a run's log ends in this number."""
    last = text("select max(last_sequence) from run_events where run_id = :id")
    for _ in range(1000):
        async with system_transaction(sessions) as session:
            if await session.scalar(last, {"id": run.id}) == through:
                return
        await asyncio.sleep(0.005)
    raise TimeoutError(run.id)


async def start_run(
    engine: RunEngine, sessions: SessionFactory, org_id: UUID, **given: Any
) -> Run:
    """Create a run in an engine's hand, as a request does."""
    kind = given.pop("kind", "tests.talk")
    async with tenant_transaction(sessions, org_id) as session:
        service = RunsService(session, Actor.system(org_id))
        return await service.start(kind, input=given, engine=engine)


def make_engine(
    sessions: SessionFactory,
    url: str,
    executors: Mapping[str, Executor],
    **settings: Any,
) -> RunEngine:
    """Return an engine that stands for one process; it is not started yet."""
    quick = RunSettings(lease_s=0.5, batch_ms=10).model_copy(update=settings)
    return RunEngine(sessions, url, executors, quick)


async def kill(engine: RunEngine) -> None:
    """End an engine as `kill -9` ends its process: nothing is settled or told."""
    engine.is_open = False
    with suppress(BaseException):
        await engine._stop()  # noqa: SLF001 - a kill knows no door


async def expire_lease(sessions: SessionFactory, run: Run) -> None:
    """Let the time pass in which its process could still be alive."""
    statement = text(
        "update runs set lease_until = now() - interval '1s' where id = :id"
    )
    async with system_transaction(sessions) as session:
        await session.execute(statement, {"id": run.id})
