"""What answers are made with in one process; clients are opened when first needed."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from dossier.ai.service.assembly import ModelParts, open_model_parts
from dossier.chat.ports import SearcherOf
from dossier.chat.service.answers import KIND
from dossier.chat.service.answers_prompt import Window
from dossier.chat.tasks.answer import AnswerExecutor, AnswerParts
from dossier.core.database import SessionFactory
from dossier.core.settings import Settings
from dossier.integrations.llm.plan import model_plan
from dossier.runs.service import Executor, RunKind

if TYPE_CHECKING:
    from dossier.integrations.llm.client import ChatClient


class Clients:
    """The model client of a process, opened when it is first needed."""

    def __init__(self, settings: Settings, parts: ModelParts) -> None:
        self._plan = model_plan(settings.ai)
        self._parts = parts
        self._chat: ChatClient | None = None

    def chat(self) -> "ChatClient | None":
        """Return the chat client; `None` where no setting names a model."""
        if self._plan is not None and self._chat is None:
            from dossier.integrations.llm.client import (  # noqa: PLC0415 - 80 MiB
                ChatClient,
            )

            abilities = self._parts.abilities.current
            self._chat = ChatClient(self._plan, self._parts.recorder, abilities)
        return self._chat

    async def close(self) -> None:
        """Close the connections."""
        if self._chat is not None:
            await self._chat.close()


def window_of(settings: Settings) -> Window:
    """Return how long prompts and answers may be."""
    return Window(settings.ai.window_tokens, settings.ai.max_output_tokens)


def open_clients(settings: Settings, sessions: SessionFactory) -> Clients:
    """Return clients for one piece of work in the background, to be closed after."""
    return Clients(settings, open_model_parts(sessions, settings))


@asynccontextmanager
async def answering(
    sessions: SessionFactory,
    settings: Settings,
    parts: ModelParts,
    searcher_of: SearcherOf,
) -> AsyncIterator[dict[str, Executor]]:
    """Yield the executors of chat; leaving closes their clients."""
    clients = Clients(settings, parts)
    if (model := clients.chat()) is not None:
        model.warm_up()
    executor = AnswerExecutor(
        AnswerParts(
            sessions=sessions,
            searcher_of=searcher_of,
            ask_model=clients.chat,
            ask_abilities=parts.abilities.current,
            window=window_of(settings),
            cache_days=settings.chat.cache_days,
        )
    )
    try:
        yield {KIND: RunKind(executor, executor.on_end)}
    finally:
        await clients.close()
