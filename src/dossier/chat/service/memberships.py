"""The rooms and messages that one person may see; every other service asks here."""

from uuid import UUID

from dossier.chat.constants import MemberRole
from dossier.chat.exceptions import (
    ChatMessageNotFoundError,
    ChatRoomNotFoundError,
    RoomArchivedError,
    RoomOwnerRequiredError,
)
from dossier.chat.gateway import memberships as gateway
from dossier.chat.gateway.memberships import RoomMembership, SeenMessage
from dossier.core.database import Session
from dossier.core.tenancy import Actor


class Memberships:
    """The rooms where one person is a member."""

    def __init__(self, session: Session, actor: Actor) -> None:
        self._session = session
        self._actor = actor

    async def get(self, room_id: UUID) -> RoomMembership:
        """Return a room with one's membership; a person who is no member gets a 404."""
        found = await gateway.get_membership_for_org(
            self._session, self._actor.org_id, room_id, self._actor.user_id
        )
        if found is None:
            raise ChatRoomNotFoundError(room_id)
        return found

    async def lock(self, room_id: UUID) -> RoomMembership:
        """Return the same with the room's row locked, archived or not."""
        found = await gateway.lock_membership_for_org(
            self._session, self._actor.org_id, room_id, self._actor.user_id
        )
        if found is None:
            raise ChatRoomNotFoundError(room_id)
        return found

    async def lock_open(self, room_id: UUID) -> RoomMembership:
        """Return the same of a room that takes messages."""
        found = await self.lock(room_id)
        if found.room.archived_at is not None:
            detail = (
                "An archived room takes no messages: set `is_archived` to false first."
            )
            raise RoomArchivedError(detail)
        return found

    async def get_as_owner(self, room_id: UUID) -> RoomMembership:
        """Return a room of one's own."""
        found = await self.get(room_id)
        if found.member.role != MemberRole.OWNER:
            detail = "Ask the room's owner to do this, or open a room of your own."
            raise RoomOwnerRequiredError(detail)
        return found

    async def get_message(self, message_id: UUID) -> SeenMessage:
        """Return a message of a room where one is a member."""
        found = await gateway.get_seen_message_for_org(
            self._session, self._actor.org_id, message_id, self._actor.user_id
        )
        if found is None:
            raise ChatMessageNotFoundError(message_id)
        return found
