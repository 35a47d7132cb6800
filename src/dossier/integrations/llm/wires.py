"""The two protocols, behind one face."""

from collections.abc import Mapping
from typing import Any, Protocol

from dossier.integrations.llm.anthropic_wire import AnthropicWire
from dossier.integrations.llm.models import ChatRequest
from dossier.integrations.llm.openai_wire import OpenAiWire
from dossier.integrations.llm.plan import ModelServer, Wire
from dossier.integrations.llm.relay import Reader


class ChatWire(Protocol):
    """How a server is spoken to."""

    def chat_path(self) -> str:
        """Return where chats are posted, below the base URL."""
        ...

    def models_path(self) -> str:
        """Return where the models are listed."""
        ...

    def headers(self, server: ModelServer, /) -> dict[str, str]:
        """Return what says who we are."""
        ...

    def body(
        self, server: ModelServer, model: str, request: ChatRequest, max_tokens: int, /
    ) -> dict[str, Any]:
        """Return the question."""
        ...

    def reader(self) -> Reader:
        """Return a reader for one stream."""
        ...


_WIRES: Mapping[Wire, ChatWire] = {"openai": OpenAiWire(), "anthropic": AnthropicWire()}


def wire_of(server: ModelServer) -> ChatWire:
    """Return the wire that a server speaks."""
    return _WIRES[server.wire]
