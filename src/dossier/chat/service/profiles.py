"""One's profile in chat, made when first needed."""

from dossier.activity.service import ActivityService
from dossier.chat.exceptions import ChatMemberNotFoundError
from dossier.chat.gateway import people as gateway
from dossier.chat.models import ChatProfile
from dossier.core.database import Session
from dossier.core.tenancy import Actor

ENTITY = "chat_profile"


class ProfilesService:
    """The profile of whoever asks."""

    def __init__(self, session: Session, actor: Actor) -> None:
        self._session = session
        self._actor = actor
        self._activity = ActivityService(session, actor)

    async def own(self) -> ChatProfile:
        """Return one's profile, made on first use."""
        actor = self._actor
        found = await gateway.get_profile_of_user_for_org(
            self._session, actor.org_id, actor.user_id
        )
        if found is not None:
            return found
        await gateway.add_profile(
            self._session, actor.org_id, actor.user_id, actor.name
        )
        made = await gateway.get_profile_of_user_for_org(
            self._session, actor.org_id, actor.user_id
        )
        if made is None:
            raise ChatMemberNotFoundError(actor.user_id)
        return made
