"""What answers are made with in one process; clients are opened when first needed."""

from typing import TYPE_CHECKING

from dossier.ai.service.assembly import ModelParts, open_model_parts
from dossier.chat.answering.prompt import Window
from dossier.core.database import SessionFactory
from dossier.core.settings import Settings
from dossier.integrations.llm.models import ChatModel
from dossier.integrations.llm.plan import model_plan

if TYPE_CHECKING:
    from dossier.integrations.llm.client import ChatClient
    from dossier.integrations.llm.typed import TypedModel


class Clients:
    """The model clients of a process."""

    def __init__(
        self, settings: Settings, parts: ModelParts, *, may_type: bool = False
    ) -> None:
        self._plan = model_plan(settings.ai)
        self._recorder = parts.recorder
        self._abilities = parts.abilities
        self._chat: ChatClient | None = None
        self._typed: TypedModel | None = None
        self._may_type = may_type

    def chat(self) -> ChatModel | None:
        """Return the chat client; `None` where no setting names a model."""
        if self._plan is not None and self._chat is None:
            # 29 MiB that a process without models never pays.
            from dossier.integrations.llm.client import (  # noqa: PLC0415
                open_chat_model,
            )

            self._chat = open_chat_model(self._plan, self._recorder)
        return self._chat

    async def typed(self) -> "TypedModel | None":
        """Return what answers in types; `None` where this process has no such lane."""
        if self._plan is not None and self._may_type and self._typed is None:
            from dossier.integrations.llm.typed import TypedModel  # noqa: PLC0415

            abilities = await self._abilities.current()
            self._typed = TypedModel(self._plan, self._recorder, abilities)
        return self._typed

    async def close(self) -> None:
        """Give the connections up."""
        if self._typed is not None:
            await self._typed.close()
        if self._chat is not None:
            await self._chat.close()


def window_of(settings: Settings) -> Window:
    """Return how long prompts and answers may be."""
    return Window(settings.ai.window_tokens, settings.ai.max_output_tokens)


def open_clients(
    settings: Settings, sessions: SessionFactory, *, may_type: bool = False
) -> Clients:
    """Return clients for one piece of work in the background, to be closed after."""
    parts = open_model_parts(sessions, settings)
    return Clients(settings, parts, may_type=may_type)
