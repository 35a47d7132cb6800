"""Waiting for jobs: until all have ended, whatever became of them."""

import asyncio
from uuid import UUID

import pytest
from sqlalchemy import text
from tests.factories import jobs as _kinds  # noqa: F401 - declares kinds of job

from dossier.cli.builder.errors import JobFailedError
from dossier.cli.builder.waiting import JobWatch, require_done
from dossier.core.database import SessionFactory, tenant_transaction
from dossier.core.tenancy import Actor
from dossier.jobs.constants import JobState
from dossier.jobs.models import Job
from dossier.jobs.service import JobsService


async def queued(sessions: SessionFactory, actor: Actor) -> Job:
    async with tenant_transaction(sessions, actor.org_id) as session:
        return await JobsService(session, actor).enqueue("tests.act")


async def end(
    sessions: SessionFactory, actor: Actor, job_id: UUID, state: JobState
) -> None:
    statement = text("update jobs set state = :state where id = :id")
    async with tenant_transaction(sessions, actor.org_id) as session:
        await session.execute(statement, {"state": state, "id": job_id})


async def test_each_end_is_told_once_and_all_are_waited_for(
    sessions: SessionFactory, actor: Actor
) -> None:
    heard = asyncio.Event()
    first, second = await queued(sessions, actor), await queued(sessions, actor)
    await end(sessions, actor, first.id, JobState.DONE)
    ends: list[UUID] = []
    told = asyncio.Event()

    def on_end(job: Job) -> None:
        ends.append(job.id)
        told.set()

    watch = JobWatch(sessions, actor, heard)
    waiting = asyncio.create_task(watch.until_done([first.id, second.id], on_end))
    await told.wait()
    await end(sessions, actor, second.id, JobState.FAILED)
    heard.set()
    await waiting

    assert ends == [first.id, second.id]


async def test_a_failed_job_says_why(sessions: SessionFactory, actor: Actor) -> None:
    job = await queued(sessions, actor)
    job.state = JobState.FAILED
    job.error = {"title": "No font", "detail": "Run make install."}

    with pytest.raises(JobFailedError, match=r"No font: Run make install\."):
        require_done(job)


async def test_a_done_job_raises_nothing(
    sessions: SessionFactory, actor: Actor
) -> None:
    job = await queued(sessions, actor)
    job.state = JobState.DONE

    require_done(job)
