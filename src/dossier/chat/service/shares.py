"""Links that show a conversation to anybody who has them, until they expire."""

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from dossier.accounts.service.members import MemberLookup
from dossier.activity.service import ActivityService
from dossier.chat.constants import MAX_PATH, MessageState, ShareKind
from dossier.chat.exceptions import (
    AnswerPendingError,
    ChatMessageNotFoundError,
    ChatRoomNotFoundError,
    ChatShareNotFoundError,
    NothingToShareError,
)
from dossier.chat.gateway import messages as message_gateway
from dossier.chat.gateway import rooms as room_gateway
from dossier.chat.models import ChatMessage, ChatShare
from dossier.chat.schemas import SharedMessage, SharedResponse
from dossier.chat.service.branches import views_of
from dossier.chat.service.rooms import Memberships
from dossier.core.clock import now
from dossier.core.database import Session, SessionFactory, tenant_transaction
from dossier.core.tenancy import Actor

NOBODY = UUID(int=0)
"""An organisation that is none: its transaction sees no rows."""
MANAGES_SHARES: Final = ("owner", "admin")
HOLDER = "holder of a link"
TOKEN_BYTES: Final = 32
SHARED_CITATION_FIELDS: Final = (
    *("number", "mark_start", "mark_end"),
    *("filename", "page", "label", "quote"),
)
"""Members of a citation that strangers see: no ids."""


def new_token() -> str:
    """Return a token that cannot be guessed."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def token_sha256(token: str) -> str:
    """Return what is stored of a token; found by it, a link leaks nothing by timing."""
    return hashlib.sha256(token.encode()).hexdigest()


def shown_citation(citation: Mapping[str, Any]) -> dict[str, Any]:
    """Return a citation as strangers see it."""
    return {name: citation.get(name) for name in SHARED_CITATION_FIELDS}


class SharesService:
    """The links of rooms that the caller owns."""

    def __init__(self, session: Session, actor: Actor, ttl_days: int) -> None:
        self._session = session
        self._actor = actor
        self._ttl_days = ttl_days
        self._memberships = Memberships(session, actor)
        self._activity = ActivityService(session, actor)

    async def share(
        self, room_id: UUID, message_id: UUID | None, expires_in_days: int | None
    ) -> tuple[ChatShare, str]:
        """Make a link to the room so far, or to one message; return also its token."""
        membership = await self._memberships.get_as_owner(room_id)
        last = await self._last_shown(room_id, message_id)
        token = new_token()
        share = ChatShare(
            org_id=self._actor.org_id,
            room_id=room_id,
            message_id=last.id,
            kind=ShareKind.MESSAGE if message_id else ShareKind.ROOM,
            token_sha256=token_sha256(token),
            expires_at=now() + timedelta(days=expires_in_days or self._ttl_days),
            created_by=membership.member.profile_id,
        )
        await room_gateway.add_share(self._session, share)
        await self._record("create", share)
        return share, token

    async def list_shares(self, room_id: UUID) -> Sequence[ChatShare]:
        """Return the links of a room."""
        await self._memberships.get_as_owner(room_id)
        return await room_gateway.list_shares_for_org(
            self._session, self._actor.org_id, room_id
        )

    async def list_all(self) -> list[tuple[ChatShare, str]]:
        """Return the organisation's links that have not ended, with their makers."""
        self._actor.require(*MANAGES_SHARES)
        return await room_gateway.list_live_shares_for_org(
            self._session, self._actor.org_id, now()
        )

    async def revoke(self, share_id: UUID) -> None:
        """End a link now: the room's owner may, and the organisation's admins."""
        share = await room_gateway.get_share_for_org(
            self._session, self._actor.org_id, share_id
        )
        if share is None:
            raise ChatShareNotFoundError(share_id)
        if self._actor.role not in MANAGES_SHARES:
            try:
                await self._memberships.get_as_owner(share.room_id)
            except ChatRoomNotFoundError as exc:
                raise ChatShareNotFoundError(share_id) from exc
        if share.revoked_at is None:
            share.revoked_at = now()
            await self._record("delete", share)

    async def _last_shown(self, room_id: UUID, message_id: UUID | None) -> ChatMessage:
        org_id = self._actor.org_id
        if message_id is None:
            newest = await message_gateway.get_newest_message_for_org(
                self._session, org_id, room_id
            )
            if newest is None:
                detail = "Send a message first, then share the room."
                raise NothingToShareError(detail)
            return newest
        message = await message_gateway.get_message_for_org(
            self._session, org_id, room_id, message_id
        )
        if message is None or message.deleted_at is not None:
            raise ChatMessageNotFoundError(message_id)
        if message.state == MessageState.PENDING:
            detail = "This answer is still being written: share it when it is complete."
            raise AnswerPendingError(detail)
        return message

    async def _record(self, action: str, share: ChatShare) -> None:
        await self._activity.record(
            action,
            "chat_share",
            share.id,
            details={
                "room_id": str(share.room_id),
                "kind": ShareKind(share.kind).value,
                "expires_at": share.expires_at.isoformat(),
            },
        )


class SharedReader:
    """Reads what a link shows; nobody is logged in, the token is all there is.

    Opens its own transactions: one asks whose the token is and sees nothing else, the
    other is the organisation's own.
    """

    def __init__(self, sessions: SessionFactory) -> None:
        self._sessions = sessions

    async def open(self, token: str) -> SharedResponse:
        """Return what the link shows; expired and unknown ones give the same 404."""
        digest = token_sha256(token)
        async with tenant_transaction(self._sessions, NOBODY) as session:
            org_id = await room_gateway.get_org_of_share_for_system(session, digest)
        if org_id is None:
            raise ChatShareNotFoundError
        async with tenant_transaction(self._sessions, org_id) as session:
            share = await room_gateway.get_live_share_for_org(
                session, org_id, digest, now()
            )
            if share is None:
                raise ChatShareNotFoundError
            room = await room_gateway.get_room_for_org(session, org_id, share.room_id)
            messages = await _messages(session, share)
            if room is None or not messages:
                raise ChatShareNotFoundError
            holder = Actor(org_id=org_id, user_id=None, role="viewer", name=HOLDER)
            await _require_live(session, holder, share, messages)
            await ActivityService(session, holder).record(
                "view", "chat_share", share.id
            )
            views = await views_of(session, org_id, messages, None)
        shown = [
            {
                "sender": view.sender,
                "text": view.text,
                "created_at": view.created_at,
                "citations": [shown_citation(each) for each in view.citations],
            }
            for view in views
        ]
        return SharedResponse(
            title=room.title,
            kind=ShareKind(share.kind),
            expires_at=share.expires_at,
            messages=[SharedMessage.model_validate(each) for each in shown],
        )


async def _require_live(
    session: Session, holder: Actor, share: ChatShare, messages: Sequence[ChatMessage]
) -> None:
    """Raise where the link's maker was deactivated, or a cited document is gone.

    Asked at each reading, so that no other domain needs to know of links.
    """
    maker_id = await room_gateway.get_maker_of_share_for_org(
        session, share.org_id, share.created_by
    )
    if maker_id is not None:
        members = MemberLookup(session, holder)
        if await members.find_colleague(maker_id) is None:
            raise ChatShareNotFoundError
    cited = {
        UUID(citation["document_id"])
        for message in messages
        for citation in message.citations
    }
    readable = await room_gateway.count_readable_documents_for_org(
        session, share.org_id, cited
    )
    if readable < len(cited):
        raise ChatShareNotFoundError


async def _messages(session: Session, share: ChatShare) -> list[ChatMessage]:
    """Return what is shown, the oldest first: neither deleted nor empty messages."""
    is_whole = share.kind == ShareKind.ROOM
    path = await message_gateway.list_path_for_org(
        session,
        share.org_id,
        share.room_id,
        share.message_id,
        MAX_PATH if is_whole else 2,
    )
    if not is_whole and path[:1] and not _is_shown(path[0]):
        return []
    if not is_whole and path[:1] and path[0].virtual_user_id is None:
        path = path[:1]  # a person's message is no answer: it is shown alone
    return [each for each in reversed(path) if _is_shown(each)]


def _is_shown(message: ChatMessage) -> bool:
    return message.deleted_at is None and bool(message.text)
