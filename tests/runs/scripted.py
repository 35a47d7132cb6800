"""An executor that says the words that it is given, as fast as it is let."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import text

from dossier.core.database import Session
from dossier.runs.service import RunContext, RunEngine, RunEvent, surviving

DELTA = "response.output_text.delta"
WORDS = [f"word{number} " for number in range(12)]
TEXT = "".join(WORDS)
COUNT = len(WORDS) + 2
"""Events of an undisturbed run: one before the words, one after."""


@dataclass
class Talk:
    """Says each word; before the one numbered `pause_at` it waits for `go`."""

    words: list[str] = field(default_factory=lambda: list(WORDS))
    pause_at: int | None = None
    go: asyncio.Event = field(default_factory=asyncio.Event)
    paused: asyncio.Event = field(default_factory=asyncio.Event)
    stopped: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self, context: RunContext) -> None:
        said = text_of(context.kept)
        if not said:
            context.emit("response.created", {"run_id": str(context.run.id)})
        try:
            for number in range(len(said.split()), len(self.words)):
                await self._pause(number)
                context.emit(DELTA, {"delta": self.words[number]})
                said += self.words[number]
        except asyncio.CancelledError:
            self.stopped.set()
            raise
        await self._finish(context, said)

    async def _pause(self, number: int) -> None:
        await asyncio.sleep(0)
        if number == self.pause_at:
            self.paused.set()
            await self.go.wait()

    async def _finish(self, context: RunContext, said: str) -> None:
        async def write(session: Session) -> None:
            await add_note(session, context.org_id, said)

        data: dict[str, Any] = {"text": said}
        await context.finish("response.completed", data, write, result={"text": said})


async def add_note(session: Session, org_id: UUID, note: str) -> None:
    """Write something of one's own: any table will do."""
    await session.execute(
        text("insert into runs_notes (org_id, note) values (:org_id, :note)"),
        {"org_id": org_id, "note": note},
    )


def text_of(events: list[RunEvent]) -> str:
    """Return the text that a client assembles."""
    kept = surviving(events)
    return "".join(event.data["delta"] for event in kept if event.type == DELTA)


def numbers_of(events: list[RunEvent]) -> list[int]:
    return [event.sequence_number for event in events]


async def all_of(events: AsyncIterator[RunEvent]) -> list[RunEvent]:
    """Return a stream's events, to its end."""
    async with asyncio.timeout(5):
        return [event async for event in events]


async def first_of(
    engine: RunEngine, org_id: UUID, run_id: UUID, count: int, after: int = 0
) -> list[RunEvent]:
    """Return the first events of a stream that is cut then."""
    events: list[RunEvent] = []
    async with asyncio.timeout(5):
        with engine.following(org_id, run_id, after) as follower:
            while len(events) < count and not follower.has_ended:
                events += await follower.next()
    return events[:count]
