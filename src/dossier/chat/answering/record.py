"""Records the outcome of an answer in its message."""

from uuid import UUID

from dossier.chat.constants import SUMMARISE_TASK
from dossier.chat.gateway import answers as gateway
from dossier.chat.types import AnswerJobInput, RecordedAnswer
from dossier.core.database import Session
from dossier.core.tenancy import Actor
from dossier.jobs.service import JobsService


async def record_outcome(
    session: Session, org_id: UUID, job: AnswerJobInput, recorded: RecordedAnswer
) -> bool:
    """Write a pending answer; `False` where it is recorded already, or deleted."""
    return await gateway.record_answer_for_org(session, org_id, job.answer_id, recorded)


async def enqueue_summary(
    session: Session, actor: Actor, job: AnswerJobInput, limit_tokens: int
) -> None:
    """Have a summary written of what did not fit into so many tokens."""
    await JobsService(session, actor).enqueue(
        SUMMARISE_TASK,
        dedupe_key=f"{SUMMARISE_TASK}:{job.room_id}",
        room_id=job.room_id,
        leaf_id=job.question_id,
        limit_tokens=limit_tokens,
    )
