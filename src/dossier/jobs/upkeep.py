"""Periodic work on jobs: prune logs, find jobs that the engine has lost."""

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from dossier.core.clock import now
from dossier.core.database import Session, SessionFactory, system_transaction
from dossier.core.tenancy import Actor
from dossier.integrations.queue import client as queue
from dossier.jobs import rules
from dossier.jobs.constants import JobGroup, JobSignal, JobState
from dossier.jobs.event_log import record_end
from dossier.jobs.gateway import log, rows
from dossier.jobs.kinds import kind_of_job
from dossier.jobs.models import Job
from dossier.jobs.service import JobsService, queue_entry
from dossier.jobs.types import Periodic

KEEP_LOG = timedelta(days=7)
GRACE = timedelta(minutes=1)
"""Younger jobs may still be on their way to the engine."""
PRUNE_BATCH = 500


async def prune_engine_log(sessions: SessionFactory) -> int:
    """Delete what the engine logged more than a week ago."""
    async with system_transaction(sessions) as session:
        return await queue.prune_log(session, keep=KEEP_LOG)


async def prune_event_logs(sessions: SessionFactory, keep_days: int) -> int:
    """Delete the events of jobs that ended long ago; return of how many jobs.

    The jobs stay, and so does what they wrote. A reader of such a log gets a 204.
    """
    if not keep_days:
        return 0
    before = now() - timedelta(days=keep_days)
    total = 0
    while True:
        async with system_transaction(sessions) as session:
            pruned = await log.prune_logs_for_system(session, before, PRUNE_BATCH)
        total += pruned
        if pruned < PRUNE_BATCH:
            return total


async def sweep_lost(sessions: SessionFactory) -> int:
    """Queue again the unfinished jobs that the engine does not have.

    The engine loses one when its tables were restored or cleared, or when a job was
    cancelled in the instant between its claim and its start. Safe to repeat: rows are
    locked, and a job that is queued again has a new engine row.
    """
    total, after = 0, UUID(int=0)
    while True:
        async with system_transaction(sessions) as session:
            jobs = await rows.lock_unfinished_for_system(
                session, after=after, before=now() - GRACE, limit=PRUNE_BATCH
            )
            missing = await queue.missing_of(session, [job.engine_id for job in jobs])
            lost = [job for job in jobs if job.engine_id in missing]
            await _queue_again(session, lost)
        total += len(lost)
        if len(jobs) < PRUNE_BATCH:
            return total
        after = jobs[-1].id


async def enqueue_due(sessions: SessionFactory, periodic: Periodic) -> int:
    """Enqueue a periodic job for each organisation that is due."""
    async with system_transaction(sessions) as session:
        org_ids = await periodic.due(session)
        for org_id in org_ids:
            jobs = JobsService(session, Actor.system(org_id))
            await jobs.enqueue(periodic.kind, dedupe_key=f"periodic:{periodic.kind}")
        return len(org_ids)


async def _queue_again(session: Session, lost: Sequence[Job]) -> None:
    again = [job for job in lost if job.state is not JobState.CANCELLING]
    for job in lost:
        if job.state is JobState.CANCELLING:
            job.state = rules.next_state(job.state, JobSignal.CONFIRM_CANCEL)
            await record_end(session, job)
    engine_ids = await queue.reserve_ids(session, len(again))
    for job, engine_id in zip(again, engine_ids, strict=True):
        job.engine_id = engine_id
    # The n-th job of one organisation queues behind the first of another.
    ranks: Counter[tuple[UUID, JobGroup]] = Counter()
    entries = []
    for job in again:
        place = job.org_id, kind_of_job(job).group
        entries.append(queue_entry(job, ranks[place]))
        ranks[place] += 1
    await queue.add_entries(session, entries)
