"""What a trace is made of, for whoever is traced; knows no library."""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

Value = str | int | float | bool


class Span(Protocol):
    """Something that takes a while and is told of."""

    def set(self, name: str, value: Value | None, /) -> None:
        """Add an attribute; `None` is left out."""
        ...

    def fail(self, code: str, /) -> None:
        """Mark it as failed, by the code of the problem."""
        ...

    def end(self) -> None:
        """End it; what comes later is not told."""
        ...


class Tracer(Protocol):
    """Makes spans; whatever goes wrong in telling of them never reaches the caller."""

    @property
    def with_content(self) -> bool:
        """Whether what was asked and answered may be told as well."""
        ...

    def start(self, name: str, attributes: Mapping[str, Value | None], /) -> Span:
        """Begin a span that the caller ends."""
        ...

    def span(
        self, name: str, attributes: Mapping[str, Value | None], /
    ) -> AbstractContextManager[Span]:
        """Begin a span that ends with the block; an error in it marks it failed."""
        ...

    def close(self) -> None:
        """Send what is left; waits for the collector, briefly."""
        ...


class NoSpan:
    """A span that nobody is told of."""

    def set(self, _name: str, _value: Value | None, /) -> None:
        """Do nothing."""

    def fail(self, _code: str, /) -> None:
        """Do nothing."""

    def end(self) -> None:
        """Do nothing."""


class NoTracer:
    """Tells nobody: no endpoint is set."""

    with_content = False
    _span = NoSpan()

    def start(self, _name: str, _attributes: Mapping[str, Value | None], /) -> Span:
        """Return the span that is none."""
        return self._span

    @contextmanager
    def span(
        self, _name: str, _attributes: Mapping[str, Value | None], /
    ) -> Iterator[Span]:
        """Yield the span that is none."""
        yield self._span

    def close(self) -> None:
        """Do nothing."""
