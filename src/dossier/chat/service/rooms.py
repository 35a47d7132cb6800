"""Rooms: opening, listing, renaming, archiving, deleting."""

from typing import Any
from uuid import UUID

from dossier.activity.service import ActivityService
from dossier.ai.service.cache import AnswerCache
from dossier.chat.constants import MemberRole, RoomKind
from dossier.chat.exceptions import ChatRoomNotFoundError
from dossier.chat.gateway import rooms as gateway
from dossier.chat.gateway.memberships import Membership
from dossier.chat.models import ChatMember, ChatRoom
from dossier.chat.rules import wording
from dossier.chat.service.memberships import Memberships
from dossier.chat.service.personas import PersonasService
from dossier.core.clock import now
from dossier.core.database import Session
from dossier.core.pagination import PageParams, Slice
from dossier.core.reads import Row, TenantReader
from dossier.core.tenancy import Actor
from dossier.documents.service import DocumentsService
from dossier.jobs.service import JobsService
from dossier.products.service import ProductsService

ENTITY = "chat_room"


async def list_rooms(
    reader: TenantReader, page: PageParams, *, is_archived: bool
) -> Slice[Row]:
    """Return one page of one's rooms, the last used first."""
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
    """The rooms of whoever asks."""

    def __init__(self, session: Session, actor: Actor) -> None:
        self._session = session
        self._actor = actor
        self._memberships = Memberships(session, actor)
        self.personas = PersonasService(session, actor)
        self._activity = ActivityService(session, actor)

    async def open_room(
        self, room_id: UUID | None, words: str, product_id: UUID | None = None
    ) -> Membership:
        """Return a room; where none is named, a new private one for these words."""
        if room_id is not None:
            return await self._memberships.lock_open(room_id)
        title = wording.title_of(words)
        return await self.create_room(RoomKind.PRIVATE, title, product_id)

    async def create_room(
        self, kind: RoomKind, title: str, product_id: UUID | None = None
    ) -> Membership:
        """Make a room with oneself as its owner and one's assistant in it."""
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
        return Membership(room, member)

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

        Whatever still writes an answer there stops. Runs go before messages, as where
        an answer is settled, so that neither waits for the other.
        """
        room = (await self._memberships.get_as_owner(room_id)).room
        await self._memberships.lock(room_id)  # nobody asks meanwhile
        jobs = JobsService(self._session, self._actor)
        await jobs.delete_jobs_of_subject(room_id)
        await AnswerCache(self._session, self._actor).forget({"room_id": room_id})
        await gateway.delete_room_for_org(self._session, self._actor.org_id, room.id)
        await self._record("delete", room)

    async def _record(self, action: str, room: ChatRoom, **details: Any) -> None:
        """Record an activity without the title, which may be somebody's words."""
        recorded = {"kind": RoomKind(room.kind).value, **details}
        await self._activity.record(action, ENTITY, room.id, details=recorded)

    async def _require_product(self, product_id: UUID | None) -> None:
        if product_id is not None:
            documents = DocumentsService(self._session, self._actor)
            products = ProductsService(self._session, self._actor, documents)
            await products.get_product(product_id)
