"""Rooms, members and links as clients send and see them."""

from datetime import datetime
from typing import Self
from uuid import UUID

from pydantic import Field

from dossier.chat.constants import MemberRole, RoomKind, ShareKind
from dossier.chat.models import ChatMember, ChatProfile, ChatShare
from dossier.chat.schemas.people import Line
from dossier.core.schemas import RequestModel, ResponseModel


class RoomCreate(RequestModel):
    """A room to talk in; with a product, answers read only that product's papers."""

    kind: RoomKind = RoomKind.PRIVATE
    title: Line = Field(examples=["Rose cream"])
    product_id: UUID | None = None


class RoomUpdate(RequestModel):
    """Change what is sent of one's own room."""

    title: Line = ""
    product_id: UUID | None = None
    is_archived: bool = False


class RoomResponse(ResponseModel):
    """A room where one is a member."""

    id: UUID
    kind: RoomKind
    title: str
    product_id: UUID | None
    created_at: datetime
    active_at: datetime
    archived_at: datetime | None
    branched_from_id: UUID | None


class MemberCreate(RequestModel):
    """A colleague who is to join."""

    user_id: UUID


class MemberResponse(ResponseModel):
    """A person in a room."""

    user_id: UUID | None
    display_name: str
    role: MemberRole
    joined_at: datetime

    @classmethod
    def of(cls, member: ChatMember, profile: ChatProfile) -> Self:
        """Join the membership with the person."""
        return cls(
            user_id=profile.user_id,
            display_name=profile.display_name,
            role=MemberRole(member.role),
            joined_at=member.created_at,
        )


class MemberList(ResponseModel):
    """The people in a room, in the order of joining."""

    items: list[MemberResponse]


class ShareCreate(RequestModel):
    """A link to the conversation so far, or to one message and its question."""

    message_id: UUID | None = None
    expires_in_days: int | None = Field(None, ge=1, le=365)


class ShareResponse(ResponseModel):
    """A link; its token is told once, when it is made."""

    id: UUID
    room_id: UUID
    message_id: UUID
    kind: ShareKind
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None


class ShareList(ResponseModel):
    """The links of a room, the newest first."""

    items: list[ShareResponse]


class ShareMade(ShareResponse):
    """A new link with its token."""

    token: str
    url: str

    @classmethod
    def of(cls, share: ChatShare, token: str, url: str) -> Self:
        """Join the link with what opens it."""
        shown = ShareResponse.model_validate(share).model_dump()
        return cls(**shown, token=token, url=url)
