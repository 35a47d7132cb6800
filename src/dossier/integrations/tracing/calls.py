"""Traces each call of a model, on whichever lane it goes: all of them are recorded."""

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from contextvars import ContextVar
from dataclasses import dataclass, field
from uuid import UUID

from dossier.integrations.llm.models import (
    CallRecord,
    CallTag,
    ChatModel,
    ChatRequest,
    Completion,
    Outcome,
    Purpose,
    Recorder,
    StreamEvent,
    TextDelta,
)
from dossier.integrations.tracing.client import code_of
from dossier.integrations.tracing.models import Span, Tracer, Value


@dataclass(slots=True)
class _Content:
    """What was asked and answered in one call."""

    asked: str
    answered: list[str] = field(default_factory=list)


_content: ContextVar[_Content | None] = ContextVar("traced_content", default=None)


class TracedRecorder:
    """A recorder that also tells a tracer; each attempt at a server is a span."""

    def __init__(self, inner: Recorder, tracer: Tracer) -> None:
        self._inner = inner
        self._tracer = tracer
        self._spans: dict[UUID, tuple[Span, _Content | None]] = {}

    def is_uncounted(self, tag: CallTag) -> bool:
        """Tell what the ledger tells."""
        return self._inner.is_uncounted(tag)

    async def reserve(
        self, tag: CallTag, model: str, tokens: int, *, goes_ahead: bool = False
    ) -> UUID:
        """Begin a span and reserve; a refusal by a budget ends it."""
        span = self._tracer.start(f"{tag.operation} {model}", _asked(tag, model))
        try:
            reservation = await self._inner.reserve(
                tag, model, tokens, goes_ahead=goes_ahead
            )
        except BaseException as exc:
            span.fail(code_of(exc))
            span.end()
            raise
        self._spans[reservation] = span, _content.get()
        return reservation

    async def settle(self, reservation: UUID, record: CallRecord) -> None:
        """End the span, then settle."""
        span, content = self._spans.pop(reservation, (None, None))
        if span is not None:
            _tell(span, record, content)
        await self._inner.settle(reservation, record)


class TracedChat:
    """A chat model whose spans carry what was asked and answered.

    Wraps a model only where the setting allows content; spans come from the recorder.
    """

    def __init__(self, inner: ChatModel) -> None:
        self._inner = inner

    async def stream(
        self, request: ChatRequest, tag: CallTag
    ) -> AsyncIterator[StreamEvent]:
        """Yield the answer piece by piece."""
        content = _Content(_messages(request))
        stream = self._inner.stream(request, tag)
        async with aclosing(stream):  # type: ignore[type-var] # a generator, by its contract of closing
            while True:
                # Set for this step alone: a generator shares its caller's context.
                token = _content.set(content)
                try:
                    event = await anext(stream)
                except StopAsyncIteration:
                    return
                finally:
                    _content.reset(token)
                if isinstance(event, TextDelta):
                    content.answered.append(event.text)
                yield event

    async def complete(self, request: ChatRequest, tag: CallTag) -> Completion:
        """Return the whole answer."""
        content = _Content(_messages(request))
        token = _content.set(content)
        try:
            return await self._inner.complete(request, tag)
        finally:
            _content.reset(token)

    def model_name(self, purpose: Purpose) -> str:
        """Return the model that a purpose is served by first."""
        return self._inner.model_name(purpose)

    async def find_name(self, purpose: Purpose) -> str:
        """Return the same, asking a server that names its model itself."""
        return await self._inner.find_name(purpose)

    def server_label(self, purpose: Purpose) -> str:
        """Return host and port of the server that a purpose is served by first."""
        return self._inner.server_label(purpose)


def traced_chat(model: ChatModel, tracer: Tracer) -> ChatModel:
    """Return the model, with its content traced where that is allowed."""
    return TracedChat(model) if tracer.with_content else model


def _asked(tag: CallTag, model: str) -> dict[str, Value | None]:
    return {
        "gen_ai.operation.name": tag.operation,
        "gen_ai.request.model": model,
        "gen_ai.conversation.id": _text(tag.conversation_id),
        "dossier.feature": tag.feature,
        "dossier.org_id": str(tag.org_id),
        "dossier.run_id": _text(tag.run_id),
        "dossier.prompt_hash": tag.prompt_hash,
    }


def _text(id_: UUID | None) -> str | None:
    return None if id_ is None else str(id_)


def _tell(span: Span, record: CallRecord, content: _Content | None) -> None:
    usage = record.usage
    span.set("gen_ai.provider.name", record.provider)
    span.set("server.address", record.server)
    span.set("gen_ai.response.model", record.model)
    span.set("gen_ai.usage.input_tokens", usage.input_tokens)
    span.set("gen_ai.usage.output_tokens", usage.output_tokens)
    span.set("gen_ai.usage.cache_read.input_tokens", usage.cached_tokens)
    span.set("dossier.outcome", record.outcome.value)
    span.set("dossier.first_token_ms", record.first_token_ms)
    if content is not None:
        span.set("gen_ai.input.messages", content.asked)
        span.set("gen_ai.output.messages", _answer(content.answered))
    if record.outcome is not Outcome.COMPLETED:
        span.fail(record.error_code or record.outcome.value)
    span.end()


def _messages(request: ChatRequest) -> str:
    return json.dumps(
        [_message(turn.role, turn.content) for turn in request.messages],
        ensure_ascii=False,
    )


def _answer(pieces: Sequence[str]) -> str:
    return json.dumps([_message("assistant", "".join(pieces))], ensure_ascii=False)


def _message(role: str, text: str) -> dict[str, object]:
    return {"role": role, "parts": [{"type": "text", "content": text}]}
