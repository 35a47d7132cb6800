"""Queries that only answering needs."""

from uuid import UUID

from sqlalchemy import BindParameter, Select, bindparam, func, or_, select, update
from sqlalchemy.orm import aliased

from dossier.chat.constants import MessageState
from dossier.chat.models import ChatMember, ChatMessage, ChatProfile
from dossier.chat.rules.questions import LONGEST_QUESTION
from dossier.chat.rules.replies import REFUSALS
from dossier.chat.types import RecordedAnswer
from dossier.core.database import Session

QUESTIONS = 50


def _earlier_questions() -> Select[UUID, str]:
    """Return the query of earlier questions; to build it takes 4 ms, so it is kept."""
    org_id: BindParameter[UUID] = bindparam("org_id")
    answer = aliased(ChatMessage)
    is_answered = (
        select(answer.id)
        .where(
            answer.org_id == org_id,
            answer.room_id == ChatMessage.room_id,
            answer.parent_id == ChatMessage.id,
            answer.virtual_user_id.is_not(None),
            answer.state == MessageState.COMPLETE,
            answer.deleted_at.is_(None),
            ~or_(*(answer.text.startswith(each) for each in REFUSALS)),
        )
        .exists()
    )
    return (
        select(ChatMessage.id, ChatMessage.text)
        .join(
            ChatProfile,
            (ChatProfile.org_id == ChatMessage.org_id)
            & (ChatProfile.id == ChatMessage.profile_id),
        )
        .join(
            ChatMember,
            (ChatMember.org_id == ChatMessage.org_id)
            & (ChatMember.room_id == ChatMessage.room_id)
            & (ChatMember.profile_id == ChatMessage.profile_id),
        )
        .where(
            ChatMessage.org_id == org_id,
            ChatProfile.org_id == org_id,
            ChatMember.org_id == org_id,
            ChatProfile.user_id.is_not_distinct_from(bindparam("user_id")),
            ChatMessage.id != bindparam("question_id"),
            ChatMessage.state == MessageState.COMPLETE,
            ChatMessage.deleted_at.is_(None),
            func.length(ChatMessage.text) <= LONGEST_QUESTION,
            is_answered,
        )
        .order_by(ChatMessage.created_at.desc(), ChatMessage.id.desc())
        .limit(QUESTIONS)
    )


_EARLIER_QUESTIONS = _earlier_questions()


async def record_answer_for_org(
    session: Session, org_id: UUID, message_id: UUID, recorded: RecordedAnswer
) -> bool:
    """Write the outcome of a pending answer, once; return whether it was pending."""
    statement = (
        update(ChatMessage)
        .where(
            ChatMessage.org_id == org_id,
            ChatMessage.id == message_id,
            ChatMessage.state == MessageState.PENDING,
            ChatMessage.deleted_at.is_(None),
        )
        .values(
            state=recorded.state,
            text=recorded.text,
            citations=recorded.citations,
            engine=recorded.engine,
            dropped_claims=recorded.dropped_claims,
        )
        .returning(ChatMessage.id)
    )
    return await session.scalar(statement) is not None


async def list_earlier_questions_for_org(
    session: Session, org_id: UUID, *, user_id: UUID | None, question_id: UUID
) -> dict[UUID, str]:
    """Return a person's other questions by their ids, the latest first.

    Of those whose answers found something, in rooms where the person is a member.
    """
    wanted = {"org_id": org_id, "user_id": user_id, "question_id": question_id}
    rows = await session.execute(_EARLIER_QUESTIONS, wanted)
    return {row[0]: row[1] for row in rows}
