"""Queries on messages: their tree, attachments, answers and feedback.

None of them asks who sees a room: services check the membership first.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BindParameter,
    CollectionAggregate,
    Select,
    Uuid,
    any_,
    bindparam,
    case,
    delete,
    func,
    insert,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, distinct_on
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import aliased

from dossier.chat.constants import MessageState
from dossier.chat.models import (
    ChatAttachment,
    ChatFeedback,
    ChatMember,
    ChatMessage,
    ChatProfile,
    ChatRoom,
)
from dossier.chat.rules.questions import LONGEST_QUESTION
from dossier.chat.rules.replies import REFUSALS
from dossier.chat.types import RecordedAnswer, Summary
from dossier.core.database import Session


def any_of(ids: Sequence[UUID]) -> CollectionAggregate[bool]:
    """Return what a column equals where it is one of these ids."""
    # One parameter, however many there are; the protocol counts them in 16 bits.
    return any_(literal(list(ids), ARRAY(Uuid)))


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


async def replace_summary_for_org(
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
    """Return whether one of several messages was deleted."""
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
    """Mark the pending answers to a question incomplete: their jobs are deleted."""
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
                # Its job is deleted with it.
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


def _path() -> Select[ChatMessage]:
    """Return the query of a branch; to build it takes 4 ms, so it is kept."""
    message = aliased(ChatMessage)
    org_id: BindParameter[UUID] = bindparam("org_id")
    room_id: BindParameter[UUID] = bindparam("room_id")
    path = (
        select(ChatMessage.id, ChatMessage.parent_id, literal(1).label("depth"))
        .where(
            ChatMessage.org_id == org_id,
            ChatMessage.room_id == room_id,
            ChatMessage.id == bindparam("leaf_id"),
        )
        .cte("path", recursive=True)
    )
    path = path.union_all(
        select(message.id, message.parent_id, path.c.depth + 1).where(
            message.org_id == org_id,
            message.room_id == room_id,
            message.id == path.c.parent_id,
            path.c.depth < bindparam("limit"),
        )
    )
    return (
        select(ChatMessage)
        .join(path, path.c.id == ChatMessage.id)
        .where(ChatMessage.org_id == org_id)
        .order_by(path.c.depth)
    )


_PATH = _path()


async def get_newest_message_for_org(
    session: Session, org_id: UUID, room_id: UUID
) -> ChatMessage | None:
    """Return the newest message of a room: the end of the branch last written on."""
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
    wanted = {"org_id": org_id, "room_id": room_id, "leaf_id": leaf_id, "limit": limit}
    return (await session.scalars(_PATH, wanted)).all()


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


async def has_ancestor_for_org(
    session: Session, org_id: UUID, room_id: UUID, leaf_id: UUID, ancestor_id: UUID
) -> bool:
    """Return whether a message is on the branch that ends in another."""
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


async def list_leaves_for_org(
    session: Session, org_id: UUID, room_id: UUID, message_ids: Sequence[UUID]
) -> dict[UUID, UUID]:
    """Return for each message the newest end of the branches that begin with it."""
    message = aliased(ChatMessage)
    below = (
        select(ChatMessage.id.label("root_id"), ChatMessage.id, ChatMessage.created_at)
        .where(
            ChatMessage.org_id == org_id,
            ChatMessage.room_id == room_id,
            ChatMessage.id == any_of(message_ids),
        )
        .cte("below", recursive=True)
    )
    below = below.union_all(
        select(below.c.root_id, message.id, message.created_at).where(
            message.org_id == org_id,
            message.room_id == room_id,
            message.parent_id == below.c.id,
        )
    )
    query = (
        select(below.c.root_id, below.c.id)
        .ext(distinct_on(below.c.root_id))
        .order_by(below.c.root_id, below.c.created_at.desc(), below.c.id.desc())
    )
    return {row[0]: row[1] for row in await session.execute(query)}


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
