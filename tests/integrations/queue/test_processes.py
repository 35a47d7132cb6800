"""Real worker processes: killed, blocked, stopped, cut off from the database.

Each case runs in a short form (lease 1 s) with every test run, and at full length
(the shipped lease of 25 s) where `make chaos` asks for it.
"""

import asyncio
import os
import select
import signal
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import pytest
from tests.conftest import ORG_ID
from tests.factories.accounts import make_organisation
from tests.factories.jobs import get_job, read_stream, text_of
from tests.integrations.queue.harness import Fleet
from tests.processes import Forkers

from dossier.core import migrate
from dossier.core.database import asyncpg_url, make_engine, make_sessions
from dossier.core.embedded.cluster import EmbeddedCluster
from dossier.core.embedded.layout import locate
from dossier.jobs.follower import JobFollower


@dataclass(frozen=True)
class Scale:
    """How long a case lasts; times in milliseconds where jobs take them."""

    lease_s: float
    job_ms: int
    block_ms: int
    jobs: int
    rescue_s: float


SHORT = pytest.param(Scale(1, 1300, 1300, 30, 6), marks=pytest.mark.process, id="short")
FULL = pytest.param(
    Scale(25, 60_000, 20_000, 300, 30), marks=pytest.mark.chaos, id="full"
)
both = pytest.mark.parametrize("scale", [SHORT, FULL])
full = pytest.mark.parametrize("scale", [FULL])


@pytest.fixture
async def fleet(
    fresh_database: str, tmp_path: Path, scale: Scale, forkers: Forkers
) -> AsyncIterator[Fleet]:
    engine = make_engine(fresh_database)
    sessions = make_sessions(engine)
    fleet = Fleet(fresh_database, sessions, tmp_path, scale.lease_s, forkers)
    await make_organisation(fleet.sessions, id=ORG_ID, name="Rose Maison")
    yield fleet
    fleet.end()
    await engine.dispose()


@both
async def test_a_killed_workers_jobs_are_finished_by_another(
    fleet: Fleet, scale: Scale
) -> None:
    await fleet.start_ready(2)
    jobs = await fleet.add("tests.sleep", scale.jobs, seconds_ms=300)
    await fleet.until(lambda: len(fleet.lines("begin")) >= 4, 10)
    victim = fleet.lines("begin")[0].pid

    os.kill(victim, signal.SIGKILL)

    states = await fleet.settled(jobs, scale.rescue_s)
    assert states == ["done"] * scale.jobs
    assert max(fleet.runs_of(jobs)) == 2
    assert fleet.overlaps() == 0


@pytest.mark.process
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
@pytest.mark.parametrize("scale", [Scale(1, 0, 0, 6, 6)])
async def test_a_stream_goes_on_in_another_worker_and_its_text_is_whole(
    fleet: Fleet, fresh_database: str, number: signal.Signals
) -> None:
    words = 250
    await fleet.start_ready(1)
    jobs = await fleet.add("tests.stream", 6, words=words)

    async with (
        JobFollower(fleet.sessions, fresh_database) as follower,
        asyncio.TaskGroup() as group,
    ):
        reading = [group.create_task(read_stream(follower, job)) for job in jobs]
        with follower.following(ORG_ID, jobs[0].id) as reader:
            while not reader.position:
                await reader.next()
        await fleet.start_ready(1)
        fleet.workers[0].send_signal(number)

    for job, read in zip(jobs, reading, strict=True):
        events = read.result()
        numbers = [event.sequence_number for event in events]
        assert numbers == list(range(1, len(events) + 1))
        assert text_of(events).split() == [str(word) for word in range(words)]
        found = await get_job(fleet.sessions, job)
        deaths = 1 if number is signal.SIGKILL else 0
        assert (found.attempts, found.deaths, found.failures) == (2, deaths, 0)


@both
async def test_long_jobs_and_blocked_loops_are_never_run_twice(
    fleet: Fleet, scale: Scale
) -> None:
    await fleet.start_ready(2)
    jobs = await fleet.add("tests.sleep", 2, seconds_ms=scale.job_ms)
    jobs += await fleet.add("tests.block", 1, seconds_ms=scale.block_ms)

    states = await fleet.settled(jobs, scale.job_ms / 1000 * 2 + 10)

    assert states == ["done"] * 3
    assert fleet.runs_of(jobs) == [1, 1, 1]


@both
async def test_sigterm_lets_the_running_job_end_and_begins_no_other(
    fleet: Fleet, scale: Scale
) -> None:
    await fleet.start_ready(1)
    [worker] = fleet.workers
    # Shorter than a worker drains.
    job_ms = min(scale.job_ms // 2, 20_000)
    [running] = await fleet.add("tests.sleep", 1, seconds_ms=job_ms)
    await fleet.until(lambda: len(fleet.lines("begin")) == 1, 10)

    worker.terminate()
    [late] = await fleet.add("tests.sleep", 1, seconds_ms=1)
    code = await asyncio.to_thread(worker.wait, scale.job_ms)

    assert code == 0
    assert fleet.runs_of([running, late]) == [1, 0]
    assert await fleet.settled([running], 1) == ["done"]


@full
async def test_a_job_that_kills_its_worker_is_held_after_three_deaths(
    fleet: Fleet, scale: Scale
) -> None:
    [poison] = await fleet.add("tests.die")
    for deaths in range(1, 4):
        worker = fleet.start()
        await fleet.until(
            lambda died=deaths: len(fleet.lines("begin")) == died,  # type: ignore[misc]
            scale.lease_s * 2 + 10,
        )
        await asyncio.to_thread(worker.wait, 10)
    fleet.start()

    states = await fleet.settled([poison], scale.lease_s * 2 + 10)

    assert states == ["failed"]
    assert fleet.runs_of([poison]) == [3]


@full
async def test_a_frozen_worker_ends_itself_when_its_jobs_were_taken(
    fleet: Fleet, scale: Scale
) -> None:
    await fleet.start_ready(1)
    [frozen] = fleet.workers
    jobs = await fleet.add("tests.sleep", 1, seconds_ms=scale.job_ms * 2)
    await fleet.until(lambda: len(fleet.lines("begin")) == 1, 10)
    frozen.send_signal(signal.SIGSTOP)
    await fleet.start_ready(1)
    await fleet.until(lambda: len(fleet.lines("begin")) == 2, scale.rescue_s)

    frozen.send_signal(signal.SIGCONT)
    code = await asyncio.to_thread(frozen.wait, 20)

    assert code == 75
    assert await fleet.settled(jobs, scale.job_ms) == ["done"]


@pytest.fixture
def own_cluster(tmp_path: Path) -> Iterator[EmbeddedCluster]:
    """A server of its own, which may be killed."""
    cluster = EmbeddedCluster(tmp_path / "own", durable=False, keep=False)
    yield cluster
    cluster.release()


@both
async def test_workers_go_on_when_the_database_was_restarted_under_load(
    own_cluster: EmbeddedCluster, tmp_path: Path, scale: Scale, forkers: Forkers
) -> None:
    url = own_cluster.acquire()
    await migrate.upgrade(url)
    await _remember_commits(url)
    engine = make_engine(url)
    fleet = Fleet(url, make_sessions(engine), tmp_path, scale.lease_s, forkers)
    await make_organisation(fleet.sessions, id=ORG_ID, name="Rose Maison")
    await fleet.start_ready(2)
    jobs = await fleet.add("tests.sleep", scale.jobs * 2, seconds_ms=400)
    await fleet.until(lambda: len(fleet.lines("begin")) >= 10, 10)

    pid = int(locate(tmp_path / "own").pid_file.read_text().split()[0])
    await asyncio.to_thread(_end_at_once, pid)
    await asyncio.to_thread(own_cluster.revive)
    await engine.dispose()

    try:
        states = await fleet.settled(jobs, 30)
        assert states == ["done"] * len(jobs)
        assert [worker.poll() for worker in fleet.workers] == [None, None]
        assert set(fleet.runs_of(jobs)) == {1}
    finally:
        fleet.end()
        await engine.dispose()


def _end_at_once(pid: int) -> None:
    """End the server as `pg_ctl -m immediate` does, and wait until it is gone.

    Until then it may still answer, and nothing would be there to revive.
    """
    handle = os.pidfd_open(pid)
    signal.pidfd_send_signal(handle, signal.SIGQUIT)
    select.select([handle], [], [], 20)
    os.close(handle)


async def _remember_commits(url: str) -> None:
    """Let commits survive a kill: a forgotten claim would be a second run."""
    connection = await asyncpg.connect(asyncpg_url(url))
    name = await connection.fetchval("select quote_ident(current_database())")
    await connection.execute(f"alter database {name} set synchronous_commit = on")
    await connection.close()
