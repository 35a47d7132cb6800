"""Profiles in chat, made when first needed."""

from typing import Any
from uuid import UUID

from dossier.accounts.service.members import Directory
from dossier.activity.service import ActivityService
from dossier.chat.exceptions import ChatMemberNotFoundError
from dossier.chat.gateway import people as gateway
from dossier.chat.models import ChatProfile
from dossier.core.database import Session
from dossier.core.tenancy import Actor

ENTITY = "chat_profile"


class ProfilesService:
    """The profile of whoever asks, and those of colleagues who are invited."""

    def __init__(self, session: Session, actor: Actor) -> None:
        self._session = session
        self._actor = actor
        self._activity = ActivityService(session, actor)
        self._own: ChatProfile | None = None

    async def own(self) -> ChatProfile:
        """Return one's profile, made on first use."""
        if self._own is None:
            actor = self._actor
            self._own = await self._get_or_make(actor.user_id, actor.name)
        return self._own

    async def of_colleague(self, user_id: UUID) -> ChatProfile:
        """Return the profile of an active member of the organisation."""
        directory = Directory(self._session, self._actor)
        colleague = await directory.find_colleague(user_id)
        if colleague is None:
            raise ChatMemberNotFoundError(user_id)
        return await self._get_or_make(user_id, colleague.name)

    async def update(self, changes: dict[str, Any]) -> ChatProfile:
        """Change one's own profile."""
        profile = await self.own()
        for name, value in changes.items():
            setattr(profile, name, value)
        await self._activity.record(
            "update", ENTITY, profile.id, details={"changed": sorted(changes)}
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
