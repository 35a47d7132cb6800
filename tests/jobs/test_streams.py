"""Jobs that stream: a toy kind, a worker and followers on a database that commits."""

import asyncio
from typing import Any
from uuid import UUID

import anyio
import asyncpg
import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import DBAPIError
from tests.conftest import ORG_ID, OTHER_ORG_ID, RunWorker
from tests.factories.jobs import (
    DELTA,
    ENDED,
    STREAM_KIND,
    get_job,
    make_job,
    make_toy,
    read_stream,
    text_of,
)

from dossier.core.database import (
    Session,
    SessionFactory,
    make_engine,
    make_sessions,
    system_transaction,
    tenant_transaction,
)
from dossier.core.errors import UpstreamError
from dossier.core.startup import Database
from dossier.core.tenancy import Actor
from dossier.integrations.queue.delivery import Delivery, DeliveryOutcome
from dossier.jobs.attempts import AttemptLimits, Attempts
from dossier.jobs.buffer import EventBuffer
from dossier.jobs.constants import RUN_RESTARTED, JobState
from dossier.jobs.context import JobContext
from dossier.jobs.event_log import JobEventLog
from dossier.jobs.exceptions import JobSupersededError
from dossier.jobs.follower import JobFollower
from dossier.jobs.gateway import log, rows
from dossier.jobs.models import Job
from dossier.jobs.service import JobsService
from dossier.jobs.types import JobEvent
from dossier.jobs.upkeep import prune_event_logs, sweep_lost

WORDS = ["Rose ", "is ", "a ", "rose ", "is ", "a ", "rose."]


@pytest.fixture
def sessions(worker_database: Database) -> SessionFactory:
    return worker_database.sessions


def numbers(events: list[JobEvent]) -> list[int]:
    return [event.sequence_number for event in events]


async def finish(ctx: JobContext, state: JobState = JobState.DONE) -> bool:
    async with tenant_transaction(ctx.sessions, ctx.org_id) as session:
        return await ctx.finish(session, state=state, last_event=("toy.said", {}))


async def speak(ctx: JobContext) -> None:
    for word in WORDS:
        ctx.emit(DELTA, {"delta": word})
        await asyncio.sleep(0.02)
    await finish(ctx)


async def test_a_stream_ends_with_the_job_and_has_no_gap(
    sessions: SessionFactory, run_worker: RunWorker, follower: JobFollower
) -> None:
    job = await make_toy(sessions, ORG_ID)

    async with run_worker({STREAM_KIND: speak}):
        events = await read_stream(follower, job)

    done = await get_job(sessions, job)
    assert numbers(events) == list(range(1, len(events) + 1))
    assert (events[0].type, events[-1].type) == ("toy.created", "toy.said")
    assert text_of(events) == "".join(WORDS)
    assert (done.state, done.last_seq) == (JobState.DONE, len(events))


async def test_a_stream_goes_on_from_every_number(
    sessions: SessionFactory, run_worker: RunWorker, follower: JobFollower
) -> None:
    job = await make_toy(sessions, ORG_ID)
    async with run_worker({STREAM_KIND: speak}):
        whole = await read_stream(follower, job)

    for position in range(len(whole) + 1):
        assert await read_stream(follower, job, position) == whole[position:]


async def test_events_are_read_before_the_job_ends(
    sessions: SessionFactory, run_worker: RunWorker, follower: JobFollower
) -> None:
    job = await make_toy(sessions, ORG_ID)
    go_on = asyncio.Event()

    async def pause(ctx: JobContext) -> None:
        ctx.emit(DELTA, {"delta": "first"})
        await go_on.wait()
        await finish(ctx)

    async with run_worker({STREAM_KIND: pause}), asyncio.timeout(10):
        with follower.following(ORG_ID, job.id, 1) as reader:
            events = await reader.next()
            while not events:
                events = await reader.next()
            go_on.set()

    assert text_of(events) == "first"


async def test_deltas_that_come_together_are_one_event(
    sessions: SessionFactory, run_worker: RunWorker, follower: JobFollower
) -> None:
    job = await make_toy(sessions, ORG_ID)

    async def hurry(ctx: JobContext) -> None:
        for part in (0, 1):
            for word in WORDS:
                ctx.emit(DELTA, {"delta": word, "part": part})
        await finish(ctx)

    async with run_worker({STREAM_KIND: hurry}):
        events = await read_stream(follower, job)

    assert text_of(events) == "".join(WORDS * 2)
    deltas = [event for event in events if event.type == DELTA]
    assert [event.data["part"] for event in deltas] == [0, 1]


async def test_half_of_a_character_and_nul_are_stored(
    sessions: SessionFactory, run_worker: RunWorker, follower: JobFollower
) -> None:
    job = await make_toy(sessions, ORG_ID)

    async def babble(ctx: JobContext) -> None:
        ctx.emit("toy.odd", {"text": "\ud83d and \x00"})
        await finish(ctx)

    async with run_worker({STREAM_KIND: babble}):
        events = await read_stream(follower, job)

    assert events[1].data["text"] == "? and \x00"


async def test_data_that_are_not_json_fail_their_own_job_alone(
    sessions: SessionFactory, run_worker: RunWorker, follower: JobFollower
) -> None:
    wrong, right = [await make_toy(sessions, ORG_ID) for _ in range(2)]

    async def act(ctx: JobContext) -> None:
        if ctx.job_id == wrong.id:
            ctx.emit("toy.said", {"data": object()})
        await speak(ctx)

    async with run_worker({STREAM_KIND: act}):
        failed = await read_stream(follower, wrong)
        events = await read_stream(follower, right)

    assert failed[-1].data["state"] == "failed"
    assert text_of(events) == "".join(WORDS)


async def fail_first(ctx: JobContext) -> None:
    """Say half, be lost, then restart and say all."""
    stored = await ctx.stored_events()
    if stored[-1].type != DELTA:
        ctx.emit(DELTA, {"delta": "lost"})
        raise JobSupersededError  # as when its events were refused: tried again
    number = ctx.restarted(kept_through=1)
    assert number == stored[-1].sequence_number + 1
    await speak(ctx)


async def test_text_after_a_restart_is_that_of_the_last_attempt(
    sessions: SessionFactory, run_worker: RunWorker, follower: JobFollower
) -> None:
    job = await make_toy(sessions, ORG_ID)

    async with run_worker({STREAM_KIND: fail_first}):
        events = await read_stream(follower, job)

    assert numbers(events) == list(range(1, len(events) + 1))
    assert RUN_RESTARTED in [event.type for event in events]
    assert text_of(events) == "".join(WORDS)
    done = await get_job(sessions, job)
    assert (done.attempts, done.failures, done.deaths) == (2, 0, 0)


async def begin_attempt(sessions: SessionFactory, job: Job) -> tuple[Job, int]:
    """Claim a job as another worker would; return the row and its last number."""
    async with tenant_transaction(sessions, job.org_id) as session:
        held = await rows.lock_job_for_org(
            session, job.org_id, job.id, fences_events=True
        )
        assert held is not None
        held.state = JobState.PROCESSING
        held.attempts += 1
        batches = await JobEventLog(session, held).events()
    return held, batches[-1].sequence_number


async def test_three_attempts_at_once_leave_one_unbroken_chain(
    sessions: SessionFactory, worker_database: Database, follower: JobFollower
) -> None:
    jobs = [await make_toy(sessions, ORG_ID) for _ in range(8)]
    own = make_engine(worker_database.url, pool_size=1)
    buffer = EventBuffer(make_sessions(own), flush_s=0.001)
    refused: list[tuple[UUID, int]] = []

    async def attempt(job: Job, name: str, turns: list[asyncio.Event]) -> None:
        begins, all_began = turns[ord(name) - ord("a")], turns[-1]
        await until(begins)
        row, last = await begin_attempt(sessions, job)
        # Each writes on with the number it found, whatever the others do meanwhile.
        ctx = JobContext(sessions, row, anyio.CancelScope(), buffer, last)
        ctx.restarted(kept_through=1)
        for place in range(60):
            ctx.emit(DELTA, {"delta": f"{name}{place} ", "place": place})
            await asyncio.sleep(0.001)
            if place == 20:
                turns[turns.index(begins) + 1].set()
                await until(all_began)
        try:
            await finish(ctx)
        except JobSupersededError:
            refused.append((job.id, row.attempts))

    flushing = asyncio.create_task(buffer.run())
    async with asyncio.TaskGroup() as group:
        for job in jobs:
            turns = [asyncio.Event() for _ in range(4)]
            turns[0].set()
            for name in "abc":
                group.create_task(attempt(job, name, turns))
    flushing.cancel()
    await asyncio.wait({flushing})
    await own.dispose()

    for job in jobs:
        events = await read_stream(follower, job)
        assert numbers(events) == list(range(1, len(events) + 1))
        assert text_of(events) == "".join(f"c{place} " for place in range(60))
    assert sorted(refused) == sorted((job.id, n) for job in jobs for n in (1, 2))


async def test_a_batch_that_begins_with_a_stored_number_is_refused_for_good(
    sessions: SessionFactory,
) -> None:
    job = await make_toy(sessions, ORG_ID)
    row, last = await begin_attempt(sessions, job)
    buffer = EventBuffer(sessions, flush_s=0)
    refused: list[str] = []
    first = buffer.open(row, last, lambda: refused.append("first"))
    second = buffer.open(row, last, lambda: refused.append("second"))

    first.emit("toy.said", {"name": "a"})
    first.emit("toy.said", {"name": "a"})
    await buffer.flush()
    second.emit("toy.said", {"name": "b"})
    await buffer.flush()
    second.emit("toy.said", {"name": "b"})
    first.emit("toy.said", {"name": "a"})
    await buffer.flush()

    async with tenant_transaction(sessions, ORG_ID) as session:
        stored = await JobEventLog(session, row).events()
    assert [event.data.get("name") for event in stored] == [None, "a", "a", "a"]
    assert refused == ["second"]


async def test_a_flush_whose_reply_was_lost_is_repeated_without_doubling(
    sessions: SessionFactory,
) -> None:
    job = await make_toy(sessions, ORG_ID)
    row, last = await begin_attempt(sessions, job)
    buffer = EventBuffer(sessions, flush_s=0)
    events = buffer.open(row, last, lambda: None)
    events.emit("toy.said", {})
    batch = events.next_batch()
    async with system_transaction(sessions) as session:
        await log.store_batches_for_system(session, [batch])

    events.emit("toy.said", {})
    await buffer.flush()
    await buffer.flush()

    async with tenant_transaction(sessions, ORG_ID) as session:
        stored = await JobEventLog(session, row).events()
    assert numbers(stored) == [1, 2, 3]
    assert not events.is_refused


async def until(happened: asyncio.Event) -> None:
    async with asyncio.timeout(10):
        await happened.wait()


async def hang(ctx: JobContext, began: asyncio.Event) -> None:
    """Say something, then wait; end as cancelled where a person asks for it."""
    ctx.emit(DELTA, {"delta": "so far"})
    began.set()
    try:
        await asyncio.Event().wait()
    finally:
        if ctx.is_cancelled:
            with anyio.CancelScope(shield=True):
                await finish(ctx, JobState.CANCELLED)


async def cancel(sessions: SessionFactory, job: Job) -> Job:
    async with tenant_transaction(sessions, ORG_ID) as session:
        jobs = JobsService(session, Actor.system(ORG_ID))
        return await jobs.cancel_job_of_kind(job.id, STREAM_KIND)


async def test_a_running_job_is_cancelled_within_a_second(
    sessions: SessionFactory, run_worker: RunWorker, follower: JobFollower
) -> None:
    job = await make_toy(sessions, ORG_ID)
    began = asyncio.Event()

    async with run_worker({STREAM_KIND: lambda ctx: hang(ctx, began)}):
        await until(began)
        await cancel(sessions, job)
        async with asyncio.timeout(1):
            events = await read_stream(follower, job)

    assert text_of(events) == "so far"
    assert events[-1].type == "toy.said"
    assert (await get_job(sessions, job)).state is JobState.CANCELLED


async def test_a_cancellation_whose_notification_was_lost_is_found(
    sessions: SessionFactory, run_worker: RunWorker, follower: JobFollower
) -> None:
    job = await make_toy(sessions, ORG_ID)
    began = asyncio.Event()

    async with run_worker({STREAM_KIND: lambda ctx: hang(ctx, began)}):
        await until(began)
        async with system_transaction(sessions) as session:
            await session.execute(text("update jobs set state = 'cancelling'"))
        await read_stream(follower, job)

    assert (await get_job(sessions, job)).state is JobState.CANCELLED


async def test_a_pending_job_that_is_cancelled_has_a_last_event(
    sessions: SessionFactory, follower: JobFollower
) -> None:
    job = await make_toy(sessions, ORG_ID)

    states = [(await cancel(sessions, job)).state for _ in range(2)]

    events = await read_stream(follower, job)
    assert states == [JobState.CANCELLED, JobState.CANCELLED]
    assert [event.type for event in events] == ["toy.created", ENDED]
    assert events[-1].data["state"] == "cancelled"


async def test_a_failure_of_the_handler_ends_the_job_at_once_with_a_last_event(
    sessions: SessionFactory, run_worker: RunWorker, follower: JobFollower
) -> None:
    job = await make_toy(sessions, ORG_ID)

    async def fail(ctx: JobContext) -> None:
        ctx.emit(DELTA, {"delta": "so far"})
        raise UpstreamError

    async with run_worker({STREAM_KIND: fail}):
        events = await read_stream(follower, job)

    failed = await get_job(sessions, job)
    assert (failed.state, failed.attempts) == (JobState.FAILED, 1)
    assert text_of(events) == "so far"
    assert events[-1].data["state"] == "failed"


async def test_a_job_that_takes_too_long_fails(
    sessions: SessionFactory, run_worker: RunWorker, follower: JobFollower
) -> None:
    job = await make_toy(sessions, ORG_ID)
    began = asyncio.Event()

    async with run_worker(
        {STREAM_KIND: lambda ctx: hang(ctx, began)}, max_duration_s=0.1
    ):
        events = await read_stream(follower, job)

    failed = await get_job(sessions, job)
    assert failed.error is not None
    assert failed.error["code"] == "job_took_too_long"
    assert events[-1].data["state"] == "failed"


async def test_a_job_that_kills_its_workers_has_a_last_event(
    sessions: SessionFactory, run_worker: RunWorker, follower: JobFollower
) -> None:
    job = await make_toy(sessions, ORG_ID)
    async with system_transaction(sessions) as session:
        await session.execute(text("update jobs set state='processing', deaths=2"))

    async with run_worker({STREAM_KIND: speak}):
        events = await read_stream(follower, job)

    failed = await get_job(sessions, job)
    assert (failed.state, failed.deaths, failed.failures) == (JobState.FAILED, 3, 0)
    assert events[-1].data["state"] == "failed"


async def test_a_swept_job_has_a_last_event(
    sessions: SessionFactory, follower: JobFollower
) -> None:
    job = await make_toy(sessions, ORG_ID)
    async with system_transaction(sessions) as session:
        await session.execute(text("delete from queue.pgqueuer"))
        await session.execute(
            text(
                "update jobs set state = 'cancelling', "
                "created_at = created_at - interval '1 hour'"
            )
        )

    swept = await sweep_lost(sessions)

    events = await read_stream(follower, job)
    assert (swept, events[-1].data["state"]) == (1, "cancelled")


async def test_a_failing_end_leaves_no_reader_waiting(
    sessions: SessionFactory, follower: JobFollower, caplog: pytest.LogCaptureFixture
) -> None:
    job = await make_toy(sessions, ORG_ID)
    async with tenant_transaction(sessions, ORG_ID) as session:
        held = await rows.lock_job_for_org(session, ORG_ID, job.id)
        assert held is not None
        held.args = {"fails": True}

    await cancel(sessions, job)

    events = await read_stream(follower, job)
    assert [event.type for event in events] == ["toy.created"]
    assert (await get_job(sessions, job)).state is JobState.CANCELLED
    [line] = [r for r in caplog.records if r.getMessage() == "jobs.on_end.failed"]
    assert vars(line).items() >= {"job_id": job.id, "kind": STREAM_KIND}.items()
    assert line.exc_info


async def test_an_end_that_the_database_interrupts_is_not_written_without_its_event(
    sessions: SessionFactory,
) -> None:
    job = await make_toy(sessions, ORG_ID)
    async with tenant_transaction(sessions, ORG_ID) as session:
        held = await rows.lock_job_for_org(session, ORG_ID, job.id)
        assert held is not None
        held.args = {"times_out": True}

    with pytest.raises(DBAPIError):
        await cancel(sessions, job)

    assert (await get_job(sessions, job)).state is JobState.PENDING


async def test_a_cancellation_under_way_does_not_hold_up_events(
    sessions: SessionFactory,
) -> None:
    job = await make_toy(sessions, ORG_ID)
    row, last = await begin_attempt(sessions, job)
    buffer = EventBuffer(sessions, flush_s=0)
    events = buffer.open(row, last, lambda: None)
    events.emit("toy.said", {})

    async with tenant_transaction(sessions, ORG_ID) as session:
        await JobsService(session, Actor.system(ORG_ID)).cancel_job_of_kind(
            job.id, STREAM_KIND
        )
        async with asyncio.timeout(5):
            await buffer.flush()

    assert not events.has_unstored


async def test_an_end_whose_reply_was_lost_is_written_once(
    sessions: SessionFactory, run_worker: RunWorker, follower: JobFollower
) -> None:
    job = await make_toy(sessions, ORG_ID)
    written: list[bool] = []

    async def repeat(ctx: JobContext) -> None:
        written.extend([await finish(ctx), await finish(ctx)])

    async with run_worker({STREAM_KIND: repeat}):
        events = await read_stream(follower, job)

    assert written == [True, False]
    assert [event.type for event in events] == ["toy.created", "toy.said"]


async def test_an_attempt_that_was_taken_over_cannot_end_the_job(
    sessions: SessionFactory, run_worker: RunWorker
) -> None:
    job = await make_toy(sessions, ORG_ID)
    refused = asyncio.Event()

    async def late(ctx: JobContext) -> None:
        await begin_attempt(sessions, job)
        try:
            await finish(ctx)
        except JobSupersededError:
            refused.set()
            raise

    async with run_worker({STREAM_KIND: late}):
        await until(refused)

    assert (await get_job(sessions, job)).state is JobState.PROCESSING


async def test_a_deleted_job_ends_its_stream_and_its_handler(
    sessions: SessionFactory, run_worker: RunWorker, follower: JobFollower
) -> None:
    room = UUID(int=7)
    job = await make_toy(sessions, ORG_ID, subject_id=room)
    began, left = asyncio.Event(), asyncio.Event()

    async def say(ctx: JobContext) -> None:
        try:
            await hang(ctx, began)
        finally:
            left.set()

    async with run_worker({STREAM_KIND: say}):
        await until(began)
        async with tenant_transaction(sessions, ORG_ID) as session:
            jobs = JobsService(session, Actor.system(ORG_ID))
            await jobs.delete_jobs_of_subject(room)
        await read_stream(follower, job)
        await until(left)

    with pytest.raises(LookupError):
        await get_job(sessions, job)
    async with system_transaction(sessions) as session:
        assert await session.scalar(text("select count(*) from job_events")) == 0


async def test_a_stopping_worker_gives_the_job_back_uncounted(
    sessions: SessionFactory, run_worker: RunWorker, follower: JobFollower
) -> None:
    job = await make_toy(sessions, ORG_ID)
    began = asyncio.Event()

    async with run_worker({STREAM_KIND: lambda ctx: hang(ctx, began)}):
        await until(began)
    given_back = await get_job(sessions, job)

    async def go_on(ctx: JobContext) -> None:
        ctx.restarted(kept_through=1)
        await speak(ctx)

    async with run_worker({STREAM_KIND: go_on}):
        events = await read_stream(follower, job)

    assert (given_back.state, given_back.failures) == (JobState.PENDING, 0)
    done = await get_job(sessions, job)
    assert (done.attempts, done.failures, done.deaths) == (2, 0, 0)
    assert text_of(events) == "".join(WORDS)


async def test_a_job_without_a_reader_any_more_is_cancelled(
    sessions: SessionFactory, run_worker: RunWorker, follower: JobFollower
) -> None:
    job = await make_toy(sessions, ORG_ID, on_disconnect="cancel")
    began = asyncio.Event()
    handlers = {STREAM_KIND: lambda ctx: hang(ctx, began)}

    async with run_worker(handlers, disconnect_grace_s=0.2):
        await until(began)
        async with system_transaction(sessions) as session:
            await rows.mark_read_for_system(session, [job.id])
        assert await follower.wait(ORG_ID, job.id, 10)

    cancelled = await get_job(sessions, job)
    assert cancelled.state is JobState.CANCELLED


async def test_a_job_that_was_never_read_is_not_cancelled(
    sessions: SessionFactory,
) -> None:
    job = await make_toy(sessions, ORG_ID, on_disconnect="cancel")
    began = asyncio.Event()
    handlers = {STREAM_KIND: lambda ctx: hang(ctx, began)}
    attempts = Attempts(
        sessions, handlers, limits=AttemptLimits(disconnect_grace_s=-60)
    )
    delivery = Delivery(job.engine_id, ORG_ID, job.id, anyio.CancelScope())

    async with asyncio.TaskGroup() as group:
        group.create_task(_run(attempts, delivery))
        await until(began)
        await attempts.stop_lost_jobs()
        was_cancelled = delivery.scope.cancel_called
        async with system_transaction(sessions) as session:
            await rows.mark_read_for_system(session, [job.id])
        await attempts.stop_lost_jobs()

    assert (was_cancelled, delivery.scope.cancel_called) == (False, True)


class FailingOnce:
    """Sessions of a database that is away for one transaction, after some others."""

    def __init__(self, sessions: SessionFactory, calls_before: int = 0) -> None:
        self._sessions = sessions
        self._calls_before = calls_before

    def __call__(self, **options: Any) -> Session:
        self._calls_before -= 1
        if self._calls_before == -1:
            raise asyncpg.CannotConnectNowError
        return self._sessions(**options)


async def test_a_job_is_not_abandoned_because_the_database_was_away(
    sessions: SessionFactory,
) -> None:
    job = await make_toy(sessions, ORG_ID, on_disconnect="cancel")
    began = asyncio.Event()
    failing: Any = FailingOnce(sessions, calls_before=1)
    attempts = Attempts(
        failing,
        {STREAM_KIND: lambda ctx: hang(ctx, began)},
        EventBuffer(sessions, flush_s=0),
        limits=AttemptLimits(disconnect_grace_s=0.3),
    )
    delivery = Delivery(job.engine_id, ORG_ID, job.id, anyio.CancelScope())

    async with asyncio.TaskGroup() as group:
        group.create_task(_run(attempts, delivery))
        await until(began)
        async with system_transaction(sessions) as session:
            await rows.mark_read_for_system(session, [job.id])
        await asyncio.sleep(0.35)  # longer than the grace, as an outage may be
        with pytest.raises(asyncpg.CannotConnectNowError):
            await attempts.stop_lost_jobs()
        await attempts.stop_lost_jobs()
        was_cancelled = delivery.scope.cancel_called
        await asyncio.sleep(0.35)
        await attempts.stop_lost_jobs()

    assert (was_cancelled, delivery.scope.cancel_called) == (False, True)


async def _run(attempts: Attempts, delivery: Delivery) -> None:
    await attempts(delivery)


async def test_logs_of_long_ago_are_pruned_and_the_jobs_stay(
    sessions: SessionFactory, run_worker: RunWorker, follower: JobFollower
) -> None:
    old, young = [await make_toy(sessions, ORG_ID) for _ in range(2)]
    async with run_worker({STREAM_KIND: speak}):
        for job in (old, young):
            assert await follower.wait(ORG_ID, job.id, 10)
    async with system_transaction(sessions) as session:
        await session.execute(
            text(
                "update jobs set finished_at = now() - interval '9 days' where id=:id"
            ),
            {"id": old.id},
        )

    pruned = [await prune_event_logs(sessions, days) for days in (0, 10, 8, 8)]

    assert pruned == [0, 0, 1, 0]
    assert (await get_job(sessions, old)).log_pruned_at is not None
    assert await read_stream(follower, old) == []
    assert await read_stream(follower, young) != []


async def test_a_job_of_another_organisation_is_not_followed(
    sessions: SessionFactory, follower: JobFollower
) -> None:
    job = await make_toy(sessions, ORG_ID)

    with follower.following(OTHER_ORG_ID, job.id) as reader:
        while not reader.has_ended:
            assert await reader.next() == []


async def test_events_of_a_kind_that_does_not_stream_are_refused(
    sessions: SessionFactory,
) -> None:
    from tests.factories.jobs import make_context  # noqa: PLC0415

    context = await make_context(sessions, ORG_ID)

    with pytest.raises(RuntimeError, match="streams"):
        context.emit(DELTA, {"delta": "x"})


class LosingReplies:
    """Sessions whose first commit is done, and its reply lost."""

    def __init__(self, sessions: SessionFactory) -> None:
        self._sessions = sessions
        self._is_lost = False

    def __call__(self, **options: Any) -> Session:
        session = self._sessions(**options)
        event.listen(session.sync_session, "after_commit", self._lose)
        return session

    def _lose(self, _session: object) -> None:
        if not self._is_lost:
            self._is_lost = True
            raise asyncpg.ConnectionDoesNotExistError


async def test_a_beginning_whose_reply_was_lost_is_no_lost_worker(
    sessions: SessionFactory,
) -> None:
    job = await make_toy(sessions, ORG_ID)
    losing: Any = LosingReplies(sessions)
    began: list[int] = []

    async def note(ctx: JobContext) -> None:
        began.append(ctx.job.attempts)

    attempts = Attempts(losing, {STREAM_KIND: note})
    await attempts(Delivery(job.engine_id, ORG_ID, job.id, anyio.CancelScope()))

    done = await get_job(sessions, job)
    assert began == [2]  # the number that was lost is not used
    assert (done.state, done.attempts, done.deaths) == (JobState.DONE, 2, 0)


async def test_events_wait_while_the_database_is_away(
    sessions: SessionFactory, follower: JobFollower, caplog: pytest.LogCaptureFixture
) -> None:
    job = await make_toy(sessions, ORG_ID)
    row, last = await begin_attempt(sessions, job)
    failing: Any = FailingOnce(sessions)
    buffer = EventBuffer(failing, flush_s=0.01)
    ctx = JobContext(sessions, row, anyio.CancelScope(), buffer, last)
    flushing = asyncio.create_task(buffer.run())

    async with asyncio.timeout(10):
        with follower.following(ORG_ID, job.id, last) as reader:
            ctx.emit(DELTA, {"delta": "late"})
            events = await reader.next()
            while not events:
                events = await reader.next()
    flushing.cancel()
    await asyncio.wait({flushing})

    assert text_of(events) == "late"
    assert "jobs.events.postponed" in caplog.messages


async def test_a_job_that_does_not_end_while_the_worker_drains_is_given_back(
    sessions: SessionFactory,
) -> None:
    job = await make_job(sessions, ORG_ID)
    began = asyncio.Event()
    outcomes: list[DeliveryOutcome] = []

    async def wait(_ctx: JobContext) -> None:
        began.set()
        await asyncio.Event().wait()

    attempts = Attempts(sessions, {"tests.act": wait})
    delivery = Delivery(job.engine_id, ORG_ID, job.id, anyio.CancelScope())

    async def run() -> None:
        outcomes.append(await attempts(delivery))

    async with asyncio.TaskGroup() as group:
        group.create_task(run())
        await until(began)
        attempts.stop_streaming()  # not this one
        was_stopped = delivery.scope.cancel_called
        attempts.stop_all()

    given_back = await get_job(sessions, job)
    assert (was_stopped, outcomes) == (False, [DeliveryOutcome.again(0)])
    assert (given_back.state, given_back.failures) == (JobState.PENDING, 0)
