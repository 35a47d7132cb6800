"""A job's event log inside the caller's transaction: what `on_end` reads and writes."""

import logging
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from dossier.activity.service import ActivityService
from dossier.core.clock import now
from dossier.core.database import Session
from dossier.core.reconnect import is_transient
from dossier.core.tenancy import Actor
from dossier.jobs.constants import JobState
from dossier.jobs.events import make_batch, make_event, read_batch, surviving
from dossier.jobs.gateway import log
from dossier.jobs.kinds import is_listed, kind_of_job
from dossier.jobs.models import Job
from dossier.jobs.types import JobEvent

logger = logging.getLogger(__name__)

MAX_SEQUENCE_NUMBER = 2**31 - 1  # of the column's type, `integer`


class JobEventLog:
    """The stored events of one job, whose row the caller has locked."""

    def __init__(self, session: Session, job: Job) -> None:
        self._session = session
        self._job = job

    async def events(self, through: int = MAX_SEQUENCE_NUMBER) -> list[JobEvent]:
        """Return the events that are valid after restarts, oldest first."""
        job = self._job
        batches = await log.list_batches_for_org(
            self._session, job.org_id, job.id, through
        )
        return surviving(event for batch in batches for event in read_batch(batch))

    async def append(self, kind: str, data: Mapping[str, Any]) -> int:
        """Store one more event; readers get it when the transaction commits."""
        job = self._job
        number = await _last_number(self._session, job) + 1
        event = make_event(number, kind, data)
        batch = make_batch(job.org_id, job.id, job.attempts, [event])
        await log.add_batch(self._session, batch)
        await log.add_notification(self._session, [job.id])
        if job.finished_at is not None:
            job.last_seq = number
        return number


async def record_end(session: Session, job: Job) -> None:
    """Write the rows of every terminal change; `job.state` is set already.

    A failure of the kind's `on_end` is logged and rolled back; the job ends all the
    same, because its readers would wait for ever otherwise. A transient failure, such
    as a deadlock or a timeout, is raised: the caller's transaction is tried again.
    """
    job.finished_at = job.finished_at or now()
    kind = kind_of_job(job)
    if kind.on_end is not None:
        try:
            async with session.begin_nested():
                await kind.on_end(session, job)
        except Exception as exc:
            if is_transient(exc):
                raise
            # A web process that cancels has no job in its logging context.
            ids = {"job_id": job.id, "org_id": job.org_id, "kind": job.kind}
            logger.exception("jobs.on_end.failed", extra=ids)
            await session.refresh(job)
    if kind.streams:
        job.last_seq = await _last_number(session, job)
    if job.state is JobState.FAILED and is_listed(job.kind):
        activity = ActivityService(session, Actor.system(job.org_id))
        details = {"kind": job.kind, "state": job.state, "attempts": job.attempts}
        await activity.record(
            "update", "job", job.id, details=details, status="failure"
        )
    await log.add_notification(session, [job.id])


def notified_ids(payload: str) -> list[UUID]:
    """Return the ids that a notification carries."""
    return [UUID(part) for part in payload.split()]


async def _last_number(session: Session, job: Job) -> int:
    return job.last_seq or await log.get_last_number_for_org(
        session, job.org_id, job.id
    )
