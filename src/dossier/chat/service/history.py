"""The history of a branch for a prompt: running summary, then the newest turns."""

from collections.abc import Sequence
from uuid import UUID

from dossier.chat.constants import MessageState
from dossier.chat.gateway import messages as message_gateway
from dossier.chat.rules.prompting import HistoryWindow
from dossier.chat.service.branches import senders_of
from dossier.chat.service.rooms import Memberships
from dossier.chat.types import History, Summary, Turn
from dossier.core.database import Session
from dossier.core.tenancy import Actor

STRIDE = 40
"""Messages read at once, walking up a branch."""


class HistoryService:
    """The past of one branch, within a number of tokens."""

    def __init__(self, session: Session, actor: Actor) -> None:
        self._session = session
        self._actor = actor
        self._memberships = Memberships(session, actor)

    async def history(
        self, room_id: UUID, upto_message_id: UUID | None, limit_tokens: int
    ) -> History:
        """Return the branch that ends in a message, this included.

        Messages still pending, failed or deleted are left out. The summary counts
        where it ends on this branch; then no turn before its end is included.
        """
        membership = await self._memberships.get(room_id)
        if upto_message_id is None:
            return History(None, (), None, None)
        room = membership.room
        text, through_id = room.summary, room.summary_through_id
        if through_id is not None and not await message_gateway.has_ancestor_for_org(
            self._session, self._actor.org_id, room.id, upto_message_id, through_id
        ):
            text = through_id = None
        window = HistoryWindow(limit_tokens)
        await self._fill(window, room_id, upto_message_id, through_id)
        return History(
            text, window.turns, window.cut_at, room.summary_through_id, limit_tokens
        )

    async def store_summary(
        self,
        room_id: UUID,
        summary: Summary,
        *,
        after_id: UUID | None,
        turns: Sequence[Turn] = (),
    ) -> bool:
        """Replace the summary that ended in `after_id`; `False` if another did.

        Nor is one stored of turns deleted since: deleting locks the room as well, so
        that one of the two comes first.
        """
        await self._memberships.lock(room_id)
        message_ids = [turn.message_id for turn in turns]
        if await message_gateway.has_deleted_for_org(
            self._session, self._actor.org_id, message_ids
        ):
            return False
        return await message_gateway.replace_summary_for_org(
            self._session, self._actor.org_id, room_id, summary, after_id=after_id
        )

    async def _fill(
        self,
        window: HistoryWindow,
        room_id: UUID,
        leaf_id: UUID,
        through_id: UUID | None,
    ) -> None:
        next_id: UUID | None = leaf_id
        while next_id is not None and window.cut_at is None:
            path = await message_gateway.list_path_for_org(
                self._session, self._actor.org_id, room_id, next_id, STRIDE
            )
            ids = [each.id for each in path]
            after = path[: ids.index(through_id)] if through_id in ids else path
            kept = [
                each
                for each in after
                if each.state in {MessageState.COMPLETE, MessageState.INCOMPLETE}
                and each.deleted_at is None
                and each.text
            ]
            senders = await senders_of(self._session, self._actor.org_id, kept)
            window.add(
                [
                    Turn(
                        each.id,
                        "user" if each.virtual_user_id is None else "assistant",
                        senders.of(each).name,
                        each.text,
                    )
                    for each in kept
                ]
            )
            is_over = len(after) < len(path) or not path
            next_id = None if is_over else path[-1].parent_id
