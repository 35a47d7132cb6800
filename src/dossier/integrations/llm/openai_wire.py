"""OpenAI's wire for chat: what is sent, how the stream is read."""

from collections.abc import Mapping
from typing import Any, Literal

import orjson

from dossier.integrations.llm.claims import counted, model_named
from dossier.integrations.llm.models import ChatMessage, ChatRequest, Usage
from dossier.integrations.llm.plan import ModelServer
from dossier.integrations.llm.sse import SseEvent
from dossier.integrations.llm.vendors import PLAIN, manners_of

_DONE = b"[DONE]"
_FINISHES: Mapping[str, Literal["stop", "length", "refusal"]] = {
    "length": "length",
    "content_filter": "refusal",
}


class OpenAiWire:
    """How servers of OpenAI's wire are spoken to."""

    def chat_path(self) -> str:
        """Return where chats are posted, below the base URL."""
        return "/chat/completions"

    def models_path(self) -> str:
        """Return where the models are listed."""
        return "/models"

    def reader(self) -> "OpenAiReader":
        """Return a reader for one stream."""
        return OpenAiReader()

    def headers(self, server: ModelServer) -> dict[str, str]:
        """Return what says who we are."""
        if server.key is None:
            return {}
        return {"Authorization": f"Bearer {server.key.get_secret_value()}"}

    def body(
        self, server: ModelServer, model: str, request: ChatRequest, max_tokens: int
    ) -> dict[str, Any]:
        """Return the question, the same beginning first: servers cache prefixes."""
        limit = "max_completion_tokens" if server.is_vendor else "max_tokens"
        manners = manners_of(model) if server.is_vendor else PLAIN
        asked: dict[str, Any] = {
            "model": model,
            "messages": [_message(message) for message in request.messages],
            "stream": True,
            "stream_options": {"include_usage": True},
            limit: max_tokens,
            **manners.extra,
        }
        if request.temperature is not None and manners.takes_temperature:
            asked["temperature"] = request.temperature
        if _is_continued(request) and not server.is_vendor:
            # vLLM wants to be told; others go on by themselves and ignore it.
            asked |= {"continue_final_message": True, "add_generation_prompt": False}
        return asked


def _message(message: ChatMessage) -> dict[str, str]:
    return {"role": message.role, "content": message.content}


def _is_continued(request: ChatRequest) -> bool:
    return bool(request.messages) and request.messages[-1].role == "assistant"


class OpenAiReader:
    """Turns the events of one stream into text, and remembers the rest."""

    def __init__(self) -> None:
        self.model = ""
        self.usage = Usage()
        self.finish_reason: Literal["stop", "length", "refusal"] | None = None
        self.error: object = None
        self.has_begun = False
        self.is_done = False

    def read(self, event: SseEvent) -> str:
        """Return the text of an event; raises where it is not of the protocol."""
        if event.data == _DONE:
            self.is_done = True
            return ""
        told = orjson.loads(event.data)
        choices = told.get("choices")
        if not choices or not self.model or "usage" in told or "error" in told:
            self._read_rest(told)
        return self._read_choice(choices[0]) if choices else ""

    def _read_choice(self, choice: dict[str, Any]) -> str:
        finish = choice.get("finish_reason")
        if finish is not None and self.finish_reason != "refusal":
            self.finish_reason = _FINISHES.get(finish, "stop")
        delta = choice.get("delta")
        if not delta:
            return ""
        text = delta.get("content")
        if not text:
            text = self._read_aside(delta)
        if text.__class__ is not str:
            raise TypeError
        self.has_begun = self.has_begun or bool(text)
        return text

    def _read_aside(self, delta: dict[str, Any]) -> str:
        """Take a refusal as text; hidden reasoning only shows that the model is on."""
        refusal = delta.get("refusal")
        if refusal:
            self.finish_reason = "refusal"
            return str(refusal)
        if delta.get("reasoning_content") or delta.get("reasoning"):
            self.has_begun = True
        return ""

    def _read_rest(self, told: dict[str, Any]) -> None:
        self.error = told.get("error")
        self.model = model_named(told.get("model")) or self.model
        usage = told.get("usage")
        if isinstance(usage, dict):
            self.usage = read_usage(usage)


def read_usage(usage: dict[str, Any]) -> Usage:
    """Return the tokens that the server counted."""
    return Usage(
        input_tokens=counted(usage, "prompt_tokens"),
        output_tokens=counted(usage, "completion_tokens"),
        cached_tokens=counted(usage.get("prompt_tokens_details"), "cached_tokens"),
    )
