"""Profiles of people in chat, and the virtual users that belong to them."""

from typing import Any
from uuid import UUID

from dossier.accounts.service.members import MemberLookup
from dossier.activity.service import ActivityService
from dossier.chat.exceptions import (
    ChatMemberNotFoundError,
    DefaultVirtualUserError,
    VirtualUserNotFoundError,
)
from dossier.chat.gateway import people as gateway
from dossier.chat.gateway import rooms as room_gateway
from dossier.chat.models import ChatProfile, VirtualUser
from dossier.core.clock import now
from dossier.core.database import Session
from dossier.core.pagination import PageParams, Slice
from dossier.core.tenancy import Actor

PROFILE_ENTITY = "chat_profile"


class ProfilesService:
    """The profile of the caller, and those of colleagues who are invited."""

    def __init__(self, session: Session, actor: Actor) -> None:
        self._session = session
        self._actor = actor
        self._activity = ActivityService(session, actor)
        self._own: ChatProfile | None = None

    async def own(self) -> ChatProfile:
        """Return the caller's profile, made on first use."""
        if self._own is None:
            actor = self._actor
            self._own = await self._get_or_make(actor.user_id, actor.name)
        return self._own

    async def of_colleague(self, user_id: UUID) -> ChatProfile:
        """Return the profile of an active member of the organisation."""
        directory = MemberLookup(self._session, self._actor)
        colleague = await directory.find_colleague(user_id)
        if colleague is None:
            raise ChatMemberNotFoundError(user_id)
        return await self._get_or_make(user_id, colleague.name)

    async def update(self, changes: dict[str, Any]) -> ChatProfile:
        """Change the caller's own profile."""
        profile = await self.own()
        for name, value in changes.items():
            setattr(profile, name, value)
        await self._activity.record(
            "update", PROFILE_ENTITY, profile.id, details={"changed": sorted(changes)}
        )
        return profile

    async def _get_or_make(self, user_id: UUID | None, name: str) -> ChatProfile:
        org_id = self._actor.org_id
        found = await gateway.get_profile_of_user_for_org(
            self._session, org_id, user_id
        )
        if found is not None:
            return found
        await gateway.add_profile(self._session, org_id, user_id, name)
        made = await gateway.get_profile_of_user_for_org(self._session, org_id, user_id)
        if made is None:
            raise ChatMemberNotFoundError(user_id)
        return made


PERSONA_ENTITY = "virtual_user"


class PersonasService:
    """The virtual users of the caller; another person's are not found."""

    def __init__(self, session: Session, actor: Actor) -> None:
        self._session = session
        self._actor = actor
        self._profiles = ProfilesService(session, actor)
        self._default: VirtualUser | None = None
        self._activity = ActivityService(session, actor)

    async def default_persona(self) -> VirtualUser:
        """Return the caller's assistant, made on first use."""
        if self._default is None:
            self._default = await self._find_default()
        if self._default is None:
            owner = await self._profiles.own()
            await gateway.add_default_virtual_user(
                self._session, self._actor.org_id, owner.id
            )
            self._default = await self._find_default()
            if self._default is None:
                raise VirtualUserNotFoundError(owner.id)
        return self._default

    async def _find_default(self) -> VirtualUser | None:
        return await gateway.get_assistant_of_user_for_org(
            self._session, self._actor.org_id, self._actor.user_id
        )

    async def get_persona(self, virtual_user_id: UUID) -> VirtualUser:
        """Return one of the caller's own virtual users."""
        owner = await self._profiles.own()
        found = await gateway.get_virtual_user_for_org(
            self._session, self._actor.org_id, virtual_user_id, owner.id
        )
        if found is None:
            raise VirtualUserNotFoundError(virtual_user_id)
        return found

    async def list_personas(self, page: PageParams) -> Slice[VirtualUser]:
        """Return one page of the caller's virtual users, the newest first."""
        default = await self.default_persona()
        return await gateway.list_virtual_users_for_org(
            self._session, self._actor.org_id, default.owner_id, page
        )

    async def create_persona(self, values: dict[str, Any]) -> VirtualUser:
        """Make a virtual user of the caller."""
        owner = await self._profiles.own()
        made = VirtualUser(org_id=self._actor.org_id, owner_id=owner.id, **values)
        await gateway.add_virtual_user(self._session, made)
        await self._record("create", made)
        return made

    async def update_persona(
        self, virtual_user_id: UUID, changes: dict[str, Any]
    ) -> VirtualUser:
        """Change the fields that were sent of the caller's own virtual user."""
        persona = await self.get_persona(virtual_user_id)
        for name, value in changes.items():
            setattr(persona, name, value)
        await self._record("update", persona, changed=sorted(changes))
        return persona

    async def retire_persona(self, virtual_user_id: UUID) -> None:
        """Retire a virtual user from all rooms; its messages stay."""
        persona = await self.get_persona(virtual_user_id)
        if persona.is_default:
            detail = "Your own assistant cannot be retired: change it instead."
            raise DefaultVirtualUserError(detail)
        persona.retired_at = now()
        await room_gateway.delete_personas_from_rooms_for_org(
            self._session, self._actor.org_id, persona.id
        )
        await self._record("delete", persona)

    async def _record(
        self, action: str, persona: VirtualUser, **details: list[str]
    ) -> None:
        await self._activity.record(
            action, PERSONA_ENTITY, persona.id, details=dict(details)
        )
