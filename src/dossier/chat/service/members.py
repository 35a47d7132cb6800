"""Who is in a room: people, and the virtual users that they bring."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from dossier.activity.service import ActivityService
from dossier.chat.constants import MemberRole, RoomKind
from dossier.chat.exceptions import (
    ChatMemberNotFoundError,
    LastRoomOwnerError,
    PrivateRoomError,
    RoomOwnerRequiredError,
    VirtualUserNotFoundError,
)
from dossier.chat.gateway import people as people_gateway
from dossier.chat.gateway import rooms as gateway
from dossier.chat.gateway.memberships import RoomMembership
from dossier.chat.models import ChatMember, ChatProfile, VirtualUser
from dossier.chat.service.memberships import Memberships
from dossier.chat.service.personas import PersonasService
from dossier.chat.service.profiles import ProfilesService
from dossier.core.database import Session
from dossier.core.tenancy import Actor
from dossier.jobs.service import JobsService

ENTITY = "chat_room"


@dataclass(frozen=True, slots=True)
class RoomMember:
    """A person in a room."""

    member: ChatMember
    profile: ChatProfile


class MembersService:
    """The people and virtual users of rooms where whoever asks is a member."""

    def __init__(self, session: Session, actor: Actor) -> None:
        self._session = session
        self._actor = actor
        self._memberships = Memberships(session, actor)
        self._profiles = ProfilesService(session, actor)
        self._personas = PersonasService(session, actor)
        self._activity = ActivityService(session, actor)

    async def list_members(self, room_id: UUID) -> list[RoomMember]:
        """Return the people in a room, in the order of joining."""
        await self._memberships.get(room_id)
        rows = await gateway.list_members_for_org(
            self._session, self._actor.org_id, room_id
        )
        return [RoomMember(member, profile) for member, profile in rows]

    async def add_member(self, room_id: UUID, user_id: UUID) -> tuple[RoomMember, bool]:
        """Bring a colleague into one's group room; tell whether that was new."""
        membership = await self._memberships.get_as_owner(room_id)
        if membership.room.kind == RoomKind.PRIVATE:
            detail = "A private room has one member: invite people into a group room."
            raise PrivateRoomError(detail)
        await self._memberships.lock_open(room_id)
        there = await self._find(room_id, user_id)
        if there is not None:
            return there, False
        profile = await self._profiles.of_colleague(user_id)
        member = ChatMember(
            org_id=self._actor.org_id,
            room_id=room_id,
            profile_id=profile.id,
            role=MemberRole.MEMBER,
        )
        await gateway.add_member(self._session, member)
        await self._record(room_id, member_added=str(user_id))
        return RoomMember(member, profile), True

    async def remove_member(self, room_id: UUID, user_id: UUID) -> None:
        """Take a person out of a room, with the virtual users the person brought.

        Owners take others out, everybody else may go.
        """
        membership = await self._memberships.get(room_id)
        if (
            user_id != self._actor.user_id
            and membership.member.role != MemberRole.OWNER
        ):
            detail = "Only the room's owner removes others; anybody may leave."
            raise RoomOwnerRequiredError(detail)
        found = await self._find(room_id, user_id)
        if found is None:
            raise ChatMemberNotFoundError(user_id)
        if found.member.role == MemberRole.OWNER:
            detail = (
                "The room's owner cannot leave: archive or delete the room instead."
            )
            raise LastRoomOwnerError(detail)
        await gateway.delete_member_for_org(
            self._session, self._actor.org_id, room_id, found.profile.id
        )
        # Streams that the person has open end with the membership.
        jobs = JobsService(self._session, self._actor)
        await jobs.announce_access_change(room_id)
        await self._record(room_id, member_removed=str(user_id))

    async def list_personas(self, room_id: UUID) -> Sequence[VirtualUser]:
        """Return the virtual users in a room."""
        await self._memberships.get(room_id)
        return await people_gateway.list_virtual_users_of_room_for_org(
            self._session, self._actor.org_id, room_id
        )

    async def add_persona(self, room_id: UUID, virtual_user_id: UUID) -> None:
        """Bring one's own virtual user into a room; another person's is not found."""
        await self._memberships.get(room_id)
        persona = await self._personas.get_persona(virtual_user_id)
        is_new = await gateway.add_persona_to_room(
            self._session, self._actor.org_id, room_id, persona.id
        )
        if is_new:
            await self._record(room_id, virtual_user_added=str(persona.id))

    async def remove_persona(self, room_id: UUID, virtual_user_id: UUID) -> None:
        """Take a virtual user out: its owner may, and the room's owner."""
        membership = await self._memberships.get(room_id)
        persona = await self._persona_of(membership, virtual_user_id)
        await gateway.delete_persona_from_room_for_org(
            self._session, self._actor.org_id, room_id, persona.id
        )
        await self._record(room_id, virtual_user_removed=str(persona.id))

    async def _persona_of(
        self, membership: RoomMembership, virtual_user_id: UUID
    ) -> VirtualUser:
        found = await people_gateway.get_persona_in_room_for_org(
            self._session, self._actor.org_id, membership.room.id, virtual_user_id
        )
        if found is None:
            raise VirtualUserNotFoundError(virtual_user_id)
        is_own = found[0].owner_id == membership.member.profile_id
        if not is_own and membership.member.role != MemberRole.OWNER:
            detail = "Ask the room's owner, or its own, to remove this virtual user."
            raise RoomOwnerRequiredError(detail)
        return found[0]

    async def _find(self, room_id: UUID, user_id: UUID) -> RoomMember | None:
        row = await gateway.get_member_for_org(
            self._session, self._actor.org_id, room_id, user_id
        )
        return None if row is None else RoomMember(*row)

    async def _record(self, room_id: UUID, **details: str) -> None:
        await self._activity.record("update", ENTITY, room_id, details=dict(details))
