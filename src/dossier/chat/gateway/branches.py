"""Every query along the tree of a room: ends, paths, siblings.

None of them asks who sees a room: services check the membership first.
"""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import BindParameter, Select, bindparam, literal, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import aliased

from dossier.chat.gateway.ids import any_of
from dossier.chat.models import ChatMessage
from dossier.core.database import Session


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
