"""Every query on messages: paths, siblings, attachments and what settles answers.

None of them asks who sees a room: services take the seat first.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import insert, literal, select, update
from sqlalchemy.orm import aliased

from dossier.chat.constants import MessageState, SettledAnswer, Summary
from dossier.chat.models import ChatAttachment, ChatMessage, ChatRoom
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


async def get_newest_message_for_org(
    session: Session, org_id: UUID, room_id: UUID
) -> ChatMessage | None:
    """Return the end of the branch that somebody last wrote on."""
    query = (
        select(ChatMessage)
        .where(ChatMessage.org_id == org_id, ChatMessage.room_id == room_id)
        .order_by(ChatMessage.created_at.desc(), ChatMessage.id.desc())
        .limit(1)
    )
    return (await session.scalars(query)).one_or_none()


async def list_path_for_org(
    session: Session, org_id: UUID, room_id: UUID, leaf_id: UUID, limit: int
) -> Sequence[ChatMessage]:
    """Return the branch that ends in a message, its end first."""
    message = aliased(ChatMessage)
    path = (
        select(ChatMessage.id, ChatMessage.parent_id, literal(1).label("depth"))
        .where(
            ChatMessage.org_id == org_id,
            ChatMessage.room_id == room_id,
            ChatMessage.id == leaf_id,
        )
        .cte("path", recursive=True)
    )
    path = path.union_all(
        select(message.id, message.parent_id, path.c.depth + 1).where(
            message.org_id == org_id,
            message.room_id == room_id,
            message.id == path.c.parent_id,
            path.c.depth < limit,
        )
    )
    query = (
        select(ChatMessage)
        .join(path, path.c.id == ChatMessage.id)
        .where(ChatMessage.org_id == org_id)
        .order_by(path.c.depth)
    )
    return (await session.scalars(query)).all()


async def list_siblings_for_org(
    session: Session, org_id: UUID, room_id: UUID, parent_id: UUID | None
) -> Sequence[ChatMessage]:
    """Return the messages with one parent, the oldest first."""
    query = (
        select(ChatMessage)
        .where(
            ChatMessage.org_id == org_id,
            ChatMessage.room_id == room_id,
            ChatMessage.parent_id.is_not_distinct_from(parent_id),
        )
        .order_by(ChatMessage.created_at, ChatMessage.id)
    )
    return (await session.scalars(query)).all()


async def list_attachments_for_org(
    session: Session, org_id: UUID, message_ids: Sequence[UUID]
) -> Sequence[ChatAttachment]:
    """Return what was sent with several messages."""
    query = (
        select(ChatAttachment)
        .where(
            ChatAttachment.org_id == org_id,
            ChatAttachment.message_id.in_(message_ids),
        )
        .order_by(ChatAttachment.message_id, ChatAttachment.filename)
    )
    return (await session.scalars(query)).all()


async def settle_answer_for_org(
    session: Session, org_id: UUID, message_id: UUID, settled: SettledAnswer
) -> bool:
    """Write what a pending answer came to, once; tell whether it was pending."""
    statement = (
        update(ChatMessage)
        .where(
            ChatMessage.org_id == org_id,
            ChatMessage.id == message_id,
            ChatMessage.state == MessageState.PENDING,
            ChatMessage.deleted_at.is_(None),
        )
        .values(
            state=settled.state,
            text=settled.text,
            citations=settled.citations,
            engine=settled.engine,
            dropped_claims=settled.dropped_claims,
        )
        .returning(ChatMessage.id)
    )
    return await session.scalar(statement) is not None


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


async def has_ancestor_for_org(
    session: Session, org_id: UUID, room_id: UUID, leaf_id: UUID, ancestor_id: UUID
) -> bool:
    """Tell whether a message stands on the branch that ends in another."""
    message = aliased(ChatMessage)
    path = (
        select(ChatMessage.id, ChatMessage.parent_id)
        .where(
            ChatMessage.org_id == org_id,
            ChatMessage.room_id == room_id,
            ChatMessage.id == leaf_id,
        )
        .cte("path", recursive=True)
    )
    path = path.union_all(
        select(message.id, message.parent_id).where(
            message.org_id == org_id,
            message.room_id == room_id,
            message.id == path.c.parent_id,
            path.c.id != ancestor_id,
        )
    )
    found = await session.scalar(select(path.c.id).where(path.c.id == ancestor_id))
    return found is not None
