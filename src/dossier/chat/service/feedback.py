"""What readers think of messages."""

from uuid import UUID

from dossier.activity.service import ActivityService
from dossier.chat.constants import Rating
from dossier.chat.exceptions import ChatMessageNotFoundError
from dossier.chat.gateway import feedback as gateway
from dossier.chat.models import ChatFeedback
from dossier.chat.service.memberships import Memberships
from dossier.core.database import Session
from dossier.core.tenancy import Actor

ENTITY = "chat_message"


class FeedbackService:
    """One's own opinion of messages that one sees."""

    def __init__(self, session: Session, actor: Actor) -> None:
        self._session = session
        self._actor = actor
        self._memberships = Memberships(session, actor)
        self._activity = ActivityService(session, actor)

    async def rate(
        self, message_id: UUID, rating: Rating, comment: str | None
    ) -> ChatFeedback:
        """Say what one thinks of a message, instead of what one said before."""
        seen = await self._memberships.get_message(message_id)
        if seen.message.deleted_at is not None:
            raise ChatMessageNotFoundError(message_id)
        stored = await gateway.add_feedback(
            self._session,
            ChatFeedback(
                org_id=self._actor.org_id,
                message_id=message_id,
                profile_id=seen.membership.member.profile_id,
                rating=rating,
                comment=comment,
            ),
        )
        await self._record(message_id, rating.value)
        return stored

    async def withdraw(self, message_id: UUID) -> None:
        """Take back what one said, if one did."""
        seen = await self._memberships.get_message(message_id)
        await gateway.delete_feedback_for_org(
            self._session,
            self._actor.org_id,
            message_id,
            seen.membership.member.profile_id,
        )
        await self._record(message_id, "none")

    async def _record(self, message_id: UUID, rating: str) -> None:
        await self._activity.record(
            "update", ENTITY, message_id, details={"rating": rating}
        )
