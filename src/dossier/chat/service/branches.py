"""Reading a room: one branch at a time, and what stands beside a message."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from dossier.activity.service import ActivityService
from dossier.chat.constants import MAX_PATH, MessageState, RoomKind
from dossier.chat.exceptions import ChatMessageNotFoundError
from dossier.chat.gateway import branches as branch_gateway
from dossier.chat.gateway import messages as gateway
from dossier.chat.models import ChatMessage, ChatRoom
from dossier.chat.service.memberships import Memberships
from dossier.chat.service.rooms import RoomsService
from dossier.chat.service.views import MessageView, views_of
from dossier.core.database import Session
from dossier.core.models import new_id
from dossier.core.tenancy import Actor

ENTITY = "chat_room"


@dataclass(frozen=True, slots=True)
class MessagePage:
    """Part of a branch, its end first, and where the earlier part ends."""

    items: list[MessageView]
    next_cursor: UUID | None


@dataclass(frozen=True, slots=True)
class Branch:
    """A message that stands beside others, and the newest end behind it."""

    message: MessageView
    leaf_id: UUID


class BranchesService:
    """The branches of rooms where whoever asks is a member."""

    def __init__(self, session: Session, actor: Actor) -> None:
        self._session = session
        self._actor = actor
        self._memberships = Memberships(session, actor)
        self._rooms = RoomsService(session, actor)
        self._activity = ActivityService(session, actor)

    async def page(
        self, room_id: UUID, leaf_id: UUID | None, limit: int
    ) -> MessagePage:
        """Return the branch up to a message; without one, that last written on."""
        membership = await self._memberships.get(room_id)
        path = await self._path(room_id, leaf_id, limit + 1)
        items = await self._views(path[:limit], membership.member.profile_id)
        return MessagePage(items, path[limit].id if len(path) > limit else None)

    async def get_message(self, message_id: UUID) -> MessageView:
        """Return one message."""
        seen = await self._memberships.get_message(message_id)
        return await self.view(seen.message, seen.membership.member.profile_id)

    async def view(self, message: ChatMessage, reader_id: UUID | None) -> MessageView:
        """Return a message as a reader sees it."""
        return (await self._views([message], reader_id))[0]

    async def siblings(self, message_id: UUID) -> list[Branch]:
        """Return the versions that stand in a message's place, the oldest first."""
        seen = await self._memberships.get_message(message_id)
        beside = await branch_gateway.list_siblings_for_org(
            self._session,
            self._actor.org_id,
            seen.message.room_id,
            seen.message.parent_id,
        )
        views = await self._views(beside, seen.membership.member.profile_id)
        leaves = await branch_gateway.list_leaves_for_org(
            self._session,
            self._actor.org_id,
            seen.message.room_id,
            [each.id for each in beside],
        )
        return [Branch(each, leaves[each.id]) for each in views]

    async def branch_off(self, message_id: UUID, title: str | None) -> ChatRoom:
        """Go on elsewhere: a private room of one's own, with the branch so far."""
        seen = await self._memberships.get_message(message_id)
        origin = seen.membership.room
        path = await self._path(origin.id, message_id, MAX_PATH)
        made = await self._rooms.create_room(
            RoomKind.PRIVATE, title or origin.title, origin.product_id
        )
        made.room.branched_from_id = message_id
        await self._copy(list(reversed(path)), made.room)
        return made.room

    async def _copy(self, path: Sequence[ChatMessage], room: ChatRoom) -> None:
        """Copy messages, so that neither room changes with the other."""
        new_ids = {each.id: new_id() for each in path}
        copies = [_copied(each, room, new_ids) for each in path]
        await gateway.add_messages(self._session, copies)
        sent = await gateway.list_attachments_for_org(
            self._session, self._actor.org_id, list(new_ids)
        )
        rows = [
            {
                "org_id": each.org_id,
                "message_id": new_ids[each.message_id],
                "document_id": each.document_id,
                "filename": each.filename,
            }
            for each in sent
        ]
        await gateway.add_attachments(self._session, rows)

    async def _path(
        self, room_id: UUID, leaf_id: UUID | None, limit: int
    ) -> Sequence[ChatMessage]:
        org_id = self._actor.org_id
        if leaf_id is None:
            newest = await branch_gateway.get_newest_message_for_org(
                self._session, org_id, room_id
            )
            if newest is None:
                return ()
            leaf_id = newest.id
        path = await branch_gateway.list_path_for_org(
            self._session, org_id, room_id, leaf_id, limit
        )
        if not path:
            raise ChatMessageNotFoundError(leaf_id)
        return path

    async def _views(
        self, messages: Sequence[ChatMessage], reader_id: UUID | None
    ) -> list[MessageView]:
        return await views_of(self._session, self._actor.org_id, messages, reader_id)


def _copied(
    message: ChatMessage, room: ChatRoom, new_ids: dict[UUID, UUID]
) -> ChatMessage:
    is_pending = message.state == MessageState.PENDING  # nobody will finish the copy
    return ChatMessage(
        id=new_ids[message.id],
        org_id=message.org_id,
        created_at=message.created_at,
        room_id=room.id,
        parent_id=new_ids.get(message.parent_id) if message.parent_id else None,
        profile_id=message.profile_id,
        virtual_user_id=message.virtual_user_id,
        text=message.text,
        state=MessageState.INCOMPLETE if is_pending else message.state,
        citations=message.citations,
        engine=message.engine,
        dropped_claims=message.dropped_claims,
        version=message.version,
        edited_at=message.edited_at,
        deleted_at=message.deleted_at,
    )
