"""Queries that only answering needs."""

from uuid import UUID

from sqlalchemy import func, select

from dossier.chat.constants import MessageState
from dossier.chat.models import ChatMember, ChatMessage
from dossier.core.database import Session

QUESTIONS = 50
LONGEST_QUESTION = 300


async def list_own_questions_for_org(
    session: Session, org_id: UUID, profile_id: UUID, but_for: UUID
) -> list[tuple[UUID, str]]:
    """Return a person's latest short messages in rooms where they still are."""
    query = (
        select(ChatMessage.id, ChatMessage.text)
        .join(
            ChatMember,
            (ChatMember.org_id == ChatMessage.org_id)
            & (ChatMember.room_id == ChatMessage.room_id)
            & (ChatMember.profile_id == ChatMessage.profile_id),
        )
        .where(
            ChatMessage.org_id == org_id,
            ChatMember.org_id == org_id,
            ChatMessage.profile_id == profile_id,
            ChatMessage.id != but_for,
            ChatMessage.state == MessageState.COMPLETE,
            ChatMessage.deleted_at.is_(None),
            func.length(ChatMessage.text) <= LONGEST_QUESTION,
        )
        .order_by(ChatMessage.created_at.desc(), ChatMessage.id.desc())
        .limit(QUESTIONS)
    )
    return [(row[0], row[1]) for row in await session.execute(query)]
