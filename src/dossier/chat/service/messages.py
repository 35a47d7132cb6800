"""Messages: saying, answering, editing; every room's are a tree."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from dossier.activity.service import ActivityService
from dossier.ai.service.cache import AnswerCache
from dossier.chat.constants import MemberRole, MessageState
from dossier.chat.exceptions import (
    AnswerPendingError,
    AttachmentNotReadyError,
    ChatMessageNotFoundError,
    MessageEmptyError,
    MessageTooLongError,
    NoQuestionError,
    NotYourMessageError,
)
from dossier.chat.gateway import branches as branch_gateway
from dossier.chat.gateway import messages as gateway
from dossier.chat.gateway.memberships import Membership, SeenMessage
from dossier.chat.models import ChatMessage, VirtualUser
from dossier.chat.rules import wording
from dossier.chat.rules.order import next_instant
from dossier.chat.service.memberships import Memberships
from dossier.chat.service.scopes import ScopesService
from dossier.core.clock import now
from dossier.core.database import Session
from dossier.core.errors import Fault
from dossier.core.tenancy import Actor
from dossier.documents.constants import TextState
from dossier.documents.models import Document
from dossier.documents.service import DocumentsService
from dossier.jobs.service import JobsService

ENTITY = "chat_message"


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What somebody is about to say.

    Without a parent it goes to the end of the branch that was last written on.
    """

    text: str
    parent_id: UUID | None = None
    document_ids: tuple[UUID, ...] = ()
    pointer: str = "#/text"
    """Where the request has the text, for problems with it."""


@dataclass(frozen=True, slots=True)
class Regeneration:
    """A question that is to be answered anew."""

    membership: Membership
    question: ChatMessage
    earlier: ChatMessage | None
    """The answer that the new one stands beside."""


class MessagesService:
    """What is said in rooms where whoever asks is a member."""

    def __init__(self, session: Session, actor: Actor, max_characters: int) -> None:
        self._session = session
        self._actor = actor
        self._max_characters = max_characters
        self._memberships = Memberships(session, actor)
        self._scopes = ScopesService(session, actor)
        self._documents = DocumentsService(session, actor)
        self._activity = ActivityService(session, actor)

    async def add_user_message(self, room_id: UUID, draft: Draft) -> ChatMessage:
        """Say something in a room; nothing is stored unless all of it can be."""
        self.check_text(draft.text, draft.pointer)
        return await self.say(await self._memberships.lock_open(room_id), draft)

    async def say(self, membership: Membership, draft: Draft) -> ChatMessage:
        """Store a checked text in a room that is new or locked."""
        documents = await self._ready_documents(draft.document_ids)
        newest = await self._newest(membership.room.id)
        parent = newest
        if draft.parent_id is not None:
            parent = await self._in_room(membership.room.id, draft.parent_id)
        message = ChatMessage(
            org_id=self._actor.org_id,
            created_at=_behind(newest),
            room_id=membership.room.id,
            parent_id=parent.id if parent else None,
            profile_id=membership.member.profile_id,
            text=draft.text,
        )
        await self._add(
            membership, message, {each.id: each.filename for each in documents}
        )
        await self._record("create", message, attachments=len(documents))
        return message

    async def edit_message(
        self, message_id: UUID, text: str, pointer: str = "#/text"
    ) -> ChatMessage:
        """Say one's own message in other words.

        The new version stands beside the earlier one; what was said after that
        stays there, as another branch.
        """
        self.check_text(text, pointer)
        earlier = await self._own(message_id)
        membership = await self._memberships.lock_open(earlier.room_id)
        message = ChatMessage(
            org_id=self._actor.org_id,
            created_at=_behind(await self._newest(earlier.room_id)),
            room_id=earlier.room_id,
            parent_id=earlier.parent_id,
            profile_id=earlier.profile_id,
            text=text,
            version=earlier.version + 1,
            supersedes_id=earlier.id,
            edited_at=now(),
        )
        sent = await gateway.list_attachments_for_org(
            self._session, self._actor.org_id, [earlier.id]
        )
        await self._add(membership, message, {e.document_id: e.filename for e in sent})
        await self._record("update", message, version=message.version)
        return message

    async def delete_message(self, message_id: UUID) -> None:
        """Forget what one said; its place stays, so that answers keep theirs.

        The room's running summary, the run of an answer and stored answers of the room
        may hold its words: they are deleted too, and a run under way stops, whether it
        writes this message or answers it.
        """
        seen = await self._memberships.get_message(message_id)
        if not _may_delete(seen):
            raise NotYourMessageError
        await self._memberships.lock(seen.message.room_id)
        jobs, org_id = JobsService(self._session, self._actor), self._actor.org_id
        run_ids = await gateway.list_pending_runs_for_org(
            self._session, org_id, message_id
        )
        if seen.message.run_id is not None:
            run_ids.append(seen.message.run_id)
        for run_id in run_ids:
            await jobs.delete_job(run_id)
        # After the jobs, in the order in which a worker locks them.
        await gateway.end_pending_answers_for_org(self._session, org_id, message_id)
        await AnswerCache(self._session, self._actor).forget(
            {"room_id": seen.message.room_id}
        )
        await gateway.mark_deleted_for_org(
            self._session, self._actor.org_id, message_id, now()
        )
        await gateway.clear_summary_for_org(
            self._session, self._actor.org_id, seen.message.room_id
        )
        await self._record("delete", seen.message)

    async def add_pending_answer(
        self,
        membership: Membership,
        persona: VirtualUser,
        question: ChatMessage,
        run_id: UUID | None,
        *,
        is_new: bool = False,
    ) -> ChatMessage:
        """Store the place of an answer in a room that is new or locked.

        `is_new`: the question was just stored, so that it is the room's newest message
        and has no other answer.
        """
        await self._scopes.admit(membership, persona)
        newest = question if is_new else await self._newest(membership.room.id)
        answer = ChatMessage(
            org_id=question.org_id,
            created_at=_behind(newest),
            room_id=question.room_id,
            parent_id=question.id,
            virtual_user_id=persona.id,
            state=MessageState.PENDING,
            run_id=run_id,
        )
        if not is_new:
            await self._number(answer)
        await gateway.add_message(self._session, answer)
        return answer

    async def prepare_regeneration(self, message_id: UUID) -> Regeneration:
        """Lock the room, and return what is to be answered anew.

        That is a question itself, or the question of an answer.
        """
        seen = await self._memberships.get_message(message_id)
        membership = await self._memberships.lock_open(seen.message.room_id)
        if seen.message.virtual_user_id is not None:
            return await self._anew(membership, seen.message)
        if seen.message.deleted_at is not None:
            raise NoQuestionError
        return Regeneration(membership, seen.message, None)

    async def _anew(self, membership: Membership, answer: ChatMessage) -> Regeneration:
        if answer.state == MessageState.PENDING:
            raise AnswerPendingError
        if answer.parent_id is None:
            raise NoQuestionError
        question = await self._in_room(answer.room_id, answer.parent_id)
        if question.deleted_at is not None:
            raise NoQuestionError
        return Regeneration(membership, question, answer)

    def check_text(self, text: str, pointer: str) -> None:
        """Raise unless a text can be said."""
        if wording.is_blank(text):
            detail = "A message needs words."
            fault = Fault(pointer, detail, "message_empty")
            raise MessageEmptyError(detail, faults=(fault,))
        if len(text) > self._max_characters:
            detail = f"At most {self._max_characters} characters; it has {len(text)}."
            fault = Fault(pointer, detail, "message_too_long")
            raise MessageTooLongError(detail, faults=(fault,))

    async def _ready_documents(self, document_ids: Sequence[UUID]) -> list[Document]:
        found = [
            await self._documents.get_document(each)
            for each in dict.fromkeys(document_ids)
        ]
        faults = [
            Fault(
                f"#/document_ids/{document_ids.index(document.id)}",
                f"{document.filename} is still being read.",
                "attachment_not_ready",
            )
            for document in found
            if document.text_state == TextState.PENDING
        ]
        if faults:
            detail = " ".join([*(each.detail for each in faults), "Nothing was sent."])
            raise AttachmentNotReadyError(detail, faults=tuple(faults))
        return found

    async def _in_room(self, room_id: UUID, message_id: UUID) -> ChatMessage:
        found = await gateway.get_message_for_org(
            self._session, self._actor.org_id, room_id, message_id
        )
        if found is None:
            raise ChatMessageNotFoundError(message_id)
        return found

    async def _number(self, message: ChatMessage) -> None:
        """Set the version where the same virtual user answered the same before."""
        siblings = await branch_gateway.list_siblings_for_org(
            self._session, self._actor.org_id, message.room_id, message.parent_id
        )
        speaker_id = message.virtual_user_id
        earlier = [each for each in siblings if each.virtual_user_id == speaker_id]
        if earlier:
            message.version = earlier[-1].version + 1
            message.supersedes_id = earlier[-1].id

    async def _newest(self, room_id: UUID) -> ChatMessage | None:
        return await branch_gateway.get_newest_message_for_org(
            self._session, self._actor.org_id, room_id
        )

    async def _own(self, message_id: UUID) -> ChatMessage:
        seen = await self._memberships.get_message(message_id)
        if seen.message.deleted_at is not None:
            raise ChatMessageNotFoundError(message_id)
        if seen.message.profile_id != seen.membership.member.profile_id:
            raise NotYourMessageError
        return seen.message

    async def _add(
        self, membership: Membership, message: ChatMessage, sent: Mapping[UUID, str]
    ) -> None:
        await gateway.add_message(self._session, message)
        rows = [
            {
                "org_id": message.org_id,
                "message_id": message.id,
                "document_id": document_id,
                "filename": filename,
            }
            for document_id, filename in sent.items()
        ]
        await gateway.add_attachments(self._session, rows)
        membership.room.active_at = message.created_at

    async def _record(self, action: str, message: ChatMessage, **details: int) -> None:
        """Record in the activity log that something was said, never what."""
        await self._activity.record(
            action,
            ENTITY,
            message.id,
            details={"room_id": str(message.room_id), **details},
        )


def _may_delete(seen: SeenMessage) -> bool:
    """Authors forget what they said; the room's owner, what virtual users said."""
    member, message = seen.membership.member, seen.message
    if message.virtual_user_id is not None:
        return member.role == MemberRole.OWNER
    return message.profile_id == member.profile_id


def _behind(newest: ChatMessage | None) -> datetime:
    return next_instant(now(), newest.created_at if newest else None)
