"""Our side of the engine against the engine itself, on a database of its own."""

import asyncio
import re
from collections.abc import AsyncIterator
from uuid import UUID

import asyncpg
import pytest
from pgqueuer.adapters.drivers.asyncpg import AsyncpgDriver
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from tests.conftest import ORG_ID
from tests.factories.accounts import make_organisation
from tests.factories.jobs import get_job, make_job

from dossier.core.database import (
    SessionFactory,
    asyncpg_url,
    make_engine,
    make_sessions,
    system_transaction,
    tenant_transaction,
)
from dossier.core.listening import Listener
from dossier.core.reconnect import is_lost, retry_until_connected
from dossier.core.tenancy import Actor
from dossier.integrations.queue.client import prune_log, queue_depth
from dossier.integrations.queue.delivery import Delivery, DeliveryOutcome
from dossier.integrations.queue.worker import (
    EngineWorker,
    Queue,
    Timer,
    engine_queries,
    engine_settings,
)
from dossier.jobs.attempts import Attempts, JobHandler
from dossier.jobs.constants import JobState
from dossier.jobs.context import JobContext
from dossier.jobs.models import Job
from dossier.jobs.service import JobsService
from dossier.jobs.types import Periodic
from dossier.jobs.upkeep import enqueue_due, prune_engine_log

KIND = "tests.act"


@pytest.fixture
async def committed(fresh_database: str) -> AsyncIterator[SessionFactory]:
    """Sessions whose commits are real."""
    engine = make_engine(fresh_database)
    sessions = make_sessions(engine)
    await make_organisation(sessions, id=ORG_ID, name="Rose Maison")
    yield sessions
    await engine.dispose()


class Running:
    """A worker in this process, and a way to await a job's end."""

    def __init__(self, url: str, sessions: SessionFactory) -> None:
        self._url = url
        self._sessions = sessions
        self._ended = asyncio.Event()

    async def run(self, task: JobHandler, *timers: Timer, until: asyncio.Event) -> None:
        stop = asyncio.Event()
        attempts = Attempts(self._sessions, {KIND: task})
        worker = EngineWorker(self._url, [Queue({KIND: attempts})], timers)
        async with asyncio.timeout(20), asyncio.TaskGroup() as group:
            group.create_task(worker.run(stop))
            await until.wait()
            stop.set()


@pytest.fixture
def running(fresh_database: str, committed: SessionFactory) -> Running:
    return Running(fresh_database, committed)


async def test_the_migrated_schema_is_the_one_that_the_engine_wants(
    fresh_database: str,
) -> None:
    connection = await asyncpg.connect(asyncpg_url(fresh_database))
    plan = await engine_queries(AsyncpgDriver(connection)).plan_upgrade()
    await connection.close()

    assert list(plan.statements) == []


def test_stray_variables_do_not_rename_the_engine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("FUNCTION", "TRIGGER", "CHANNEL", "PGQUEUER_PREFIX"):
        monkeypatch.setenv(name, "stray")

    named = engine_settings()

    assert "stray" not in named.model_dump_json()


async def test_a_job_of_a_committed_transaction_is_run_by_a_worker(
    committed: SessionFactory, running: Running
) -> None:
    job = await make_job(committed, ORG_ID)
    done = asyncio.Event()

    async def act(ctx: JobContext) -> None:
        async with tenant_transaction(ctx.sessions, ctx.org_id) as session:
            await ctx.finish(session, result_path="/result")
        done.set()

    await running.run(act, until=done)

    job = await get_job(committed, job)
    assert (job.state, job.result_path) == (JobState.DONE, "/result")
    async with system_transaction(committed) as session:
        assert await queue_depth(session) == []


async def test_stopping_lets_a_running_job_end(
    committed: SessionFactory, running: Running
) -> None:
    job = await make_job(committed, ORG_ID)
    started = asyncio.Event()

    async def act(_ctx: JobContext) -> None:
        started.set()
        await asyncio.sleep(0.1)

    await running.run(act, until=started)

    assert (await get_job(committed, job)).state is JobState.DONE


async def test_a_running_job_stops_when_a_person_cancels_it(
    committed: SessionFactory, running: Running
) -> None:
    job = await make_job(committed, ORG_ID)
    stopped = asyncio.Event()

    async def hang(ctx: JobContext) -> None:
        try:  # the word may come back before the commit has returned
            async with tenant_transaction(ctx.sessions, ctx.org_id) as session:
                await JobsService(session, Actor.system(ORG_ID)).cancel_job(ctx.job_id)
            await asyncio.Event().wait()
        finally:
            stopped.set()

    await running.run(hang, until=stopped)

    job = await get_job(committed, job)
    assert (job.state, job.attempts) == (JobState.CANCELLED, 1)


async def test_a_job_outlives_the_loss_of_every_connection(
    committed: SessionFactory, running: Running, fresh_database: str
) -> None:
    job = await make_job(committed, ORG_ID)
    later: list[Job] = []
    done = asyncio.Event()

    async def cut(ctx: JobContext) -> None:
        if ctx.job_id == job.id:
            await _cut_all(fresh_database)
            later.append(await make_job(committed, ORG_ID))
        else:
            done.set()

    await running.run(cut, until=done)

    for made in (job, *later):
        found = await get_job(committed, made)
        assert (found.state, found.attempts, found.failures) == (JobState.DONE, 1, 0)


async def _cut_all(url: str) -> None:
    connection = await asyncpg.connect(asyncpg_url(url))
    await connection.execute(
        "select pg_terminate_backend(pid) from pg_stat_activity "
        "where datname = current_database() and pid <> pg_backend_pid()"
    )
    await connection.close()


async def test_a_database_lost_inside_a_task_is_not_a_failure(
    committed: SessionFactory, running: Running, fresh_database: str
) -> None:
    job = await make_job(committed, ORG_ID)
    done = asyncio.Event()
    runs = 0

    async def use(ctx: JobContext) -> None:
        nonlocal runs
        runs += 1
        async with tenant_transaction(ctx.sessions, ctx.org_id) as session:
            if runs == 1:
                await _cut_all(fresh_database)
            await JobsService(session, ctx.actor).get_job(ctx.job_id)
            await ctx.finish(session)
        done.set()

    await running.run(use, until=done)

    found = await get_job(committed, job)
    assert (found.state, found.attempts, found.failures) == (JobState.DONE, 2, 0)


@pytest.mark.slow  # cron counts whole seconds
async def test_two_workers_share_one_timer(
    committed: SessionFactory, running: Running
) -> None:
    fired: list[UUID] = []
    done = asyncio.Event()

    async def fire() -> None:
        async def due(_session: object) -> list[UUID]:
            return [ORG_ID]

        await enqueue_due(committed, Periodic(KIND, "* * * * * *", due))

    async def act(ctx: JobContext) -> None:
        fired.append(ctx.job_id)
        done.set()

    timer = Timer("tests.tick", "* * * * * *", fire)
    async with asyncio.TaskGroup() as group:
        for _ in range(2):
            group.create_task(running.run(act, timer, until=done))

    assert len(fired) == len(set(fired))


async def test_old_log_rows_are_pruned_and_young_ones_stay(
    committed: SessionFactory, running: Running, fresh_database: str
) -> None:
    await make_job(committed, ORG_ID)
    done = asyncio.Event()

    async def act(_ctx: JobContext) -> None:
        done.set()

    await running.run(act, until=done)
    young = await prune_engine_log(committed)
    connection = await asyncpg.connect(asyncpg_url(fresh_database))
    await connection.execute(
        "update queue.pgqueuer_log set created = now() - interval '8 days'"
    )
    await connection.close()

    assert young == 0
    assert await prune_engine_log(committed) >= 2


async def test_the_web_role_may_add_to_the_queue_and_no_more(
    committed: SessionFactory,
) -> None:
    job = await make_job(committed, ORG_ID)

    for statement in (
        "delete from queue.pgqueuer",
        "update queue.pgqueuer set priority = 1",
        "select payload from queue.pgqueuer",
    ):
        with pytest.raises(DBAPIError, match="permission denied"):
            async with tenant_transaction(committed, job.org_id) as session:
                await (await session.connection()).exec_driver_sql(statement)


async def test_depth_counts_waiting_jobs_and_their_age(
    committed: SessionFactory,
) -> None:
    for _ in range(2):
        await make_job(committed, ORG_ID)

    async with system_transaction(committed) as session:
        [depth] = await queue_depth(session)

    assert (depth.kind, depth.status, depth.jobs) == (KIND, "queued", 2)
    assert 0 <= depth.oldest_age_s < 60


async def test_a_refusal_by_another_server_is_no_lost_database() -> None:
    with pytest.raises(ConnectionError) as refused:
        await asyncio.open_connection("127.0.0.1", 1)
    with pytest.raises(OSError, match=re.compile(".")) as ours:
        await asyncpg.connect("postgresql://nobody@127.0.0.1:1/none", timeout=1)

    assert not is_lost(refused.value)
    assert is_lost(ours.value)
    assert is_lost(asyncpg.CannotConnectNowError("starting up"))
    assert is_lost(asyncpg.InternalClientError("cannot switch to state 12"))
    assert not is_lost(asyncpg.InterfaceError("another operation is in progress"))


async def test_a_full_pool_is_waited_for(committed: SessionFactory) -> None:
    tries = 0

    async def find_room() -> int:
        nonlocal tries
        tries += 1
        if tries < 3:
            raise PoolTimeoutError
        async with system_transaction(committed) as session:
            return len(await queue_depth(session))

    assert await retry_until_connected(find_room) == 0
    assert tries == 3


async def test_an_error_that_is_not_the_database_ends_the_waiting() -> None:
    async def fail() -> None:
        raise TimeoutError

    with pytest.raises(TimeoutError):
        await retry_until_connected(fail)


async def test_a_listener_reconnects_and_calls_its_callback(
    fresh_database: str,
) -> None:
    url = asyncpg_url(fresh_database)
    returned, heard = asyncio.Event(), asyncio.Event()
    listener = Listener(url, on_return=returned.set)
    await listener.add("tests", lambda _payload: heard.set())
    returned.clear()

    await _cut_all(fresh_database)
    async with asyncio.timeout(5):
        await returned.wait()
    connection = await asyncpg.connect(url)
    await connection.execute("select pg_notify('tests', 'x')")
    await connection.close()

    async with asyncio.timeout(5):
        await heard.wait()
    await listener.close()


async def test_keeping_everything_prunes_nothing(committed: SessionFactory) -> None:
    from datetime import timedelta  # noqa: PLC0415

    async with system_transaction(committed) as session:
        assert await prune_log(session, keep=timedelta(days=365)) == 0


@pytest.mark.parametrize("first", [None, DeliveryOutcome.superseded()])
async def test_a_row_stays_when_its_handler_raises_or_is_superseded(
    fresh_database: str, committed: SessionFactory, first: DeliveryOutcome | None
) -> None:
    job = await make_job(committed, ORG_ID)
    stop, deliveries = asyncio.Event(), list[Delivery]()

    async def handle(delivery: Delivery) -> DeliveryOutcome:
        deliveries.append(delivery)
        if len(deliveries) > 1:
            stop.set()
            return DeliveryOutcome.finished()
        if first is None:
            raise ValueError
        return first

    async with asyncio.timeout(20):
        await EngineWorker(fresh_database, [Queue({KIND: handle})]).run(stop)

    assert [delivery.job_id for delivery in deliveries] == [job.id, job.id]
