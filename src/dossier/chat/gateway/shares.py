"""Every query on shared links."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select

from dossier.chat.models import ChatShare
from dossier.core.database import Session


async def add_share(session: Session, share: ChatShare) -> None:
    """Insert a link."""
    session.add(share)
    await session.flush()


async def list_shares_for_org(
    session: Session, org_id: UUID, room_id: UUID
) -> Sequence[ChatShare]:
    """Return the links of a room, the newest first."""
    query = (
        select(ChatShare)
        .where(ChatShare.org_id == org_id, ChatShare.room_id == room_id)
        .order_by(ChatShare.created_at.desc(), ChatShare.id.desc())
    )
    return (await session.scalars(query)).all()


async def get_share_for_org(
    session: Session, org_id: UUID, share_id: UUID
) -> ChatShare | None:
    """Return one link."""
    query = select(ChatShare).where(
        ChatShare.org_id == org_id, ChatShare.id == share_id
    )
    return (await session.scalars(query)).one_or_none()


async def get_live_share_for_org(
    session: Session, org_id: UUID, token_sha256: str, at: datetime
) -> ChatShare | None:
    """Return the link of a token, unless it has ended."""
    query = select(ChatShare).where(
        ChatShare.org_id == org_id,
        ChatShare.token_sha256 == token_sha256,
        ChatShare.revoked_at.is_(None),
        ChatShare.expires_at > at,
    )
    return (await session.scalars(query)).one_or_none()


async def get_org_of_share_for_system(
    session: Session, token_sha256: str
) -> UUID | None:
    """Return whose link a token opens; the one question asked across organisations.

    Needs no system transaction: the database function answers this and no more.
    """
    return await session.scalar(select(func.chat_share_org(token_sha256)))
