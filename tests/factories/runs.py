"""Runs for tests, and engines that play several processes."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any
from uuid import UUID

from dossier.core.database import SessionFactory, tenant_transaction
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
    quick = {"lease_s": 0.5, "batch_ms": 10, **settings}
    return RunEngine(sessions, url, executors, RunSettings.model_validate(quick))


async def kill(engine: RunEngine) -> None:
    """End an engine as `kill -9` ends its process: nothing is settled or told."""
    engine.is_open = False
    with suppress(BaseException):
        await engine._stop()  # noqa: SLF001 - a kill knows no door
