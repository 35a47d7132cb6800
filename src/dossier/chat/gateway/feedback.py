"""Every query on what readers think of messages.

None of them asks who sees a room: services check the membership first.
"""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import (
    delete,
    select,
)
from sqlalchemy.dialects.postgresql import insert as upsert

from dossier.chat.gateway.ids import any_of
from dossier.chat.models import ChatFeedback
from dossier.core.database import Session


async def add_feedback(session: Session, feedback: ChatFeedback) -> ChatFeedback:
    """Insert what a person thinks of a message, or change it."""
    changed = {
        "rating": feedback.rating,
        "comment": feedback.comment,
        "updated_at": feedback.updated_at,
    }
    statement = (
        upsert(ChatFeedback)
        .values(
            id=feedback.id,
            org_id=feedback.org_id,
            created_at=feedback.created_at,
            message_id=feedback.message_id,
            profile_id=feedback.profile_id,
            **changed,
        )
        .on_conflict_do_update(
            index_elements=["org_id", "message_id", "profile_id"], set_=changed
        )
        .returning(ChatFeedback)
    )
    fresh = {"populate_existing": True}
    return (await session.scalars(statement, execution_options=fresh)).one()


async def delete_feedback_for_org(
    session: Session, org_id: UUID, message_id: UUID, profile_id: UUID
) -> None:
    """Take back what a person thought of a message."""
    await session.execute(
        delete(ChatFeedback).where(
            ChatFeedback.org_id == org_id,
            ChatFeedback.message_id == message_id,
            ChatFeedback.profile_id == profile_id,
        )
    )


async def list_feedback_for_org(
    session: Session, org_id: UUID, message_ids: Sequence[UUID], profile_id: UUID
) -> Sequence[ChatFeedback]:
    """Return what one person thought of several messages."""
    query = select(ChatFeedback).where(
        ChatFeedback.org_id == org_id,
        ChatFeedback.message_id == any_of(message_ids),
        ChatFeedback.profile_id == profile_id,
    )
    return (await session.scalars(query)).all()
