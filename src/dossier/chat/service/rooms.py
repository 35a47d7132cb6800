"""Rooms and who is in them: people, and the virtual users that they bring."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from dossier.activity.service import ActivityService
from dossier.ai.service.cache import AnswerCache
from dossier.chat.constants import MemberRole, RoomKind
from dossier.chat.exceptions import (
    ChatMemberNotFoundError,
    ChatMessageNotFoundError,
    ChatRoomNotFoundError,
    LastRoomOwnerError,
    PrivateRoomError,
    RoomArchivedError,
    RoomOwnerRequiredError,
    VirtualUserNotFoundError,
)
from dossier.chat.gateway import people as people_gateway
from dossier.chat.gateway import rooms as gateway
from dossier.chat.gateway.rooms import RoomMembership, SeenMessage
from dossier.chat.models import ChatMember, ChatProfile, ChatRoom, VirtualUser
from dossier.chat.rules.messages import title_of
from dossier.chat.service.people import PersonasService, ProfilesService
from dossier.core.clock import now
from dossier.core.database import Session
from dossier.core.pagination import PageParams, Slice
from dossier.core.reads import Row, TenantReader
from dossier.core.tenancy import Actor
from dossier.documents.service import DocumentsService
from dossier.jobs.service import JobsService
from dossier.products.service.products import ProductsService


class Memberships:
    """The rooms where one person is a member."""

    def __init__(self, session: Session, actor: Actor) -> None:
        self._session = session
        self._actor = actor

    async def get(self, room_id: UUID) -> RoomMembership:
        """Return a room with the caller's membership; 404 for one who is no member."""
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
        """Return a room that the caller owns."""
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


async def list_rooms(
    reader: TenantReader, page: PageParams, *, is_archived: bool
) -> Slice[Row]:
    """Return one page of the caller's rooms, the last used first."""
    return await gateway.list_rooms_for_org(
        reader, reader.org_id, reader.actor.user_id, page, is_archived=is_archived
    )


async def read_room(reader: TenantReader, room_id: UUID) -> Row:
    """Return a room where one is a member, or raise."""
    room = await gateway.read_room_for_org(
        reader, reader.org_id, room_id, reader.actor.user_id
    )
    if room is None:
        raise ChatRoomNotFoundError(room_id)
    return room


class RoomsService:
    """The rooms of the caller."""

    def __init__(self, session: Session, actor: Actor) -> None:
        self._session = session
        self._actor = actor
        self._memberships = Memberships(session, actor)
        self.personas = PersonasService(session, actor)
        self._activity = ActivityService(session, actor)

    async def open_room(
        self, room_id: UUID | None, words: str, product_id: UUID | None = None
    ) -> RoomMembership:
        """Return a room; where none is named, a new private one for these words."""
        if room_id is not None:
            return await self._memberships.lock_open(room_id)
        return await self.create_room(RoomKind.PRIVATE, title_of(words), product_id)

    async def create_room(
        self, kind: RoomKind, title: str, product_id: UUID | None = None
    ) -> RoomMembership:
        """Make a room with the caller as its owner and the caller's assistant in it."""
        await self._require_product(product_id)
        persona = await self.personas.default_persona()
        org_id = self._actor.org_id
        room = ChatRoom(
            org_id=org_id,
            kind=kind,
            title=title,
            created_by=persona.owner_id,
            product_id=product_id,
        )
        await gateway.add_room(self._session, room)
        member = ChatMember(
            org_id=org_id,
            room_id=room.id,
            profile_id=persona.owner_id,
            role=MemberRole.OWNER,
        )
        await gateway.add_member(self._session, member)
        await gateway.add_persona_to_room(self._session, org_id, room.id, persona.id)
        await self._record("create", room)
        return RoomMembership(room, member)

    async def get_room(self, room_id: UUID) -> ChatRoom:
        """Return a room where one is a member."""
        return (await self._memberships.get(room_id)).room

    async def update_room(self, room_id: UUID, changes: dict[str, Any]) -> ChatRoom:
        """Rename, archive, bring back, or limit a room to another product."""
        room = (await self._memberships.get_as_owner(room_id)).room
        await self._require_product(changes.get("product_id"))
        changed = sorted(changes)
        if "is_archived" in changes:
            room.archived_at = now() if changes.pop("is_archived") else None
        for name, value in changes.items():
            setattr(room, name, value)
        await self._record("update", room, changed=changed)
        return room

    async def delete_room(self, room_id: UUID) -> None:
        """Delete a room with its messages, links, attachments, runs and stored answers.

        Answers being written there stop. Jobs are deleted before messages, in the order
        in which a worker locks them, so that neither waits for the other.
        """
        room = (await self._memberships.get_as_owner(room_id)).room
        await self._memberships.lock(room_id)  # no question is added meanwhile
        jobs = JobsService(self._session, self._actor)
        await jobs.delete_jobs_of_subject(room_id)
        await AnswerCache(self._session, self._actor).forget({"room_id": room_id})
        await gateway.delete_room_for_org(self._session, self._actor.org_id, room.id)
        await self._record("delete", room)

    async def _record(self, action: str, room: ChatRoom, **details: Any) -> None:
        """Record an activity without the title, which may be a question's words."""
        recorded = {"kind": RoomKind(room.kind).value, **details}
        await self._activity.record(action, "chat_room", room.id, details=recorded)

    async def _require_product(self, product_id: UUID | None) -> None:
        if product_id is not None:
            documents = DocumentsService(self._session, self._actor)
            products = ProductsService(self._session, self._actor, documents)
            await products.get_product(product_id)


@dataclass(frozen=True, slots=True)
class RoomMember:
    """A person in a room."""

    member: ChatMember
    profile: ChatProfile


class MembersService:
    """The people and virtual users of rooms where the caller is a member."""

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
        """Add a colleague to the caller's group room; return whether that is new."""
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
        """Add the caller's own virtual user to a room; another's is not found."""
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
        found = await people_gateway.get_persona_in_room_for_org(
            self._session, self._actor.org_id, room_id, virtual_user_id
        )
        if found is None:
            raise VirtualUserNotFoundError(virtual_user_id)
        persona, _profile = found
        is_own = persona.owner_id == membership.member.profile_id
        if not is_own and membership.member.role != MemberRole.OWNER:
            detail = "Ask the room's owner, or its own, to remove this virtual user."
            raise RoomOwnerRequiredError(detail)
        await gateway.delete_persona_from_room_for_org(
            self._session, self._actor.org_id, room_id, persona.id
        )
        await self._record(room_id, virtual_user_removed=str(persona.id))

    async def _find(self, room_id: UUID, user_id: UUID) -> RoomMember | None:
        row = await gateway.get_member_for_org(
            self._session, self._actor.org_id, room_id, user_id
        )
        return None if row is None else RoomMember(*row)

    async def _record(self, room_id: UUID, **details: str) -> None:
        await self._activity.record(
            "update", "chat_room", room_id, details=dict(details)
        )
