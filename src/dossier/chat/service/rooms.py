"""Rooms: opening, listing, renaming, archiving, deleting."""

from uuid import UUID

from dossier.activity.service import ActivityService
from dossier.chat.constants import MemberRole, RoomKind
from dossier.chat.gateway import rooms as gateway
from dossier.chat.gateway.seats import Seat
from dossier.chat.models import ChatMember, ChatRoom
from dossier.chat.rules import wording
from dossier.chat.service.personas import PersonasService
from dossier.chat.service.profiles import ProfilesService
from dossier.chat.service.seats import Seats
from dossier.core.database import Session
from dossier.core.tenancy import Actor
from dossier.documents.service import DocumentsService
from dossier.products.service import ProductsService

ENTITY = "chat_room"


class RoomsService:
    """The rooms of whoever asks."""

    def __init__(self, session: Session, actor: Actor) -> None:
        self._session = session
        self._actor = actor
        self._seats = Seats(session, actor)
        self._profiles = ProfilesService(session, actor)
        self._personas = PersonasService(session, actor)
        self._activity = ActivityService(session, actor)

    async def open_room(
        self, room_id: UUID | None, words: str, product_id: UUID | None = None
    ) -> Seat:
        """Return a room; where none is named, a new private one for these words."""
        if room_id is not None:
            return await self._seats.lock(room_id)
        title = wording.title_of(words)
        return await self.create_room(RoomKind.PRIVATE, title, product_id)

    async def create_room(
        self, kind: RoomKind, title: str, product_id: UUID | None = None
    ) -> Seat:
        """Make a room with oneself as its owner and one's assistant in it."""
        await self._require_product(product_id)
        owner = await self._profiles.own()
        persona = await self._personas.default_persona()
        org_id = self._actor.org_id
        room = ChatRoom(
            org_id=org_id,
            kind=kind,
            title=title,
            created_by=owner.id,
            product_id=product_id,
        )
        await gateway.add_room(self._session, room)
        member = ChatMember(
            org_id=org_id,
            room_id=room.id,
            profile_id=owner.id,
            role=MemberRole.OWNER,
        )
        await gateway.add_member(self._session, member)
        await gateway.add_persona_to_room(self._session, org_id, room.id, persona.id)
        await self._activity.record(
            "create", ENTITY, room.id, details={"kind": kind.value}
        )
        return Seat(room, member)

    async def _require_product(self, product_id: UUID | None) -> None:
        if product_id is not None:
            documents = DocumentsService(self._session, self._actor)
            products = ProductsService(self._session, self._actor, documents)
            await products.get_product(product_id)
