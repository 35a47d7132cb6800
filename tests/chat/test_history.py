"""What a model is told of a branch."""

from uuid import UUID

import pytest
from tests.factories.chat import make_answer, make_message, make_room, settle

from dossier.chat.constants import MessageState
from dossier.chat.exceptions import ChatRoomNotFoundError
from dossier.chat.models import ChatMessage
from dossier.chat.service.history import STRIDE, HistoryService
from dossier.chat.service.messages import MessagesService
from dossier.chat.types import Summary
from dossier.core.database import Session, SessionFactory
from dossier.core.tenancy import Actor

ALL_TOKENS = 100_000


@pytest.fixture
def histories(session: Session, actor: Actor) -> HistoryService:
    return HistoryService(session, actor)


async def said(
    sessions: SessionFactory, org_id: UUID, *texts: str
) -> list[ChatMessage]:
    room = await make_room(sessions, org_id)
    return [
        await make_message(sessions, org_id, room_id=room.id, text=each)
        for each in texts
    ]


async def test_history_has_the_newest_turns_that_fit(
    sessions: SessionFactory, histories: HistoryService, org_id: UUID
) -> None:
    first, second, third = await said(sessions, org_id, "一" * 50, "二" * 20, "三" * 20)

    history = await histories.history(third.room_id, third.id, limit_tokens=60)

    assert [turn.message_id for turn in history.turns] == [second.id, third.id]
    assert (history.cut_at, history.summary) == (first.id, None)


async def test_history_names_speakers_and_leaves_out_unfinished_messages(
    sessions: SessionFactory, histories: HistoryService, org_id: UUID
) -> None:
    (question,) = await said(sessions, org_id, "Is it safe?")
    answer = await make_answer(sessions, org_id, question)
    await settle(sessions, org_id, answer.id, "Yes.")
    (again,) = [await make_message(sessions, org_id, room_id=question.room_id)]
    failed = await make_answer(sessions, org_id, again)
    await settle(sessions, org_id, failed.id, "", state=MessageState.FAILED)
    pending = await make_answer(sessions, org_id, again)

    history = await histories.history(question.room_id, pending.id, ALL_TOKENS)

    assert [(t.role, t.name, t.text) for t in history.turns] == [
        ("user", "Mei", "Is it safe?"),
        ("assistant", "Dossier", "Yes."),
        ("user", "Mei", "Is it safe?"),
    ]


async def test_history_is_of_one_branch(
    sessions: SessionFactory, session: Session, histories: HistoryService, actor: Actor
) -> None:
    first, second = await said(sessions, actor.org_id, "a", "b")
    edited = await MessagesService(session, actor, 100).edit_message(second.id, "B")

    history = await histories.history(first.room_id, edited.id, ALL_TOKENS)

    assert [turn.text for turn in history.turns] == ["a", "B"]


async def test_summary_replaces_the_turns_that_it_covers(
    sessions: SessionFactory, histories: HistoryService, org_id: UUID
) -> None:
    first, second, third = await said(sessions, org_id, "a", "b", "c")
    room_id = first.room_id

    stored = await histories.store_summary(
        room_id, Summary("They said a and b.", second.id), after_id=None
    )

    history = await histories.history(room_id, third.id, ALL_TOKENS)
    assert stored
    assert history.summary == "They said a and b."
    assert [turn.text for turn in history.turns] == ["c"]
    assert (history.cut_at, history.replaces_id) == (None, second.id)


async def test_two_summaries_do_not_overwrite_each_other(
    sessions: SessionFactory, histories: HistoryService, org_id: UUID
) -> None:
    first, second = await said(sessions, org_id, "a", "b")

    stored = [
        await histories.store_summary(first.room_id, summary, after_id=None)
        for summary in (Summary("One", first.id), Summary("Two", second.id))
    ]

    assert stored == [True, False]


async def test_summary_of_another_branch_is_left_out(
    sessions: SessionFactory, session: Session, histories: HistoryService, actor: Actor
) -> None:
    first, second = await said(sessions, actor.org_id, "a", "b")
    await histories.store_summary(
        first.room_id, Summary("They said b.", second.id), after_id=None
    )
    edited = await MessagesService(session, actor, 100).edit_message(second.id, "B")

    history = await histories.history(first.room_id, edited.id, ALL_TOKENS)

    assert history.summary is None
    assert [turn.text for turn in history.turns] == ["a", "B"]


async def test_a_summary_of_another_branch_is_replaced(
    sessions: SessionFactory, session: Session, histories: HistoryService, actor: Actor
) -> None:
    first, second = await said(sessions, actor.org_id, "a", "b")
    await histories.store_summary(
        first.room_id, Summary("They said b.", second.id), after_id=None
    )
    edited = await MessagesService(session, actor, 100).edit_message(second.id, "B")
    past = await histories.history(first.room_id, edited.id, ALL_TOKENS)

    is_stored = await histories.store_summary(
        first.room_id, Summary("They said B.", edited.id), after_id=past.replaces_id
    )

    assert is_stored


async def test_message_deleted_while_it_is_summarised_is_left_out(
    sessions: SessionFactory, session: Session, histories: HistoryService, actor: Actor
) -> None:
    first, second = await said(sessions, actor.org_id, "a secret", "b")
    past = await histories.history(first.room_id, second.id, ALL_TOKENS)
    await MessagesService(session, actor, 100).delete_message(first.id)

    is_stored = await histories.store_summary(
        first.room_id,
        Summary("They said a secret.", second.id),
        after_id=past.replaces_id,
        turns=past.turns,
    )

    assert not is_stored


async def test_a_deleted_message_is_forgotten_with_the_summary(
    sessions: SessionFactory, session: Session, histories: HistoryService, actor: Actor
) -> None:
    first, second = await said(sessions, actor.org_id, "a secret", "b")
    summary = Summary("They said a secret.", first.id)
    await histories.store_summary(first.room_id, summary, after_id=None)

    await MessagesService(session, actor, 100).delete_message(first.id)

    history = await histories.history(first.room_id, second.id, ALL_TOKENS)
    assert (history.summary, [t.text for t in history.turns]) == (None, ["b"])


async def test_a_long_branch_is_walked_to_its_beginning(
    sessions: SessionFactory, session: Session, histories: HistoryService, actor: Actor
) -> None:
    (last,) = await said(sessions, actor.org_id, "0")
    copies = [
        ChatMessage(
            org_id=actor.org_id,
            room_id=last.room_id,
            profile_id=last.profile_id,
            text=str(number),
        )
        for number in range(1, 2 * STRIDE)
    ]
    for parent, message in zip([last, *copies], copies, strict=False):
        message.parent_id = parent.id
    session.add_all(copies)
    await session.flush()

    history = await histories.history(last.room_id, copies[-1].id, ALL_TOKENS)

    assert [turn.text for turn in history.turns] == [str(n) for n in range(2 * STRIDE)]


async def test_history_is_refused_to_a_person_who_is_no_member(
    sessions: SessionFactory, session: Session, org_id: UUID
) -> None:
    (message,) = await said(sessions, org_id, "a")

    with pytest.raises(ChatRoomNotFoundError):
        await HistoryService(session, Actor.system(org_id)).history(
            message.room_id, message.id, ALL_TOKENS
        )


async def test_before_the_first_message_there_is_no_history(
    sessions: SessionFactory, histories: HistoryService, org_id: UUID
) -> None:
    (message,) = await said(sessions, org_id, "a")

    history = await histories.history(message.room_id, message.parent_id, ALL_TOKENS)

    assert (history.summary, history.turns) == (None, ())
