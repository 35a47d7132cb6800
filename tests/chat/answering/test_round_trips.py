"""How often an answer goes to the database: that decides when its first word comes."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import event
from tests.chat.answering.conftest import Chat

from dossier.chat.exceptions import ChatRoomNotFoundError
from dossier.chat.gateway.openings import GONE, room_as_read
from dossier.chat.models import ChatRoomPersona
from dossier.chat.service.answers import Question
from dossier.chat.service.answers_opening import Writing, read_opening, write_opening
from dossier.core.clock import now
from dossier.core.creates import Condition, create_for
from dossier.core.database import Engine
from dossier.core.models import new_id
from dossier.core.reads import read_for
from dossier.core.settings import Settings

QUESTION = "What is the shelf life of the rose cream?"
BESIDE = (
    # Of a transaction; the binding of its tenant goes with it.
    *("begin", "BEGIN", "commit", "COMMIT", "select set_config("),
    # What a process stores for all its runs together, now and then.
    *("with lease as", "select pg_notify("),
    # What the driver asks of a new connection.
    *("SELECT current_setting('jit')", "WITH RECURSIVE typeinfo_tree"),
)


@pytest.fixture
def chat_settings(chat_settings: Settings) -> Settings:
    """A long lease: nobody looks for lost runs, by the clock, while we count."""
    runs = chat_settings.runs.model_copy(update={"lease_s": 600})
    return chat_settings.model_copy(update={"runs": runs})


class Trips:
    """The statements of one pool, in their order."""

    def __init__(self) -> None:
        self.statements: list[str] = []

    def take(self, record: Any) -> None:
        self.statements.append(" ".join(record.query.split()))

    def of_asking(self) -> list[str]:
        """Leave out what goes on beside it, or frames it."""
        return [each for each in self.statements if not each.startswith(BESIDE)]


@contextmanager
def counted(pool: Engine) -> Iterator[Trips]:
    """Count what goes over the wire of every connection of a pool."""
    trips, drivers = Trips(), []

    def checked_out(driver: Any, *_rest: Any) -> None:
        raw = driver.driver_connection
        raw.add_query_logger(trips.take)
        drivers.append(raw)

    event.listen(pool.sync_engine, "checkout", checked_out)
    try:
        yield trips
    finally:
        event.remove(pool.sync_engine, "checkout", checked_out)
        for raw in drivers:
            raw.remove_query_logger(trips.take)


def prepared(trips: Trips, pool: Engine) -> Any:
    """What goes through SQLAlchemy is prepared, and no query logger sees it."""

    def executed(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        trips.statements.append(" ".join(statement.split()))

    event.listen(pool.sync_engine, "before_cursor_execute", executed)
    return executed


async def spent(chat: Chat, pool: Engine, **question: Any) -> list[str]:
    """Ask once more than needed, so that all is prepared; count the second time."""
    await chat.answer(QUESTION, **question)
    with counted(pool) as trips:
        executed = prepared(trips, pool)
        try:
            await chat.answer(QUESTION, **question)
            await asyncio.sleep(0)  # the driver tells in the next turn
        finally:
            event.remove(pool.sync_engine, "before_cursor_execute", executed)
    return trips.of_asking()


async def transactions(chat: Chat, pool: Engine, **question: Any) -> list[str]:
    """Ask once more than needed; return what frames transactions, and what ends."""
    await chat.answer(QUESTION, **question)
    with counted(pool) as trips:
        await chat.answer(QUESTION, **question)
        await asyncio.sleep(0)  # the driver tells in the next turn
    told = [each for each in trips.statements if not each.startswith("with lease as")]
    return [found for each in told if (found := _framed(each))]


def _framed(statement: str) -> str:
    if statement == "commit":
        return statement
    wanted = ("begin;", "row_0", "update runs", "update ai_calls")
    return next((each for each in wanted if each in statement), "")


async def test_stored_answer_is_two_commits(talking: Chat, chat_pool: Engine) -> None:
    framed = await transactions(talking, chat_pool)

    assert framed == ["row_0", "begin;", "update runs", "commit"]


async def test_stored_answer_takes_few_round_trips(
    talking: Chat, chat_pool: Engine
) -> None:
    await talking.answer(QUESTION)

    statements = await spent(talking, chat_pool)

    assert len(statements) == 6, statements


async def test_questions_at_once_in_one_room_stand_one_after_the_other(
    talking: Chat,
) -> None:
    opened = await talking.answer(QUESTION, grounding="none")
    room = opened["chat_room_id"]

    async with asyncio.TaskGroup() as group:
        for number in range(5):
            asked = talking.answer(f"No. {number}", grounding="none", chat_room_id=room)
            group.create_task(asked)

    messages = await talking.get(f"/rooms/{room}/messages")
    questions = [m for m in messages["items"] if m["sender"]["kind"] == "user"]
    assert sorted(m["text"] for m in questions) == sorted(
        [QUESTION, *(f"No. {number}" for number in range(5))]
    )
    assert {m["state"] for m in messages["items"]} == {"complete"}


async def written_late(chat: Chat, room: str, change: Callable[[], Any]) -> bool:
    """Read around a question, let something happen, then write."""
    question = Question(message="And now?", room_id=UUID(room))
    reads = read_for(chat.sessions, chat.actor)
    opening = await read_opening(reads, chat.actor, question, UUID(room))
    assert opening is not None
    await change()
    creates = create_for(chat.sessions, chat.actor)
    writing = Writing(creates, chat.actor, chat.engine.holder)
    draft = await writing.draft(question, UUID(room))
    _asked, condition = await write_opening(writing, draft, opening)
    return await creates.store(condition)


async def test_room_that_changed_since_it_was_read_is_read_again(talking: Chat) -> None:
    room = (await talking.answer(QUESTION, grounding="none"))["chat_room_id"]

    async def speak() -> None:
        await talking.answer("Wait!", grounding="none", chat_room_id=room)

    assert not await written_late(talking, room, speak)


async def test_room_that_was_deleted_since_it_was_read_stays_deleted(
    talking: Chat,
) -> None:
    room = (await talking.answer(QUESTION, grounding="none"))["chat_room_id"]

    async def delete() -> None:
        await talking.client.delete(f"/api/v1/chat/rooms/{room}")

    assert not await written_late(talking, room, delete)


async def test_room_that_vanishes_while_the_question_is_written_stays_gone(
    talking: Chat,
) -> None:
    """The row that is proposed for it can be no room."""
    creates = create_for(talking.sessions, talking.actor)
    profile = await talking.get("/profile")
    room_id = new_id()
    row = {"room_id": room_id, "profile_id": UUID(profile["id"]), "active_at": now()}
    sql, args = room_as_read(row, now())
    without_seat = sql.replace("cross join lateral", "left join lateral")
    creates.add(
        ChatRoomPersona(
            org_id=talking.org_id,
            room_id=room_id,
            virtual_user_id=new_id(),
            joined_at=now(),
        ),
        {GONE: ChatRoomNotFoundError(room_id)},
    )

    with pytest.raises(ChatRoomNotFoundError):
        await creates.store(
            Condition(without_seat.replace(") member\n", ") member on true\n"), args)
        )
