"""One attempt, on the real tables: what becomes of a job and of the engine's row."""

from dataclasses import replace
from functools import partial
from typing import Any
from uuid import UUID

import anyio
import pytest
from sqlalchemy import text
from tests.conftest import DrainJobs
from tests.factories.jobs import get_job, make_context, make_job

from dossier.core.database import (
    SessionFactory,
    system_transaction,
    tenant_transaction,
)
from dossier.core.errors import InvalidError, UnavailableError, UpstreamError
from dossier.core.models import new_id
from dossier.core.tenancy import Actor
from dossier.integrations.queue.delivery import Delivery, DeliveryOutcome
from dossier.jobs.attempts import Attempts
from dossier.jobs.constants import JobState
from dossier.jobs.context import JobContext
from dossier.jobs.exceptions import JobSupersededError
from dossier.jobs.models import Job
from dossier.jobs.rules import UNCOUNTED_DELAY_S
from dossier.jobs.service import JobsService

KIND = "tests.act"


def deliver(job: Job) -> Delivery:
    """Hand a job over as the engine would."""
    return Delivery(job.engine_id, job.org_id, job.id, anyio.CancelScope())


async def succeed(ctx: JobContext) -> None:
    async with tenant_transaction(ctx.sessions, ctx.org_id) as session:
        await ctx.finish(session, result_path="/api/v1/things/1")


async def engine_rows(sessions: SessionFactory) -> int:
    async with system_transaction(sessions) as session:
        rows: Any = await session.scalar(text("select count(*) from queue.pgqueuer"))
        return int(rows)


async def test_a_finished_job_has_its_receipt_and_leaves_the_engine(
    sessions: SessionFactory, org_id: UUID, drain_jobs: DrainJobs
) -> None:
    job = await make_job(sessions, org_id)

    ran = await drain_jobs({KIND: succeed})

    job = await get_job(sessions, job)
    assert (ran, job.state, job.result_path, job.attempts) == (
        1,
        JobState.DONE,
        "/api/v1/things/1",
        1,
    )
    assert job.started_at is not None
    assert job.finished_at is not None
    assert await engine_rows(sessions) == 0


async def test_a_task_without_a_last_transaction_is_done_when_it_returns(
    sessions: SessionFactory, org_id: UUID, drain_jobs: DrainJobs
) -> None:
    async def look(ctx: JobContext) -> None:
        await ctx.progress(1, 1, "page")

    job = await make_job(sessions, org_id)

    await drain_jobs({KIND: look})

    job = await get_job(sessions, job)
    assert job.state is JobState.DONE
    assert (job.progress_done, job.progress_unit) == (1, "page")


async def test_a_task_gets_its_arguments_in_the_types_that_it_declares(
    sessions: SessionFactory, org_id: UUID, actor: Actor, drain_jobs: DrainJobs
) -> None:
    got: list[Any] = []

    async def take(
        ctx: JobContext, thing_id: UUID, market: str, limit: int | None, port: object
    ) -> None:
        got.extend([ctx.actor.name, ctx.actor.user_id, thing_id, market, limit, port])

    thing_id, port = new_id(), object()
    async with tenant_transaction(sessions, org_id) as session:
        await JobsService(session, actor).enqueue(
            KIND, thing_id=thing_id, market="tw", limit=None
        )

    await drain_jobs({KIND: partial(take, port=port)})

    assert got == [actor.name, actor.user_id, thing_id, "tw", None, port]


async def test_a_task_acts_as_the_actor_who_enqueued_it_with_the_api_key(
    sessions: SessionFactory, org_id: UUID, actor: Actor, drain_jobs: DrainJobs
) -> None:
    by_key = replace(actor, api_key_id=new_id())
    acting: list[Actor] = []

    async def look(ctx: JobContext) -> None:
        acting.append(ctx.actor)

    async with tenant_transaction(sessions, org_id) as session:
        await JobsService(session, by_key).enqueue(KIND)
    await drain_jobs({KIND: look})

    assert acting == [replace(by_key, address=None, user_agent=None)]


@pytest.mark.parametrize("error", [UpstreamError("502"), UnavailableError("away")])
async def test_three_upstream_failures_in_a_row_fail_the_job(
    sessions: SessionFactory,
    org_id: UUID,
    drain_jobs: DrainJobs,
    error: UpstreamError | UnavailableError,
) -> None:
    async def fail(_ctx: JobContext) -> None:
        raise error

    job = await make_job(sessions, org_id)

    ran = await drain_jobs({KIND: fail})

    job = await get_job(sessions, job)
    assert (ran, job.state, job.attempts, job.failures) == (3, JobState.FAILED, 3, 3)
    assert job.error is not None
    assert job.error["type"] == f"/problems/{error.slug()}"
    assert await engine_rows(sessions) == 0


@pytest.mark.parametrize(
    ("errors", "runs"),
    [([UpstreamError(), UnavailableError()], 3), ([UpstreamError(), ValueError()], 1)],
)
async def test_errors_of_parallel_steps_are_judged_by_the_worst(
    sessions: SessionFactory,
    org_id: UUID,
    drain_jobs: DrainJobs,
    errors: list[Exception],
    runs: int,
) -> None:
    async def fail(_ctx: JobContext) -> None:
        message = "steps"
        raise ExceptionGroup(message, errors)

    await make_job(sessions, org_id)

    assert await drain_jobs({KIND: fail}) == runs


async def test_a_kind_of_job_may_have_its_own_number_of_failures(
    sessions: SessionFactory, org_id: UUID, drain_jobs: DrainJobs
) -> None:
    async def fail(_ctx: JobContext) -> None:
        raise UpstreamError

    await make_job(sessions, org_id, "tests.persistent")

    assert await drain_jobs({"tests.persistent": fail}) == 5


async def test_progress_resets_the_count_of_failures(
    sessions: SessionFactory, org_id: UUID, drain_jobs: DrainJobs
) -> None:
    runs = 0

    async def crawl(ctx: JobContext) -> None:
        nonlocal runs
        runs += 1
        # Two failures without progress, then one page further, then stuck again.
        await ctx.progress(1 if runs >= 3 else 0, 9)
        raise UpstreamError

    job = await make_job(sessions, org_id)

    await drain_jobs({KIND: crawl})

    job = await get_job(sessions, job)
    assert (runs, job.attempts, job.state) == (5, 5, JobState.FAILED)


async def test_a_programming_error_fails_the_job_at_once(
    sessions: SessionFactory, org_id: UUID, drain_jobs: DrainJobs
) -> None:
    async def fail(_ctx: JobContext) -> None:
        raise ZeroDivisionError

    job = await make_job(sessions, org_id)

    ran = await drain_jobs({KIND: fail})

    job = await get_job(sessions, job)
    assert (ran, job.state) == (1, JobState.FAILED)
    assert job.error is not None
    assert job.error["code"] == "internal_server"


async def test_a_job_of_arguments_that_do_not_fit_fails_at_once(
    sessions: SessionFactory, org_id: UUID, actor: Actor, drain_jobs: DrainJobs
) -> None:
    async with tenant_transaction(sessions, org_id) as session:
        job = await JobsService(session, actor).enqueue(KIND, surprise=1)

    await drain_jobs({KIND: succeed})

    job = await get_job(sessions, job)
    assert job.error is not None
    assert job.error["code"] == "task_unknown"


async def test_a_job_with_a_receipt_is_not_run_again(
    sessions: SessionFactory, org_id: UUID, drain_jobs: DrainJobs
) -> None:
    async def never(_ctx: JobContext) -> None:
        raise AssertionError

    job = await make_job(sessions, org_id, state=JobState.DONE)

    ran = await drain_jobs({KIND: never})

    assert (ran, (await get_job(sessions, job)).state) == (1, JobState.DONE)


async def test_a_job_whose_worker_died_three_times_is_held_as_failed(
    sessions: SessionFactory, org_id: UUID, drain_jobs: DrainJobs
) -> None:
    async def never(_ctx: JobContext) -> None:
        raise AssertionError

    job = await make_job(
        sessions, org_id, state=JobState.PROCESSING, deaths=2, attempts=2
    )

    await drain_jobs({KIND: never})

    job = await get_job(sessions, job)
    assert job.state is JobState.FAILED
    assert job.error is not None
    assert job.error["code"] == "worker_lost"


async def test_an_engine_row_from_before_a_retry_is_ignored(
    sessions: SessionFactory, org_id: UUID, drain_jobs: DrainJobs
) -> None:
    async def never(_ctx: JobContext) -> None:
        raise AssertionError

    job = await make_job(sessions, org_id)
    async with tenant_transaction(sessions, org_id) as session:
        (await session.merge(job)).engine_id += 1_000_000

    await drain_jobs({KIND: never})

    assert (await get_job(sessions, job)).state is JobState.PENDING


async def test_a_job_that_was_asked_to_stop_before_its_worker_died_is_cancelled(
    sessions: SessionFactory, org_id: UUID, drain_jobs: DrainJobs
) -> None:
    job = await make_job(sessions, org_id, state=JobState.CANCELLING, attempts=1)

    await drain_jobs({KIND: succeed})

    job = await get_job(sessions, job)
    assert (job.state, job.result_path) == (JobState.CANCELLED, None)


async def test_a_kind_that_the_worker_does_not_know_fails(
    sessions: SessionFactory, org_id: UUID
) -> None:
    job = await make_job(sessions, org_id)

    outcome = await Attempts(sessions, {})(deliver(job))

    job = await get_job(sessions, job)
    assert outcome == DeliveryOutcome.finished()
    assert job.error is not None
    assert job.error["code"] == "task_unknown"


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (JobState.PROCESSING, DeliveryOutcome.superseded()),
        (JobState.PENDING, DeliveryOutcome.again(UNCOUNTED_DELAY_S)),
        (JobState.DONE, DeliveryOutcome.finished()),
    ],
)
async def test_an_attempt_that_finds_another_in_its_place_changes_nothing(
    sessions: SessionFactory, org_id: UUID, state: JobState, expected: DeliveryOutcome
) -> None:
    async def lose(ctx: JobContext) -> None:
        async with tenant_transaction(sessions, org_id) as session:
            job = await JobsService(session, ctx.actor).get_job(ctx.job_id)
            job.state = state
            job.attempts += state is JobState.PROCESSING

    job = await make_job(sessions, org_id)

    outcome = await Attempts(sessions, {KIND: lose})(deliver(job))

    job = await get_job(sessions, job)
    assert (outcome, job.state) == (expected, state)


async def test_a_run_whose_job_was_driven_anew_leaves_it_alone(
    sessions: SessionFactory, org_id: UUID
) -> None:
    async def lose(ctx: JobContext) -> None:
        async with tenant_transaction(sessions, org_id) as session:
            job = await JobsService(session, ctx.actor).get_job(ctx.job_id)
            job.state = JobState.PENDING
            job.engine_id += 1_000_000

    job = await make_job(sessions, org_id)

    outcome = await Attempts(sessions, {KIND: lose})(deliver(job))

    assert outcome == DeliveryOutcome.finished()
    assert (await get_job(sessions, job)).state is JobState.PENDING


async def test_frequent_progress_is_written_at_intervals(
    sessions: SessionFactory, org_id: UUID
) -> None:
    context = await make_context(sessions, org_id)

    for done in range(1, 5):
        await context.progress(done, 5)
    async with tenant_transaction(sessions, org_id) as session:
        between = await JobsService(session, context.actor).get_job(context.job_id)
    await context.progress(5, 5)

    assert between.progress_done == 1
    assert (await get_job(sessions, between)).progress_done == 5


async def test_a_run_that_was_taken_over_cannot_write_its_receipt(
    sessions: SessionFactory, org_id: UUID
) -> None:
    context = await make_context(sessions, org_id)
    async with tenant_transaction(sessions, org_id) as session:
        job = await JobsService(session, context.actor).get_job(context.job_id)
        job.attempts += 1

    with pytest.raises(JobSupersededError):
        async with tenant_transaction(sessions, org_id) as session:
            await context.finish(session, result_path="/late")
    with pytest.raises(JobSupersededError):
        await context.progress(1, 2)

    assert (await get_job(sessions, job)).result_path is None


async def test_work_that_failed_after_its_receipt_stays_done(
    sessions: SessionFactory, org_id: UUID, drain_jobs: DrainJobs
) -> None:
    async def stumble(ctx: JobContext) -> None:
        await succeed(ctx)
        raise ValueError

    job = await make_job(sessions, org_id)

    await drain_jobs({KIND: stumble})

    assert (await get_job(sessions, job)).state is JobState.DONE


async def test_a_job_that_is_asked_to_stop_stops_at_its_next_progress(
    sessions: SessionFactory, org_id: UUID, actor: Actor, drain_jobs: DrainJobs
) -> None:
    reached: list[str] = []

    async def obey(ctx: JobContext) -> None:
        async with tenant_transaction(sessions, org_id) as session:
            cancelled = await JobsService(session, actor).cancel_job(ctx.job_id)
            reached.append(cancelled.state)
        await ctx.progress(1, 2)
        reached.append("after")

    job = await make_job(sessions, org_id)

    await drain_jobs({KIND: obey})

    job = await get_job(sessions, job)
    assert (reached, job.state) == (["cancelling"], JobState.CANCELLED)
    assert job.error is None


class _NamedError(InvalidError):
    title = "A name"


@pytest.mark.parametrize(
    ("error", "has_traceback"), [(_NamedError("why"), False), (KeyError("x"), True)]
)
async def test_only_a_failure_without_a_name_is_logged_with_its_traceback(
    sessions: SessionFactory,
    org_id: UUID,
    drain_jobs: DrainJobs,
    caplog: pytest.LogCaptureFixture,
    error: Exception,
    *,
    has_traceback: bool,
) -> None:
    async def fail(_ctx: JobContext) -> None:
        raise error

    await make_job(sessions, org_id)

    await drain_jobs({KIND: fail})

    [record] = [r for r in caplog.records if r.message == "jobs.attempt.failed"]
    assert (record.exc_info is not None) is has_traceback
    if not has_traceback:
        assert record.__dict__["reason"] == "A name: why"
