"""Who works here, for other domains; starts no transaction and commits none."""

from uuid import UUID

from dossier.accounts import gateway
from dossier.accounts.models import Membership
from dossier.core.database import Session
from dossier.core.tenancy import Actor


class Directory:
    """The colleagues of whoever asks: names, and whether they are still here."""

    def __init__(self, session: Session, actor: Actor) -> None:
        self._session = session
        self._actor = actor

    async def find_colleague(self, user_id: UUID) -> Membership | None:
        """Return an active member of the organisation."""
        member = await gateway.get_member_for_org(
            self._session, self._actor.org_id, user_id
        )
        return member if member is not None and member.is_active else None
