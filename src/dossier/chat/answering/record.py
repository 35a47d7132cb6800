"""Records the outcome of an answer in its message, and ends its event log."""

from typing import Any
from uuid import UUID

from dossier.chat.answering.events import (
    FAILED,
    INCOMPLETE,
    cancelled_data,
    failed_data,
    replay,
)
from dossier.chat.constants import ANSWER_JOB, RUNS_PATH, SUMMARISE_JOB, MessageState
from dossier.chat.gateway import messages as gateway
from dossier.chat.types import AnswerJobInput, RecordedAnswer
from dossier.core.database import Session
from dossier.core.tenancy import Actor
from dossier.jobs.constants import JobGroup, JobState
from dossier.jobs.event_log import JobEventLog
from dossier.jobs.kinds import declare
from dossier.jobs.models import Job
from dossier.jobs.service import JobsService
from dossier.jobs.types import JobKind


async def record_outcome(
    session: Session, org_id: UUID, job_input: AnswerJobInput, recorded: RecordedAnswer
) -> bool:
    """Write a pending answer; `False` where it is recorded already, or deleted."""
    return await gateway.record_answer_for_org(
        session, org_id, job_input.answer_id, recorded
    )


async def record_unfinished(session: Session, job: Job) -> None:
    """Record an answer that was cancelled or failed, from its stored events.

    Called in the transaction of every terminal change. A completed answer is recorded
    by the handler, in the transaction that ends its job.
    """
    if job.state is JobState.DONE:
        return
    event_log = JobEventLog(session, job)
    stored = replay(await event_log.events())
    label = None if stored.label is None else dict(stored.label)
    data: dict[str, Any]
    if job.state is JobState.CANCELLED:
        state, engine = MessageState.INCOMPLETE, label
        last_event, data = INCOMPLETE, cancelled_data(job.id) | {"engine": label}
    else:
        problem = (job.error or {}) | {"instance": f"{RUNS_PATH}/{job.id}"}
        job.error = problem
        state, engine = MessageState.FAILED, (label or {}) | {"problem": problem}
        last_event, data = FAILED, failed_data(job.id, problem)
    recorded = RecordedAnswer(
        state=state, text=stored.text, citations=stored.citations, engine=engine
    )
    job_input = AnswerJobInput.from_args(job.args)
    await record_outcome(session, job.org_id, job_input, recorded)
    if not job.last_seq:
        await event_log.append(last_event, data)


async def enqueue_summary(
    session: Session, actor: Actor, job_input: AnswerJobInput, limit_tokens: int
) -> None:
    """Enqueue a summary of the turns that did not fit into so many tokens."""
    await JobsService(session, actor).enqueue(
        SUMMARISE_JOB,
        subject_id=job_input.room_id,
        dedupe_key=f"{SUMMARISE_JOB}:{job_input.room_id}",
        room_id=job_input.room_id,
        leaf_id=job_input.question_id,
        limit_tokens=limit_tokens,
    )


# Here, where the worker and the web process both import it: a worker takes only jobs of
# kinds that are declared.
declare(
    JobKind(
        ANSWER_JOB,
        JobGroup.ANSWERS,
        listed=False,
        streams=True,
        on_end=record_unfinished,
    )
)
declare(JobKind(SUMMARISE_JOB, listed=False))
