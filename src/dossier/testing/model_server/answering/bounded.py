"""Numbers that keep within bounds, taken from a text where one fits."""

import math
import re
from collections.abc import Iterator

from dossier.testing.model_server.conversation import Json

_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
_STEPS = 1_000_000
"""A fraction of the bounds' distance that keeps off an excluded bound."""


def number(schema: Json, text: str, *, whole: bool) -> float:
    """Return the first number of the text that the schema allows, else one that is."""
    low, high = _bounds(schema, whole=whole)
    step = schema.get("multipleOf") or (1 if whole else None)
    for candidate in [*_in(text), *_fallbacks(low, high)]:
        value = candidate if step is None else _on_grid(candidate, step)
        if low <= value <= high:
            return int(value) if whole else value
    value = low if step is None else math.ceil(low / step) * step
    return int(value) if whole else value


def _in(text: str) -> Iterator[float]:
    yield from map(float, _NUMBER.findall(text))


def _fallbacks(low: float, high: float) -> Iterator[float]:
    yield from (1.0, 0.0)
    if math.isfinite(low) and math.isfinite(high):
        yield (low + high) / 2
    yield from (bound for bound in (low, high) if math.isfinite(bound))


def _on_grid(value: float, step: float) -> float:
    return round(value / step) * step


def _bounds(schema: Json, *, whole: bool) -> tuple[float, float]:
    low = schema.get("minimum", -math.inf)
    high = schema.get("maximum", math.inf)
    gap = _gap(schema, whole=whole)
    if "exclusiveMinimum" in schema:
        low = max(low, schema["exclusiveMinimum"] + gap)
    if "exclusiveMaximum" in schema:
        high = min(high, schema["exclusiveMaximum"] - gap)
    return low, high


def _gap(schema: Json, *, whole: bool) -> float:
    if whole:
        return 1
    low = float(schema.get("exclusiveMinimum", 0))
    high = float(schema.get("exclusiveMaximum", 0))
    return max(abs(high - low), abs(low), abs(high), 1) / _STEPS
