"""The last event of a run that failed or was cancelled."""

from dossier.core.database import Session
from dossier.jobs.constants import JobState
from dossier.jobs.event_log import JobEventLog
from dossier.jobs.models import Job
from dossier.workflows.constants import COMPLETE, ERROR


async def append_error(session: Session, job: Job) -> None:
    """Append `error` to the log of a run that did not complete; safe to call twice."""
    if job.state is JobState.DONE:
        return
    log = JobEventLog(session, job)
    last = await log.events()
    if last and last[-1].type in (ERROR, COMPLETE):
        return
    status = "cancelled" if job.state is JobState.CANCELLED else "failed"
    await log.append(
        ERROR, {"workflow_id": str(job.id), "status": status, "error": job.error}
    )
