"""Logs of runs of long ago are let go; the runs stay."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import update
from tests.factories.runs import get_run, make_run, start_run
from tests.runs.conftest import Process
from tests.runs.scripted import all_of

from dossier.core.clock import now
from dossier.core.database import SessionFactory, tenant_transaction
from dossier.runs.constants import RunState
from dossier.runs.dependencies import sse_response
from dossier.runs.models import Run
from dossier.runs.tasks import prune_logs

KEPT_DAYS = 30


async def age(sessions: SessionFactory, run: Run, days: int) -> None:
    ended_at = now() - timedelta(days=days)
    async with tenant_transaction(sessions, run.org_id) as session:
        statement = update(Run).where(Run.org_id == run.org_id, Run.id == run.id)
        await session.execute(statement.values(finished_at=ended_at))


async def test_only_what_ended_long_ago_loses_its_log(
    process: Process, committed: SessionFactory, brand: UUID
) -> None:
    engine = await process()
    old, young = [await start_run(engine, committed, brand) for _ in range(2)]
    whole = [await all_of(engine.follow(brand, run.id)) for run in (old, young)]
    waiting = await make_run(committed, brand, "tests.nobody")
    await age(committed, old, KEPT_DAYS + 1)
    await age(committed, young, KEPT_DAYS - 1)

    pruned = [await prune_logs(committed, KEPT_DAYS) for _ in range(2)]

    assert pruned == [1, 0]
    assert await all_of(engine.follow(brand, old.id)) == []
    assert await all_of(engine.follow(brand, young.id)) == whole[1] != []
    ended = await get_run(committed, old)
    assert ended.state is RunState.COMPLETED
    assert ended.log_pruned_at is not None
    for position in (0, 5):  # nothing more will come, wherever somebody was
        assert sse_response(engine, brand, ended, position).status_code == 204
    assert (await get_run(committed, waiting)).finished_at is None


async def test_nought_days_keep_them_for_ever(
    process: Process, committed: SessionFactory, brand: UUID
) -> None:
    engine = await process()
    run = await start_run(engine, committed, brand)
    whole = await all_of(engine.follow(brand, run.id))
    await age(committed, run, 10_000)

    assert await prune_logs(committed, 0) == 0
    assert await all_of(engine.follow(brand, run.id)) == whole
