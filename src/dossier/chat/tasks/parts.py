"""What answers are made with in one process; clients are opened when first needed."""

from typing import TYPE_CHECKING

from dossier.ai.service.assembly import ModelParts, open_model_parts
from dossier.chat.answering.prompt import Window
from dossier.core.database import SessionFactory
from dossier.core.settings import Settings
from dossier.integrations.llm.plan import model_plan

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
