"""An executor that says the words that it is given, as fast as it is let."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

from dossier.core.database import Session
from dossier.runs.service import RunContext, RunEvent, surviving

DELTA = "response.output_text.delta"
WORDS = [f"word{number} " for number in range(12)]
TEXT = "".join(WORDS)


@dataclass
class Talk:
    """Says each word; before the one numbered `pause_at` it waits for `go`."""

    words: list[str] = field(default_factory=lambda: list(WORDS))
    pause_at: int | None = None
    go: asyncio.Event = field(default_factory=asyncio.Event)
    paused: asyncio.Event = field(default_factory=asyncio.Event)
    written: list[str] = field(default_factory=list)

    async def __call__(self, context: RunContext) -> None:
        said = text_of(context.kept)
        if context.run.attempts == 1:
            context.emit("response.created", {"run_id": str(context.run.id)})
        for number in range(len(said.split()), len(self.words)):
            if number == self.pause_at:
                self.paused.set()
                await self.go.wait()
            context.emit(DELTA, {"delta": self.words[number]})
            said += self.words[number]
            await asyncio.sleep(0)
        await self._finish(context, said)

    async def _finish(self, context: RunContext, said: str) -> None:
        async def write(_session: Session) -> None:
            self.written.append(said)

        data: dict[str, Any] = {"text": said}
        await context.finish("response.completed", data, write, result={"text": said})


def text_of(events: list[RunEvent]) -> str:
    """Return the text that a client assembles."""
    kept = surviving(events)
    return "".join(event.data["delta"] for event in kept if event.type == DELTA)


def numbers_of(events: list[RunEvent]) -> list[int]:
    return [event.sequence_number for event in events]
