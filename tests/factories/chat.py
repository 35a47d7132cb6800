"""Rooms, personas and messages for tests; they belong to the test's own member."""

from typing import Any
from uuid import UUID

from dossier.chat.constants import ANSWER_JOB, MessageState, RoomKind
from dossier.chat.gateway import messages as gateway
from dossier.chat.models import ChatMessage, ChatRoom, ChatShare, VirtualUser
from dossier.chat.service.messages import MessagesService
from dossier.chat.service.people import PersonasService
from dossier.chat.service.rooms import RoomsService
from dossier.chat.service.shares import SharesService
from dossier.chat.types import RecordedAnswer
from dossier.core.database import SessionFactory, tenant_transaction
from dossier.core.tenancy import Actor
from dossier.jobs.models import Job
from dossier.jobs.service import JobsService

OWNER_ID = UUID("018f0000-0000-7000-8000-0000000000a1")
"""Who asks in tests, unless a test names another."""
MAX_CHARACTERS = 1000
TTL_DAYS = 7


def member_of(org_id: UUID, user_id: UUID = OWNER_ID, name: str = "Mei") -> Actor:
    """Return an actor who may be a member of rooms."""
    return Actor(org_id=org_id, user_id=user_id, role="owner", name=name)


async def make_room(
    sessions: SessionFactory, org_id: UUID, **overrides: Any
) -> ChatRoom:
    """Make a room of the test's own member."""
    values: dict[str, Any] = {"kind": RoomKind.PRIVATE, "title": "Rose cream"}
    actor = overrides.pop("actor", None) or member_of(org_id)
    async with tenant_transaction(sessions, org_id) as session:
        return (
            await RoomsService(session, actor).create_room(**values | overrides)
        ).room


async def make_message(
    sessions: SessionFactory, org_id: UUID, **overrides: Any
) -> ChatMessage:
    """Say something, in a new room unless one is named."""
    actor = overrides.pop("actor", None) or member_of(org_id)
    room_id = overrides.pop("room_id", None)
    if room_id is None:
        room_id = (await make_room(sessions, org_id, actor=actor)).id
    values: dict[str, Any] = {"text": "Is it safe?"} | overrides
    async with tenant_transaction(sessions, org_id) as session:
        service = MessagesService(session, actor, MAX_CHARACTERS)
        return await service.add_user_message(room_id, **values)


async def make_answer(
    sessions: SessionFactory, org_id: UUID, question: ChatMessage, **overrides: Any
) -> ChatMessage:
    """Reserve the place of an answer to a question."""
    actor = overrides.pop("actor", None) or member_of(org_id)
    async with tenant_transaction(sessions, org_id) as session:
        persona = await PersonasService(session, actor).default_persona()
        membership = await RoomsService(session, actor).open_room(question.room_id, "")
        service = MessagesService(session, actor, MAX_CHARACTERS)
        return await service.add_pending_answer(membership, persona, question, None)


async def make_chat_run(sessions: SessionFactory, org_id: UUID) -> Job:
    """Start a run that answers in a new room of the test's own member."""
    room = await make_room(sessions, org_id)
    async with tenant_transaction(sessions, org_id) as session:
        jobs = JobsService(session, member_of(org_id))
        return await jobs.enqueue(ANSWER_JOB, subject_id=room.id)


async def make_virtual_user(sessions: SessionFactory, org_id: UUID) -> VirtualUser:
    """Return the assistant of the test's own member."""
    async with tenant_transaction(sessions, org_id) as session:
        return await PersonasService(session, member_of(org_id)).default_persona()


async def make_share(sessions: SessionFactory, org_id: UUID) -> ChatShare:
    """Share a new room of the test's own member."""
    message = await make_message(sessions, org_id)
    async with tenant_transaction(sessions, org_id) as session:
        service = SharesService(session, member_of(org_id), TTL_DAYS)
        share, _token = await service.share(message.room_id, None, None)
        return share


async def settle(
    sessions: SessionFactory, org_id: UUID, message_id: UUID, text: str, **over: Any
) -> bool:
    """Write what a pending answer came to."""
    values: dict[str, Any] = {
        "state": MessageState.COMPLETE,
        "text": text,
        "citations": [],
        "engine": {"engine": "extractive"},
    }
    async with tenant_transaction(sessions, org_id) as session:
        return await gateway.record_answer_for_org(
            session, org_id, message_id, RecordedAnswer(**values | over)
        )
