"""Virtual users: personas that belong to one person and answer in rooms."""

from uuid import UUID

from dossier.activity.service import ActivityService
from dossier.chat.exceptions import VirtualUserNotFoundError
from dossier.chat.gateway import people as gateway
from dossier.chat.models import VirtualUser
from dossier.chat.service.profiles import ProfilesService
from dossier.core.database import Session
from dossier.core.tenancy import Actor

ENTITY = "virtual_user"


class PersonasService:
    """The virtual users of whoever asks; nobody sees another person's."""

    def __init__(self, session: Session, actor: Actor) -> None:
        self._session = session
        self._actor = actor
        self._profiles = ProfilesService(session, actor)
        self._activity = ActivityService(session, actor)

    async def default_persona(self) -> VirtualUser:
        """Return one's assistant, made on first use."""
        org_id = self._actor.org_id
        owner = await self._profiles.own()
        found = await gateway.get_default_virtual_user_for_org(
            self._session, org_id, owner.id
        )
        if found is not None:
            return found
        await gateway.add_default_virtual_user(self._session, org_id, owner.id)
        made = await gateway.get_default_virtual_user_for_org(
            self._session, org_id, owner.id
        )
        if made is None:
            raise VirtualUserNotFoundError(owner.id)
        return made

    async def get_persona(self, virtual_user_id: UUID) -> VirtualUser:
        """Return one of one's own virtual users."""
        owner = await self._profiles.own()
        found = await gateway.get_virtual_user_for_org(
            self._session, self._actor.org_id, virtual_user_id, owner.id
        )
        if found is None:
            raise VirtualUserNotFoundError(virtual_user_id)
        return found
