"""Messages: a tree in a room, said by exactly one sender."""

from uuid import UUID

import asyncpg
import pytest
from sqlalchemy.exc import IntegrityError
from tests.factories.chat import make_answer, make_message, make_room, member_of

from dossier.chat.constants import MessageState
from dossier.chat.gateway import messages as gateway
from dossier.chat.models import ChatMessage
from dossier.chat.service.history import HistoryService
from dossier.core.database import Session, SessionFactory


async def test_a_message_goes_to_the_end_of_the_branch(
    sessions: SessionFactory, org_id: UUID
) -> None:
    question = await make_message(sessions, org_id)
    answer = await make_answer(sessions, org_id, question)

    later = await make_message(sessions, org_id, room_id=question.room_id, text="And?")

    assert later.parent_id == answer.id
    assert answer.state is MessageState.PENDING


@pytest.mark.parametrize("senders", ["both", "neither"])
async def test_the_database_takes_exactly_one_sender(
    sessions: SessionFactory, session: Session, org_id: UUID, senders: str
) -> None:
    question = await make_message(sessions, org_id)
    answer = await make_answer(sessions, org_id, question)
    has_sender = senders == "both"
    message = ChatMessage(
        org_id=org_id,
        room_id=question.room_id,
        profile_id=question.profile_id if has_sender else None,
        virtual_user_id=answer.virtual_user_id if has_sender else None,
    )

    with pytest.raises(IntegrityError) as caught:
        async with session.begin_nested():
            await gateway.add_message(session, message)

    cause = caught.value.orig.__cause__ if caught.value.orig else None
    assert isinstance(cause, asyncpg.CheckViolationError)
    assert cause.constraint_name == "ck_chat_messages_one_sender"


async def test_history_has_the_newest_turns_that_fit(
    sessions: SessionFactory, session: Session, org_id: UUID
) -> None:
    room = await make_room(sessions, org_id)
    said = [
        await make_message(sessions, org_id, room_id=room.id, text=text)
        for text in ("一" * 50, "二" * 20, "三" * 20)
    ]
    service = HistoryService(session, member_of(org_id))

    history = await service.history(room.id, said[-1].id, limit_tokens=60)

    assert [turn.text[0] for turn in history.turns] == ["二", "三"]
    assert history.cut_at == said[0].id
