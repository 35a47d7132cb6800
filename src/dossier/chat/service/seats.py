"""Who may do what in which room; every other service asks here first."""

from uuid import UUID

from dossier.chat.constants import MemberRole
from dossier.chat.exceptions import (
    ChatMessageNotFoundError,
    ChatRoomNotFoundError,
    RoomArchivedError,
    RoomOwnerRequiredError,
)
from dossier.chat.gateway import seats as gateway
from dossier.chat.gateway.seats import Seat, SeenMessage
from dossier.core.database import Session
from dossier.core.tenancy import Actor


class Seats:
    """The rooms in which one person is a member."""

    def __init__(self, session: Session, actor: Actor) -> None:
        self._session = session
        self._actor = actor

    async def take(self, room_id: UUID) -> Seat:
        """Return a room; whoever is no member does not find it."""
        seat = await gateway.get_seat_for_org(
            self._session, self._actor.org_id, room_id, self._actor.user_id
        )
        if seat is None:
            raise ChatRoomNotFoundError(room_id)
        return seat

    async def lock(self, room_id: UUID) -> Seat:
        """Return a room that takes messages, to which nobody else adds meanwhile."""
        seat = await self.hold(room_id)
        if seat.room.archived_at is not None:
            raise RoomArchivedError
        return seat

    async def hold(self, room_id: UUID) -> Seat:
        """Return a room, archived or not, that nobody else changes meanwhile."""
        seat = await gateway.lock_seat_for_org(
            self._session, self._actor.org_id, room_id, self._actor.user_id
        )
        if seat is None:
            raise ChatRoomNotFoundError(room_id)
        return seat

    async def take_as_owner(self, room_id: UUID) -> Seat:
        """Return a room of one's own."""
        seat = await self.take(room_id)
        if seat.member.role != MemberRole.OWNER:
            raise RoomOwnerRequiredError
        return seat

    async def see(self, message_id: UUID) -> SeenMessage:
        """Return a message; whoever is no member of its room does not find it."""
        seen = await gateway.get_seen_message_for_org(
            self._session, self._actor.org_id, message_id, self._actor.user_id
        )
        if seen is None:
            raise ChatMessageNotFoundError(message_id)
        return seen
