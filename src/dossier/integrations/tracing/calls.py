"""Traces each call of a model: whatever is recorded in the ledger is a span."""

from uuid import UUID

from dossier.integrations.llm.types import CallOutcome, CallRecord, CallTag, Recorder
from dossier.integrations.tracing.client import code_of
from dossier.integrations.tracing.models import AttributeValue, Span, Tracer


class TracedRecorder:
    """A recorder that also traces: each call of a server is a span."""

    def __init__(self, inner: Recorder, tracer: Tracer) -> None:
        self._inner = inner
        self._tracer = tracer
        self._spans: dict[UUID, Span] = {}

    async def reserve(self, tag: CallTag, model: str, tokens: int) -> UUID:
        """Begin a span and reserve; a refusal by a budget ends it."""
        asked: dict[str, AttributeValue | None] = {
            "gen_ai.operation.name": tag.operation,
            "gen_ai.request.model": model,
            "gen_ai.conversation.id": _text(tag.conversation_id),
            "dossier.feature": tag.feature,
            "dossier.org_id": str(tag.org_id),
            "dossier.run_id": _text(tag.run_id),
            "dossier.prompt_hash": tag.prompt_hash,
        }
        span = self._tracer.start(f"{tag.operation} {model}", asked)
        try:
            reservation = await self._inner.reserve(tag, model, tokens)
        except BaseException as exc:
            span.fail(code_of(exc))
            span.end()
            raise
        self._spans[reservation] = span
        return reservation

    async def settle(self, reservation: UUID, record: CallRecord) -> None:
        """End the span, then settle."""
        span = self._spans.pop(reservation, None)
        if span is not None:
            usage = record.usage
            span.set("gen_ai.provider.name", record.provider)
            span.set("server.address", record.server)
            span.set("gen_ai.response.model", record.model)
            span.set("gen_ai.usage.input_tokens", usage.input_tokens)
            span.set("gen_ai.usage.output_tokens", usage.output_tokens)
            span.set("gen_ai.usage.cache_read.input_tokens", usage.cached_tokens)
            span.set("dossier.outcome", record.outcome.value)
            span.set("dossier.first_token_ms", record.first_token_ms)
            if self._tracer.with_content and record.content is not None:
                asked, answered = record.content()
                span.set("gen_ai.input.messages", asked)
                span.set("gen_ai.output.messages", answered)
            if record.outcome is not CallOutcome.COMPLETED:
                span.fail(record.error_code or record.outcome.value)
            span.end()
        await self._inner.settle(reservation, record)


def _text(id_: UUID | None) -> str | None:
    return None if id_ is None else str(id_)
