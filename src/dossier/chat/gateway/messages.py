"""Every query on messages, attachments and what settles answers.

None of them asks who sees a room: services check the membership first.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    case,
    delete,
    insert,
    select,
    update,
)

from dossier.chat.constants import MessageState
from dossier.chat.gateway.ids import any_of
from dossier.chat.models import ChatAttachment, ChatFeedback, ChatMessage, ChatRoom
from dossier.chat.types import Summary
from dossier.core.database import Session


async def add_message(session: Session, message: ChatMessage) -> None:
    """Insert a message."""
    session.add(message)
    await session.flush()


async def add_attachments(session: Session, rows: Sequence[dict[str, Any]]) -> None:
    """Insert what was sent with a message."""
    if rows:
        await session.execute(insert(ChatAttachment), rows)


async def get_message_for_org(
    session: Session, org_id: UUID, room_id: UUID, message_id: UUID
) -> ChatMessage | None:
    """Return one message of a room."""
    query = select(ChatMessage).where(
        ChatMessage.org_id == org_id,
        ChatMessage.room_id == room_id,
        ChatMessage.id == message_id,
    )
    return (await session.scalars(query)).one_or_none()


async def list_attachments_for_org(
    session: Session, org_id: UUID, message_ids: Sequence[UUID]
) -> Sequence[ChatAttachment]:
    """Return what was sent with several messages."""
    query = (
        select(ChatAttachment)
        .where(
            ChatAttachment.org_id == org_id,
            ChatAttachment.message_id == any_of(message_ids),
        )
        .order_by(ChatAttachment.message_id, ChatAttachment.filename)
    )
    return (await session.scalars(query)).all()


async def settle_summary_for_org(
    session: Session,
    org_id: UUID,
    room_id: UUID,
    summary: Summary,
    *,
    after_id: UUID | None,
) -> bool:
    """Write a room's running summary, if it still ends in `after_id`."""
    statement = (
        update(ChatRoom)
        .where(
            ChatRoom.org_id == org_id,
            ChatRoom.id == room_id,
            ChatRoom.summary_through_id.is_not_distinct_from(after_id),
        )
        .values(summary=summary.text, summary_through_id=summary.through_id)
        .returning(ChatRoom.id)
    )
    return await session.scalar(statement) is not None


async def has_deleted_for_org(
    session: Session, org_id: UUID, message_ids: Sequence[UUID]
) -> bool:
    """Tell whether one of several messages was deleted."""
    query = (
        select(ChatMessage.id)
        .where(
            ChatMessage.org_id == org_id,
            ChatMessage.id == any_of(message_ids),
            ChatMessage.deleted_at.is_not(None),
        )
        .limit(1)
    )
    return await session.scalar(query) is not None


async def clear_summary_for_org(session: Session, org_id: UUID, room_id: UUID) -> None:
    """Forget a room's running summary."""
    await session.execute(
        update(ChatRoom)
        .where(ChatRoom.org_id == org_id, ChatRoom.id == room_id)
        .values(summary=None, summary_through_id=None)
    )


async def add_messages(session: Session, messages: Sequence[ChatMessage]) -> None:
    """Insert several messages, parents before their children."""
    session.add_all(messages)
    await session.flush()


async def list_messages_for_org(
    session: Session, org_id: UUID, room_id: UUID
) -> Sequence[ChatMessage]:
    """Return the whole tree of a room, the oldest first."""
    query = (
        select(ChatMessage)
        .where(ChatMessage.org_id == org_id, ChatMessage.room_id == room_id)
        .order_by(ChatMessage.created_at, ChatMessage.id)
    )
    return (await session.scalars(query)).all()


async def list_pending_runs_for_org(
    session: Session, org_id: UUID, question_id: UUID
) -> list[UUID]:
    """Return the runs that are answering a question."""
    query = select(ChatMessage.run_id).where(
        ChatMessage.org_id == org_id,
        ChatMessage.parent_id == question_id,
        ChatMessage.state == MessageState.PENDING,
    )
    return [run_id for run_id in await session.scalars(query) if run_id is not None]


async def end_pending_answers_for_org(
    session: Session, org_id: UUID, question_id: UUID
) -> None:
    """Mark the answers to a question incomplete that nobody finishes any more."""
    await session.execute(
        update(ChatMessage)
        .where(
            ChatMessage.org_id == org_id,
            ChatMessage.parent_id == question_id,
            ChatMessage.state == MessageState.PENDING,
        )
        .values(state=MessageState.INCOMPLETE)
    )


async def mark_deleted_for_org(
    session: Session, org_id: UUID, message_id: UUID, deleted_at: datetime
) -> None:
    """Forget what a message said; its place in the tree stays."""
    await session.execute(
        update(ChatMessage)
        .where(ChatMessage.org_id == org_id, ChatMessage.id == message_id)
        .values(
            text="",
            citations=[],
            deleted_at=deleted_at,
            state=case(
                # Nobody finishes it any more.
                (ChatMessage.state == MessageState.PENDING, MessageState.INCOMPLETE),
                else_=ChatMessage.state,
            ),
        )
    )
    await session.execute(
        delete(ChatAttachment).where(
            ChatAttachment.org_id == org_id, ChatAttachment.message_id == message_id
        )
    )
    await session.execute(
        delete(ChatFeedback).where(
            ChatFeedback.org_id == org_id, ChatFeedback.message_id == message_id
        )
    )
