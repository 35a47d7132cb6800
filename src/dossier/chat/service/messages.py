"""Messages: adding, editing, deleting, rating; those of a room are a tree."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from dossier.activity.service import ActivityService
from dossier.ai.service.cache import AnswerCache
from dossier.chat.constants import RUNS_PATH, MemberRole, MessageState, Rating
from dossier.chat.exceptions import (
    AnswerPendingError,
    AttachmentNotReadyError,
    ChatMessageNotFoundError,
    MessageEmptyError,
    MessageTooLongError,
    NoQuestionError,
    NotYourMessageError,
)
from dossier.chat.gateway import messages as gateway
from dossier.chat.gateway.rooms import RoomMembership
from dossier.chat.models import ChatFeedback, ChatMessage, VirtualUser
from dossier.chat.rules.messages import is_blank, next_instant
from dossier.chat.service.rooms import Memberships
from dossier.chat.service.scopes import ScopesService
from dossier.core.clock import now
from dossier.core.database import Session
from dossier.core.errors import Fault
from dossier.core.tenancy import Actor
from dossier.documents.constants import TextState
from dossier.documents.models import Document
from dossier.documents.service import DocumentsService
from dossier.jobs.service import JobsService


class MessagesService:
    """Messages of rooms where the caller is a member."""

    def __init__(self, session: Session, actor: Actor, max_characters: int) -> None:
        self._session = session
        self._actor = actor
        self._max_characters = max_characters
        self._memberships = Memberships(session, actor)
        self._scopes = ScopesService(session, actor)
        self._documents = DocumentsService(session, actor)
        self._activity = ActivityService(session, actor)

    async def add_user_message(
        self,
        room_id: UUID,
        text: str,
        *,
        parent_id: UUID | None = None,
        document_ids: Sequence[UUID] = (),
    ) -> ChatMessage:
        """Add a message to a room; nothing is stored unless all of it can be."""
        self.check_text(text, "#/text")
        membership = await self._memberships.lock_open(room_id)
        return await self.add_message(
            membership, text, parent_id=parent_id, document_ids=document_ids
        )

    async def add_message(
        self,
        membership: RoomMembership,
        text: str,
        *,
        parent_id: UUID | None = None,
        document_ids: Sequence[UUID] = (),
    ) -> ChatMessage:
        """Store a checked text in a room that is new or locked.

        Without a parent it goes to the end of the branch that was last written on.
        """
        documents = await self._ready_documents(document_ids)
        newest = await self._newest(membership.room.id)
        parent = newest
        if parent_id is not None:
            parent = await self._in_room(membership.room.id, parent_id)
        message = ChatMessage(
            org_id=self._actor.org_id,
            created_at=_after(newest),
            room_id=membership.room.id,
            parent_id=parent.id if parent else None,
            profile_id=membership.member.profile_id,
            text=text,
        )
        await self._add(
            membership, message, {each.id: each.filename for each in documents}
        )
        await self._record("create", message, attachments=len(documents))
        return message

    async def edit_message(self, message_id: UUID, text: str) -> ChatMessage:
        """Change the caller's own message, as a new version beside the earlier.

        What followed the earlier version stays there, as another branch.
        """
        self.check_text(text, "#/text")
        seen = await self._memberships.get_message(message_id)
        earlier = seen.message
        if earlier.deleted_at is not None:
            raise ChatMessageNotFoundError(message_id)
        if earlier.profile_id != seen.membership.member.profile_id:
            detail = "Only its author edits a message; answer it with one of your own."
            raise NotYourMessageError(detail)
        membership = await self._memberships.lock_open(earlier.room_id)
        message = ChatMessage(
            org_id=self._actor.org_id,
            created_at=_after(await self._newest(earlier.room_id)),
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
        """Delete a message's text; its place stays, so that answers keep theirs.

        The room's running summary, the run of an answer and stored answers of the room
        may hold its words: they are deleted too, and a run under way stops, whether it
        writes this message or answers it.
        """
        seen = await self._memberships.get_message(message_id)
        member, message = seen.membership.member, seen.message
        is_answer = message.virtual_user_id is not None
        if is_answer and member.role != MemberRole.OWNER:
            detail = "Only the room's owner deletes what a virtual user wrote."
            raise NotYourMessageError(detail)
        if not is_answer and message.profile_id != member.profile_id:
            detail = "Only its author deletes a message."
            raise NotYourMessageError(detail)
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
        membership: RoomMembership,
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
            created_at=_after(newest),
            room_id=question.room_id,
            parent_id=question.id,
            virtual_user_id=persona.id,
            state=MessageState.PENDING,
            run_id=run_id,
        )
        if not is_new:
            siblings = await gateway.list_siblings_for_org(
                self._session, self._actor.org_id, question.room_id, question.id
            )
            earlier = [each for each in siblings if each.virtual_user_id == persona.id]
            if earlier:
                answer.version = earlier[-1].version + 1
                answer.supersedes_id = earlier[-1].id
        await gateway.add_message(self._session, answer)
        return answer

    async def prepare_regeneration(
        self, message_id: UUID
    ) -> tuple[RoomMembership, ChatMessage, ChatMessage | None]:
        """Lock the room; return it, the question to answer anew, its earlier answer.

        The message is a question or an answer; only an answer is returned as earlier
        one. Raises while an answer to the question is pending.
        """
        seen = await self._memberships.get_message(message_id)
        membership = await self._memberships.lock_open(seen.message.room_id)
        question, earlier = seen.message, None
        if question.virtual_user_id is not None:
            earlier = question
            if earlier.parent_id is None:
                detail = "This message answers no question: ask one with POST /chat."
                raise NoQuestionError(detail)
            question = await self._in_room(earlier.room_id, earlier.parent_id)
        if question.deleted_at is not None:
            detail = "The question was deleted: ask it again."
            raise NoQuestionError(detail)
        answers = await gateway.list_siblings_for_org(
            self._session, self._actor.org_id, question.room_id, question.id
        )
        for answer in answers:
            if answer.state == MessageState.PENDING:
                detail = (
                    f"The answer of run {answer.run_id} is still being written: wait "
                    "for its end, or stop it with "
                    f"POST {RUNS_PATH}/{answer.run_id}/cancel."
                )
                raise AnswerPendingError(detail)
        return membership, question, earlier

    def check_text(self, text: str, pointer: str) -> None:
        """Raise unless a text can be said."""
        if is_blank(text):
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

    async def _newest(self, room_id: UUID) -> ChatMessage | None:
        return await gateway.get_newest_message_for_org(
            self._session, self._actor.org_id, room_id
        )

    async def _add(
        self, membership: RoomMembership, message: ChatMessage, sent: Mapping[UUID, str]
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
        """Record a change of a message, never its text."""
        await self._activity.record(
            action,
            "chat_message",
            message.id,
            details={"room_id": str(message.room_id), **details},
        )


def _after(newest: ChatMessage | None) -> datetime:
    return next_instant(now(), newest.created_at if newest else None)


class FeedbackService:
    """The caller's ratings of messages."""

    def __init__(self, session: Session, actor: Actor) -> None:
        self._session = session
        self._actor = actor
        self._memberships = Memberships(session, actor)
        self._activity = ActivityService(session, actor)

    async def rate(
        self, message_id: UUID, rating: Rating, comment: str | None
    ) -> ChatFeedback:
        """Rate a message, in place of an earlier rating."""
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
        """Withdraw the rating, if there is one."""
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
            "update", "chat_message", message_id, details={"rating": rating}
        )
