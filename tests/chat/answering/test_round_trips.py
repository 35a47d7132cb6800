"""How often an answer goes to the database: that decides when its first word comes."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event
from tests.chat.answering.conftest import Chat

from dossier.core.database import Engine

QUESTION = "What is the shelf life of the rose cream?"
BESIDE = (
    # Of a transaction; the binding of its tenant goes with it.
    *("begin", "BEGIN", "commit", "COMMIT", "select set_config("),
    # What a process stores for all its runs together, now and then.
    *("with lease as", "select pg_notify("),
    # What the driver asks of a new connection.
    *("SELECT current_setting('jit')", "WITH RECURSIVE typeinfo_tree"),
)


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


def before_the_model(statements: list[str]) -> list[str]:
    """Cut behind the row of the ledger that stands before a call."""
    booked = [number for number, each in enumerate(statements) if _is_booking(each)]
    return statements[: booked[0] + 1]


def _is_booking(statement: str) -> bool:
    return "insert into ai_calls" in statement


async def test_model_is_asked_after_three_round_trips(
    talking: Chat, chat_pool: Engine
) -> None:
    statements = await spent(talking, chat_pool, grounding="none")

    assert len(before_the_model(statements)) == 3, statements
    assert len(statements) == 7, statements


async def test_model_is_asked_after_three_round_trips_in_a_room_too(
    talking: Chat, chat_pool: Engine
) -> None:
    opened = await talking.answer(QUESTION, grounding="none")
    room = opened["chat_room_id"]

    statements = await spent(talking, chat_pool, grounding="none", chat_room_id=room)

    assert len(before_the_model(statements)) == 3, statements


async def test_stored_answer_takes_few_round_trips(
    talking: Chat, chat_pool: Engine
) -> None:
    await talking.answer(QUESTION)

    statements = await spent(talking, chat_pool)

    assert len(statements) == 7, statements
