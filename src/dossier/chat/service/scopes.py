"""What a virtual user may read: no more than its owner and the asker may."""

from uuid import UUID

from dossier.accounts.service.members import MemberLookup
from dossier.chat.exceptions import VirtualUserNotFoundError
from dossier.chat.gateway import messages as message_gateway
from dossier.chat.gateway import people as people_gateway
from dossier.chat.gateway import rooms as room_gateway
from dossier.chat.gateway.rooms import RoomMembership
from dossier.chat.models import ChatRoom, VirtualUser
from dossier.chat.service.rooms import Memberships
from dossier.chat.types import AnswerScope
from dossier.core.database import Session
from dossier.core.tenancy import Actor

PATH_MESSAGES = 200
"""How far back attachments are looked for."""


class ScopesService:
    """Joins the rights of the asker with those of a virtual user's owner."""

    def __init__(self, session: Session, actor: Actor) -> None:
        self._session = session
        self._actor = actor
        self._memberships = Memberships(session, actor)
        self._directory = MemberLookup(session, actor)

    async def admit(self, membership: RoomMembership, persona: VirtualUser) -> None:
        """Add the caller's virtual user to a room; another person's must be in it."""
        if persona.owner_id != membership.member.profile_id:
            await self.scope_at(membership, persona.id)
            return
        if persona.retired_at is not None:
            raise VirtualUserNotFoundError(persona.id)
        await room_gateway.add_persona_to_room(
            self._session, self._actor.org_id, membership.room.id, persona.id
        )

    async def scope_at(
        self,
        membership: RoomMembership,
        persona_id: UUID,
        *,
        leaf_id: UUID | None = None,
    ) -> tuple[VirtualUser, AnswerScope]:
        """Return the virtual user and what its answer in this room may be made from.

        The virtual user must have joined, and its owner must be a member who still
        works here; otherwise there is nothing to read.
        """
        room = membership.room
        found = await people_gateway.get_persona_in_room_for_org(
            self._session, self._actor.org_id, room.id, persona_id
        )
        if found is None:
            raise VirtualUserNotFoundError(persona_id)
        persona, owner = found
        if (
            owner.user_id is not None
            and owner.user_id != self._actor.user_id
            and await self._directory.find_colleague(owner.user_id) is None
        ):
            raise VirtualUserNotFoundError(persona_id)
        attached = await self._attached(room, leaf_id)
        return persona, AnswerScope(room.product_id, attached)

    async def _attached(self, room: ChatRoom, leaf_id: UUID | None) -> tuple[UUID, ...]:
        if leaf_id is None:
            return ()
        path = await message_gateway.list_path_for_org(
            self._session, self._actor.org_id, room.id, leaf_id, PATH_MESSAGES
        )
        sent = await message_gateway.list_attachments_for_org(
            self._session, self._actor.org_id, [each.id for each in path]
        )
        place = {each.id: position for position, each in enumerate(path)}
        latest = sorted(sent, key=lambda each: place[each.message_id])
        return tuple(dict.fromkeys(each.document_id for each in latest))
