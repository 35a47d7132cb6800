"""Sends spans to a collector; OpenTelemetry is imported only where one is set."""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from dossier.core.errors import AppError
from dossier.core.logging import bound
from dossier.core.settings import TraceSettings
from dossier.integrations.tracing.models import AttributeValue, NoTracer, Span, Tracer

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Span as OtelSpan

logger = logging.getLogger(__name__)

SERVICE = "dossier"
PATH = "/v1/traces"
SEND_TIMEOUT_S = 5
SEND_EVERY_MS = 2000
REQUEST_ID = "dossier.request_id"


def open_tracer(settings: TraceSettings, version: str) -> Tracer:
    """Return what traces; one per process, closed at its end."""
    if not settings.endpoint:
        return NoTracer()
    try:
        return OtlpTracer(settings, version)
    except ImportError:
        logger.warning("traces.extra.missing", extra={"extra": "traces"})
        return NoTracer()


def traces_url(endpoint: str) -> str:
    """Return where spans are sent: the endpoint's own path, or OTLP's."""
    bare = endpoint.rstrip("/")
    return bare if bare.endswith(PATH) else bare + PATH


class OtlpTracer:
    """Hands spans to a thread that sends them in batches."""

    def __init__(self, settings: TraceSettings, version: str) -> None:
        self.with_content = settings.content
        self._provider = _provider(settings, version)
        self._tracer = self._provider.get_tracer(SERVICE, version)

    def start(
        self, name: str, attributes: Mapping[str, AttributeValue | None], /
    ) -> Span:
        """Begin a span that the caller ends."""
        from opentelemetry.trace import SpanKind  # noqa: PLC0415 - only where set

        span = OtlpSpan(self._tracer.start_span(name, kind=SpanKind.CLIENT))
        for key, value in attributes.items():
            span.set(key, value)
        span.set(REQUEST_ID, bound().request_id)
        return span

    @contextmanager
    def span(
        self, name: str, attributes: Mapping[str, AttributeValue | None], /
    ) -> Iterator[Span]:
        """Begin a span that ends with the block."""
        span = self.start(name, attributes)
        try:
            yield span
        except BaseException as exc:
            span.fail(code_of(exc))
            raise
        finally:
            span.end()

    def close(self) -> None:
        """Send what is left."""
        self._provider.shutdown()


class OtlpSpan:
    """A span on its way to the collector."""

    def __init__(self, span: "OtelSpan") -> None:
        self._span = span

    def set(self, name: str, value: AttributeValue | None, /) -> None:
        """Add an attribute."""
        if value is not None:
            self._span.set_attribute(name, value)

    def fail(self, code: str, /) -> None:
        """Mark it as failed."""
        from opentelemetry.trace import StatusCode  # noqa: PLC0415 - only where set

        self._span.set_attribute("error.type", code)
        self._span.set_status(StatusCode.ERROR)

    def end(self) -> None:
        """End it."""
        self._span.end()


def code_of(exc: BaseException) -> str:
    """Return what a failure is called: the problem's code, or the class."""
    return exc.code() if isinstance(exc, AppError) else type(exc).__name__


def _provider(settings: TraceSettings, version: str) -> "TracerProvider":
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # noqa: PLC0415 - only where set
        OTLPSpanExporter,
    )
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415 - only where set
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415 - only where set
    from opentelemetry.sdk.trace.export import (  # noqa: PLC0415 - only where set
        BatchSpanProcessor,
    )

    exporter = OTLPSpanExporter(
        traces_url(settings.endpoint or ""),
        headers=settings.headers,
        timeout=SEND_TIMEOUT_S,
    )
    resource = Resource({"service.name": SERVICE, "service.version": version})
    provider = TracerProvider(resource=resource)  # also sends what is left at exit
    provider.add_span_processor(
        BatchSpanProcessor(exporter, schedule_delay_millis=SEND_EVERY_MS)
    )
    return provider
