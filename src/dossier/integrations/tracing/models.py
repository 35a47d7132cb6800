"""Spans and tracers, independent of any library."""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

AttributeValue = str | int | float | bool


class Span(Protocol):
    """A timed operation of a trace."""

    def set(self, name: str, value: AttributeValue | None, /) -> None:
        """Add an attribute; `None` is left out."""
        ...

    def fail(self, code: str, /) -> None:
        """Mark it as failed, by the code of the problem."""
        ...

    def end(self) -> None:
        """End it; later attributes are ignored."""
        ...


class Tracer(Protocol):
    """Makes spans; failures of exporting them never reach the caller."""

    @property
    def with_content(self) -> bool:
        """Whether prompts and answers may be exported as well."""
        ...

    def start(
        self, name: str, attributes: Mapping[str, AttributeValue | None], /
    ) -> Span:
        """Begin a span that the caller ends."""
        ...

    def span(
        self, name: str, attributes: Mapping[str, AttributeValue | None], /
    ) -> AbstractContextManager[Span]:
        """Begin a span that ends with the block; an error in it marks it failed."""
        ...

    def close(self) -> None:
        """Send what is left; waits for the collector, briefly."""
        ...


class NoSpan:
    """A span that is not exported."""

    def set(self, _name: str, _value: AttributeValue | None, /) -> None:
        """Do nothing."""

    def fail(self, _code: str, /) -> None:
        """Do nothing."""

    def end(self) -> None:
        """Do nothing."""


class NoTracer:
    """Exports nothing: no endpoint is set."""

    with_content = False
    _span = NoSpan()

    def start(
        self, _name: str, _attributes: Mapping[str, AttributeValue | None], /
    ) -> Span:
        """Return a span that is not exported."""
        return self._span

    @contextmanager
    def span(
        self, _name: str, _attributes: Mapping[str, AttributeValue | None], /
    ) -> Iterator[Span]:
        """Yield a span that is not exported."""
        yield self._span

    def close(self) -> None:
        """Do nothing."""
