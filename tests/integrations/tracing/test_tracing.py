"""Spans reach a collector; whatever goes wrong there never reaches a call."""

import json
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from uuid import UUID, uuid4

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
)
from pydantic import BaseModel
from typing_extensions import override

from dossier.core.errors import PaymentRequiredError
from dossier.core.logging import log_context
from dossier.core.settings import AiSettings, TraceSettings
from dossier.integrations.llm.client import ChatClient
from dossier.integrations.llm.plan import model_plan
from dossier.integrations.llm.types import (
    CallOutcome,
    CallRecord,
    CallTag,
    CompletionRequest,
    PromptMessage,
    Recorder,
    Usage,
)
from dossier.integrations.tracing.calls import TracedRecorder
from dossier.integrations.tracing.client import open_tracer, traces_url
from dossier.integrations.tracing.models import NoTracer, Tracer
from dossier.testing.model_server.server import ScriptedModelServer, scripted_model

TAG = CallTag(uuid4(), None, "chat.answer", run_id=uuid4(), prompt_hash="a" * 64)
QUESTION = CompletionRequest((PromptMessage("user", "What is the pH?"),))


class Collector(HTTPServer):
    """Takes OTLP by HTTP and keeps the spans."""

    def __init__(self, status: int = 200) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.status = status
        self.paths: list[str] = []
        self.headers: list[str | None] = []
        self.spans: list[Any] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.paths.append(self.path)
        self.server.headers.append(self.headers["x-api-key"])
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            for scope in resource.scope_spans:
                self.server.spans += scope.spans
        self.send_response(self.server.status)
        self.end_headers()

    @override
    def log_message(self, format: str, *args: object) -> None:
        """Stay silent."""


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
async def model() -> AsyncIterator[ScriptedModelServer]:
    async with scripted_model() as server:
        yield server


class Acidity(BaseModel):
    """A measurement."""

    value: int


class PaperLedger:
    """Says yes, or that the money is gone."""

    def __init__(self, refusal: Exception | None = None) -> None:
        self.settled: list[CallRecord] = []
        self._refusal = refusal

    async def reserve(self, _tag: CallTag, _model: str, _tokens: int) -> UUID:
        if self._refusal:
            raise self._refusal
        return uuid4()

    async def settle(self, _reservation: UUID, record: CallRecord) -> None:
        self.settled.append(record)


def record(**overrides: Any) -> CallRecord:
    values: dict[str, Any] = {
        "provider": "openai",
        "server": "models.example:443",
        "model": "large-1",
        "usage": Usage(7, 3, 2),
        "duration_ms": 20,
        "first_token_ms": 5,
        "outcome": CallOutcome.COMPLETED,
        "content": lambda: ('[{"text": "What is the pH?"}]', '[{"text": "5.5"}]'),
    }
    return CallRecord(**values | overrides)


def tracer_for(collector: Collector, *, content: bool = False) -> Tracer:
    headers = {"x-api-key": "collector-key"}
    settings = TraceSettings(endpoint=collector.url, headers=headers, content=content)
    return open_tracer(settings, "1.2.3")


def attributes(span: Any) -> dict[str, Any]:
    return {
        each.key: each.value.string_value or each.value.int_value
        for each in span.attributes
    }


async def ask(recorder: Recorder) -> None:
    await recorder.settle(await recorder.reserve(TAG, "large", 10), record())


async def test_a_call_is_a_span_with_the_names_of_the_conventions(
    collector: Collector,
) -> None:
    tracer = tracer_for(collector)
    recorder = TracedRecorder(PaperLedger(), tracer)

    with log_context(request_id="request-7"):
        await ask(recorder)
    tracer.close()

    [span] = collector.spans
    members = attributes(span)
    assert span.name == "chat large"
    assert members["gen_ai.operation.name"] == "chat"
    assert members["gen_ai.provider.name"] == "openai"
    assert members["gen_ai.request.model"] == "large"
    assert members["gen_ai.response.model"] == "large-1"
    assert members["gen_ai.usage.input_tokens"] == 7
    assert members["gen_ai.usage.output_tokens"] == 3
    assert members["gen_ai.usage.cache_read.input_tokens"] == 2
    assert members["server.address"] == "models.example:443"
    assert members["dossier.request_id"] == "request-7"
    assert members["dossier.run_id"] == str(TAG.run_id)
    assert collector.paths == ["/v1/traces"]
    assert collector.headers == ["collector-key"]


async def test_content_is_left_out_unless_it_is_allowed(collector: Collector) -> None:
    for content in (False, True):
        tracer = tracer_for(collector, content=content)
        await ask(TracedRecorder(PaperLedger(), tracer))
        tracer.close()

    without, within = (attributes(span) for span in collector.spans)
    assert "pH" not in json.dumps(without)
    assert "pH" in within["gen_ai.input.messages"]
    assert "5.5" in within["gen_ai.output.messages"]


async def test_content_of_streamed_and_typed_calls_is_traced(
    collector: Collector, model: ScriptedModelServer
) -> None:
    tracer = tracer_for(collector, content=True)
    plan = model_plan(AiSettings(base_url=model.base_url, model="scripted"))
    assert plan is not None
    client = ChatClient(plan, TracedRecorder(PaperLedger(), tracer))

    answer = await client.complete(QUESTION, TAG)
    await client.typed(Acidity, instructions="Measure.", prompt="The pH?", tag=TAG)
    await client.close()
    tracer.close()

    streamed, typed = (attributes(span) for span in collector.spans)
    [asked] = json.loads(streamed["gen_ai.input.messages"])
    assert asked == {
        "role": "user",
        "parts": [{"type": "text", "content": "What is the pH?"}],
    }
    [answered] = json.loads(streamed["gen_ai.output.messages"])
    assert answered["role"] == "assistant"
    assert answered["parts"][0] == {"type": "text", "content": answer.text}
    assert "The pH?" in typed["gen_ai.input.messages"]


async def test_a_stream_that_is_left_still_ends_its_span(
    collector: Collector, model: ScriptedModelServer
) -> None:
    tracer = tracer_for(collector)
    plan = model_plan(AiSettings(base_url=model.base_url, model="scripted"))
    assert plan is not None
    client = ChatClient(plan, TracedRecorder(PaperLedger(), tracer))

    async with aclosing(client.stream(QUESTION, TAG)) as stream:
        await anext(stream)
    await client.close()
    tracer.close()

    [span] = collector.spans
    assert attributes(span)["dossier.outcome"] == "cancelled"


async def test_a_refused_or_failed_call_names_its_error(collector: Collector) -> None:
    tracer = tracer_for(collector)
    refusing = TracedRecorder(PaperLedger(PaymentRequiredError()), tracer)
    recorder = TracedRecorder(PaperLedger(), tracer)

    with pytest.raises(PaymentRequiredError):
        await refusing.reserve(TAG, "large", 10)
    cut = record(outcome=CallOutcome.CUT, error_code="model_stream_cut")
    await recorder.settle(await recorder.reserve(TAG, "large", 10), cut)
    tracer.close()

    errors = [attributes(span)["error.type"] for span in collector.spans]
    assert errors == ["payment_required", "model_stream_cut"]
    assert {span.status.code for span in collector.spans} == {2}


async def test_an_embedding_and_a_retrieval_have_names_of_their_own(
    collector: Collector,
) -> None:
    tracer = tracer_for(collector)
    recorder = TracedRecorder(PaperLedger(), tracer)
    tag = CallTag(TAG.org_id, None, "knowledge.search", operation="embeddings")

    await recorder.settle(await recorder.reserve(tag, "e5", 10), record())
    with tracer.span("retrieval", {"gen_ai.operation.name": "retrieval"}):
        pass
    tracer.close()

    assert [span.name for span in collector.spans] == ["embeddings e5", "retrieval"]


async def test_an_error_inside_a_span_passes_through_it(collector: Collector) -> None:
    tracer = tracer_for(collector)

    with pytest.raises(KeyError), tracer.span("retrieval", {}):
        raise KeyError
    tracer.close()

    assert attributes(collector.spans[0])["error.type"] == "KeyError"


async def test_a_collector_that_fails_hurts_no_call(
    collector: Collector, caplog: pytest.LogCaptureFixture
) -> None:
    collector.status = 400
    tracer = tracer_for(collector)
    ledger = PaperLedger()

    await ask(TracedRecorder(ledger, tracer))
    tracer.close()

    assert len(ledger.settled) == 1
    assert "Failed to export" in caplog.text


async def test_without_an_endpoint_nothing_is_exported() -> None:
    tracer = open_tracer(TraceSettings(), "1.2.3")

    with tracer.span("retrieval", {}) as span:
        span.set("key", "value")
        span.fail("code")
    await ask(TracedRecorder(PaperLedger(), tracer))
    tracer.close()

    assert isinstance(tracer, NoTracer)


@pytest.mark.parametrize(
    ("endpoint", "url"),
    [
        ("http://collector:4318", "http://collector:4318/v1/traces"),
        ("http://collector:4318/", "http://collector:4318/v1/traces"),
        ("https://x.example/otel", "https://x.example/otel/v1/traces"),
        ("https://x.example/v1/traces", "https://x.example/v1/traces"),
    ],
)
def test_the_path_of_otlp_is_added_where_it_is_missing(endpoint: str, url: str) -> None:
    assert traces_url(endpoint) == url
