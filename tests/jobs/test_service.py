"""Enqueueing, deduplication, fairness, cancelling and retrying."""

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import text
from tests.factories.jobs import get_job, make_job
from tests.readers import SharingReader

from dossier.core.clock import now
from dossier.core.database import (
    Session,
    SessionFactory,
    system_transaction,
    tenant_transaction,
)
from dossier.core.pagination import PageParams
from dossier.core.tenancy import Actor, RoleRequiredError
from dossier.integrations.queue.client import engine_priority
from dossier.jobs.constants import JobState
from dossier.jobs.exceptions import (
    JobAlreadyQueuedError,
    JobNotFoundError,
    JobStateError,
    TaskUnknownError,
)
from dossier.jobs.kinds import declare
from dossier.jobs.service import JobsService, list_jobs
from dossier.jobs.types import JobFilters, JobKind
from dossier.jobs.upkeep import sweep_lost

KIND = "tests.act"


async def priorities(sessions: SessionFactory) -> list[tuple[int, int]]:
    query = text("select id, priority from queue.pgqueuer order by priority desc, id")
    async with system_transaction(sessions) as session:
        return [(row.id, row.priority) for row in await session.execute(query)]


async def test_a_rolled_back_transaction_leaves_no_job(
    sessions: SessionFactory, org_id: UUID, actor: Actor
) -> None:
    async def enqueue_and_fail() -> None:
        async with tenant_transaction(sessions, org_id) as session:
            await JobsService(session, actor).enqueue(KIND)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await enqueue_and_fail()

    reader = SharingReader(sessions, actor)
    page = await list_jobs(reader, JobFilters(), PageParams())
    assert page.total == 0
    assert await priorities(sessions) == []


async def test_a_rolled_back_savepoint_leaves_no_job_and_a_kept_one_does(
    sessions: SessionFactory, org_id: UUID, actor: Actor
) -> None:
    async with tenant_transaction(sessions, org_id) as session:
        jobs = JobsService(session, actor)
        savepoint = await session.begin_nested()
        await jobs.enqueue(KIND)
        await savepoint.rollback()
        async with session.begin_nested():
            kept = await jobs.enqueue(KIND)

    assert [row[0] for row in await priorities(sessions)] == [kept.engine_id]
    assert (await get_job(sessions, kept)).state is JobState.PENDING


async def test_a_job_with_the_same_key_is_returned_while_it_lives(
    session: Session, actor: Actor
) -> None:
    jobs = JobsService(session, actor)

    first = await jobs.enqueue(KIND, dedupe_key="thing:1")
    again = await jobs.enqueue(KIND, dedupe_key="thing:1")
    first.state = JobState.DONE
    await session.flush()
    later = await jobs.enqueue(KIND, dedupe_key="thing:1")

    assert again.id == first.id
    assert later.id != first.id


async def test_a_key_belongs_to_one_organisation(
    sessions: SessionFactory, actor: Actor, other_actor: Actor
) -> None:
    made = []
    for who in (actor, other_actor):
        async with tenant_transaction(sessions, who.org_id) as session:
            jobs = JobsService(session, who)
            made.append(await jobs.enqueue(KIND, dedupe_key="same"))

    assert made[0].id != made[1].id


async def test_a_fan_out_yields_to_the_first_job_of_another_organisation(
    sessions: SessionFactory, actor: Actor, other_actor: Actor
) -> None:
    async with tenant_transaction(sessions, actor.org_id) as session:
        jobs = JobsService(session, actor)
        mine = [await jobs.enqueue(KIND, place=place) for place in range(3)]
    async with tenant_transaction(sessions, other_actor.org_id) as session:
        theirs = await JobsService(session, other_actor).enqueue(KIND)

    order = [engine_id for engine_id, _ in await priorities(sessions)]
    places = [job.args["place"] for job in mine]
    assert places == [0, 1, 2]
    assert order == [
        mine[0].engine_id,
        theirs.engine_id,
        mine[1].engine_id,
        mine[2].engine_id,
    ]


async def test_single_jobs_of_one_organisation_queue_behind_each_other(
    sessions: SessionFactory, org_id: UUID
) -> None:
    for _ in range(3):
        await make_job(sessions, org_id)

    assert [priority for _, priority in await priorities(sessions)] == [0, -1, -2]


async def test_a_higher_priority_goes_before_any_rank(
    sessions: SessionFactory, org_id: UUID, actor: Actor
) -> None:
    for _ in range(2):
        await make_job(sessions, org_id)
    async with tenant_transaction(sessions, org_id) as session:
        urgent = await JobsService(session, actor).enqueue(KIND, priority=1)

    assert (await priorities(sessions))[0][0] == urgent.engine_id


def test_ranks_never_reach_into_the_next_priority() -> None:
    assert engine_priority(1, 10**9) > engine_priority(0, 0)


async def test_a_backlog_of_one_group_does_not_put_back_jobs_of_another(
    sessions: SessionFactory, org_id: UUID
) -> None:
    for kind in ("tests.index", "tests.index", "tests.act", "tests.index"):
        await make_job(sessions, org_id, kind)

    assert sorted(priority for _, priority in await priorities(sessions)) == [
        -2,
        -1,
        0,
        0,
    ]


async def test_a_kind_that_is_not_declared_cannot_be_enqueued(
    session: Session, actor: Actor
) -> None:
    with pytest.raises(TaskUnknownError):
        await JobsService(session, actor).enqueue("tests.unheard_of")


def test_two_kinds_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="twice"):
        declare(JobKind(KIND))


async def test_a_deleted_job_is_gone(
    sessions: SessionFactory, org_id: UUID, actor: Actor
) -> None:
    job = await make_job(sessions, org_id, state=JobState.PROCESSING)

    async with tenant_transaction(sessions, org_id) as session:
        jobs = JobsService(session, actor)
        await jobs.delete_job(job.id)
        await jobs.delete_job(job.id)
        with pytest.raises(JobNotFoundError):
            await jobs.get_job(job.id)


async def test_a_domain_gets_and_cancels_jobs_of_its_own_kind_alone(
    session: Session, actor: Actor
) -> None:
    jobs = JobsService(session, actor)
    job = await jobs.enqueue(KIND)

    for use in (jobs.get_job_of_kind, jobs.cancel_job_of_kind):
        assert (await use(job.id, KIND)).id == job.id
        with pytest.raises(JobNotFoundError):
            await use(job.id, "tests.other")


async def test_cancelling_a_pending_job_is_immediate_and_repeatable(
    session: Session, actor: Actor
) -> None:
    jobs = JobsService(session, actor)
    job = await jobs.enqueue(KIND)

    states = [(await jobs.cancel_job(job.id)).state for _ in range(2)]

    assert states == [JobState.CANCELLED, JobState.CANCELLED]
    assert job.finished_at is not None


async def test_cancelling_a_running_job_waits_for_its_worker(
    sessions: SessionFactory, org_id: UUID, actor: Actor
) -> None:
    job = await make_job(sessions, org_id, state=JobState.PROCESSING)

    async with tenant_transaction(sessions, org_id) as session:
        cancelled = await JobsService(session, actor).cancel_job(job.id)

    assert (cancelled.state, cancelled.finished_at) == (JobState.CANCELLING, None)


async def test_a_done_job_cannot_be_cancelled_or_retried(
    sessions: SessionFactory, org_id: UUID, actor: Actor
) -> None:
    job = await make_job(sessions, org_id, state=JobState.DONE)

    async with tenant_transaction(sessions, org_id) as session:
        jobs = JobsService(session, actor)
        with pytest.raises(JobStateError):
            await jobs.cancel_job(job.id)
        with pytest.raises(JobStateError):
            await jobs.retry_job(job.id)


async def test_a_failed_job_is_driven_anew_by_another_engine_row(
    sessions: SessionFactory, org_id: UUID, actor: Actor
) -> None:
    job = await make_job(
        sessions, org_id, state=JobState.FAILED, failures=3, error={"status": 502}
    )

    async with tenant_transaction(sessions, org_id) as session:
        again = await JobsService(session, actor).retry_job(job.id)

    assert (again.state, again.failures, again.error) == (JobState.PENDING, 0, None)
    assert again.engine_id > job.engine_id


async def test_a_failed_job_is_not_driven_anew_while_its_key_is_taken(
    sessions: SessionFactory, org_id: UUID, actor: Actor
) -> None:
    failed = await make_job(sessions, org_id, state=JobState.FAILED, dedupe_key="thing")
    await make_job(sessions, org_id, dedupe_key="thing")

    with pytest.raises(JobAlreadyQueuedError):
        async with tenant_transaction(sessions, org_id) as session:
            await JobsService(session, actor).retry_job(failed.id)

    assert (await get_job(sessions, failed)).state is JobState.FAILED


async def test_a_viewer_may_look_but_not_change(session: Session, actor: Actor) -> None:
    job = await JobsService(session, actor).enqueue(KIND)
    viewer = JobsService(
        session, Actor(actor.org_id, actor.user_id, role="viewer", name="Vi")
    )

    assert (await viewer.get_job(job.id)).id == job.id
    with pytest.raises(RoleRequiredError):
        await viewer.cancel_job(job.id)
    with pytest.raises(RoleRequiredError):
        await viewer.retry_job(job.id)


async def test_a_job_of_another_organisation_is_not_found(
    sessions: SessionFactory, actor: Actor, other_actor: Actor
) -> None:
    job = await make_job(sessions, actor.org_id)

    async with tenant_transaction(sessions, other_actor.org_id) as session:
        jobs = JobsService(session, other_actor)
        for use in (jobs.get_job, jobs.cancel_job, jobs.retry_job):
            with pytest.raises(JobNotFoundError):
                await use(job.id)


async def age(sessions: SessionFactory) -> None:
    async with system_transaction(sessions) as session:
        await session.execute(
            text("update jobs set created_at = created_at - interval '1 hour'")
        )


async def test_a_job_that_the_engine_lost_is_carried_again(
    sessions: SessionFactory, org_id: UUID
) -> None:
    job = await make_job(sessions, org_id)
    stopping = await make_job(sessions, org_id, state=JobState.CANCELLING)
    kept = await make_job(sessions, org_id)
    async with system_transaction(sessions) as session:
        await session.execute(
            text("delete from queue.pgqueuer where id <> :kept"),
            {"kept": kept.engine_id},
        )
    await age(sessions)

    swept = [await sweep_lost(sessions), await sweep_lost(sessions)]

    assert swept == [2, 0]
    carried = {engine_id for engine_id, _ in await priorities(sessions)}
    assert carried == {kept.engine_id, (await get_job(sessions, job)).engine_id}
    assert (await get_job(sessions, stopping)).state is JobState.CANCELLED


async def test_a_young_job_is_not_swept(sessions: SessionFactory, org_id: UUID) -> None:
    await make_job(sessions, org_id)
    async with system_transaction(sessions) as session:
        await session.execute(text("delete from queue.pgqueuer"))

    assert await sweep_lost(sessions) == 0


async def test_a_job_that_is_retried_queues_behind_the_backlog(
    sessions: SessionFactory, org_id: UUID, actor: Actor
) -> None:
    job = await make_job(
        sessions, org_id, state=JobState.FAILED, finished_at=now(), log_pruned_at=now()
    )
    for _ in range(2):
        await make_job(sessions, org_id)

    async with tenant_transaction(sessions, org_id) as session:
        retried = await JobsService(session, actor).retry_job(job.id)

    ranks = dict(await priorities(sessions))
    assert ranks[retried.engine_id] == -2
    assert retried.log_pruned_at is None


async def test_swept_jobs_are_ranked_and_waiting_ones_are_left_alone(
    sessions: SessionFactory, org_id: UUID
) -> None:
    old = now() - timedelta(hours=1)
    for state in (JobState.PENDING, JobState.PENDING, JobState.WAITING):
        await make_job(sessions, org_id, state=state, created_at=old)
    async with system_transaction(sessions) as session:
        await session.execute(text("delete from queue.pgqueuer"))

    swept = await sweep_lost(sessions)

    assert swept == 2
    assert [priority for _, priority in await priorities(sessions)] == [0, -1]
