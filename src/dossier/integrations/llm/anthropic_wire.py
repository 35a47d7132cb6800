"""Anthropic's wire for chat: what is sent, how the stream is read."""

from collections.abc import Mapping
from typing import Any, Literal

import orjson

from dossier.integrations.llm.claims import counted, model_named
from dossier.integrations.llm.models import ChatRequest, Usage
from dossier.integrations.llm.plan import ModelServer
from dossier.integrations.llm.sse import SseEvent
from dossier.integrations.llm.vendors import manners_of

_VERSION = "2026-10-21"  # knows no temperature any more
_EPHEMERAL = {"type": "ephemeral"}
_FINISHES: Mapping[str, Literal["stop", "length", "refusal"]] = {
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "refusal": "refusal",
}


class AnthropicWire:
    """How servers of Anthropic's wire are spoken to."""

    def chat_path(self) -> str:
        """Return where chats are posted, below the base URL."""
        return "/v1/messages"

    def models_path(self) -> str:
        """Return where the models are listed."""
        return "/v1/models?limit=1000"

    def reader(self) -> "AnthropicReader":
        """Return a reader for one stream."""
        return AnthropicReader()

    def headers(self, server: ModelServer) -> dict[str, str]:
        """Return what says who we are and which version we speak."""
        told = {"anthropic-version": _VERSION}
        if server.key is not None:
            told["x-api-key"] = server.key.get_secret_value()
        return told

    def body(
        self, server: ModelServer, model: str, request: ChatRequest, max_tokens: int
    ) -> dict[str, Any]:
        """Return the question; the system prompt is marked to be kept by the server."""
        del server  # every server of this wire is spoken to alike
        system = [m.content for m in request.messages if m.role == "system"]
        turns = [m for m in request.messages if m.role != "system"]
        asked: dict[str, Any] = {
            "model": model,
            "max_tokens": max_tokens,
            "stream": True,
            "messages": [{"role": m.role, "content": m.content} for m in turns],
            **manners_of(model).extra,
        }
        if system:
            text = "\n\n".join(system)
            block = {"type": "text", "text": text, "cache_control": _EPHEMERAL}
            asked["system"] = [block]
        return asked


class AnthropicReader:
    """Turns the events of one stream into text, and remembers the rest."""

    def __init__(self) -> None:
        self.model = ""
        self.finish_reason: Literal["stop", "length", "refusal"] | None = None
        self.error: object = None
        self.has_begun = False
        self.is_done = False
        self._counts: dict[str, int] = {}

    @property
    def usage(self) -> Usage:
        """Return the tokens counted; what was read from the cache is input as well."""
        counts = self._counts
        if not counts:
            return Usage()
        cached = counts.get("cache_read_input_tokens", 0)
        written = counts.get("cache_creation_input_tokens", 0)
        fresh = counts.get("input_tokens")
        read = None if fresh is None else fresh + cached + written
        return Usage(read, counts.get("output_tokens"), cached)

    def read(self, event: SseEvent) -> str:
        """Return the text of an event; raises where it is not of the protocol."""
        told = orjson.loads(event.data)
        if told["type"] == "content_block_delta":
            return self._read_delta(told["delta"])
        self._read_rest(told)
        return ""

    def _read_delta(self, delta: dict[str, Any]) -> str:
        self.has_begun = True
        if delta.get("type") != "text_delta":
            return ""
        text = delta["text"]
        if text.__class__ is not str:
            raise TypeError
        return str(text)

    def _read_rest(self, told: dict[str, Any]) -> None:
        kind = told["type"]
        if kind == "message_start":
            self.model = model_named(told["message"].get("model"))
            self._count(told["message"].get("usage"))
            self._counts.pop("output_tokens", None)  # known at the end only
        elif kind == "message_delta":
            self._finish(told["delta"].get("stop_reason"))
            self._count(told.get("usage"))
        elif kind == "message_stop":
            self.is_done = True
        elif kind == "error":
            self.error = told.get("error") or {}

    def _finish(self, reason: str | None) -> None:
        if reason is not None:
            self.finish_reason = _FINISHES.get(reason, "stop")

    def _count(self, usage: dict[str, Any] | None) -> None:
        for name in usage or {}:
            count = counted(usage, name)
            if count is not None:
                self._counts[name] = count
