"""Jobs for tests, and the context that a task is given."""

import asyncio
from collections.abc import Iterable
from typing import Any
from uuid import UUID

import anyio
from sqlalchemy import text

from dossier.core.database import Session, SessionFactory, tenant_transaction
from dossier.core.tenancy import Actor
from dossier.jobs.constants import JobGroup, JobState
from dossier.jobs.context import JobContext
from dossier.jobs.event_log import JobEventLog
from dossier.jobs.events import surviving
from dossier.jobs.follower import JobFollower
from dossier.jobs.gateway import rows
from dossier.jobs.kinds import declare
from dossier.jobs.models import Job
from dossier.jobs.service import JobsService
from dossier.jobs.types import JobEvent, JobKind

for _name in ("act", "other", "sleep", "block", "die"):
    declare(JobKind(f"tests.{_name}"))
declare(JobKind("tests.persistent", max_failures=5))
declare(JobKind("tests.index", JobGroup.INDEXING))

STREAM_KIND = "tests.stream"
DELTA = "text.delta"
ENDED = "toy.ended"


async def end_toy(session: Session, job: Job) -> None:
    """Write the last event of a toy job that its handler did not end."""
    if job.args.get("fails"):
        raise ValueError
    if job.args.get("times_out"):
        await session.execute(text("set local statement_timeout = 1"))
        await session.execute(text("select pg_sleep(1)"))
    if job.last_seq == 0:
        await JobEventLog(session, job).append(ENDED, {"state": job.state})


declare(
    JobKind(STREAM_KIND, JobGroup.ANSWERS, listed=False, streams=True, on_end=end_toy)
)


def text_of(events: Iterable[JobEvent]) -> str:
    """Return the text that a client has after these events."""
    kept = [event for event in surviving(events) if event.type == DELTA]
    return "".join(event.data["delta"] for event in kept)


async def read_stream(
    follower: JobFollower, job: Job, starting_after: int = 0
) -> list[JobEvent]:
    """Follow a job to its end; return the events as they came."""
    events: list[JobEvent] = []
    async with asyncio.timeout(20):
        with follower.following(job.org_id, job.id, starting_after) as reader:
            while not reader.has_ended or reader.is_behind:
                events += await reader.next()
    return events


async def make_toy(sessions: SessionFactory, org_id: UUID, **options: Any) -> Job:
    """Enqueue a job that streams, with its first event, and commit it."""
    first_event = ("toy.created", {"answer": 1})
    async with tenant_transaction(sessions, org_id) as session:
        jobs = JobsService(session, Actor.system(org_id))
        return await jobs.enqueue(STREAM_KIND, first_event=first_event, **options)


async def make_job(
    sessions: SessionFactory, org_id: UUID, kind: str = "tests.act", **overrides: Any
) -> Job:
    """Enqueue a job and commit it; overrides are set on its row afterwards."""
    async with tenant_transaction(sessions, org_id) as session:
        job = await JobsService(session, Actor.system(org_id)).enqueue(kind)
        for name, value in overrides.items():
            setattr(job, name, value)
    return job


async def get_job(sessions: SessionFactory, job: Job) -> Job:
    """Read a job's row anew."""
    async with tenant_transaction(sessions, job.org_id) as session:
        found = await rows.get_job_for_org(session, job.org_id, job.id)
    if found is None:
        raise LookupError(job.id)
    return found


async def make_context(
    sessions: SessionFactory, org_id: UUID, actor: Actor | None = None
) -> JobContext:
    """Return the context of a job that runs: what a handler's test hands over."""
    job = await make_job(sessions, org_id, state=JobState.PROCESSING, attempts=1)
    context = JobContext(sessions, job, anyio.CancelScope())
    context.actor = actor or Actor.system(org_id)
    return context
