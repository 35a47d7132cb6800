"""What a benchmark reports: rates, percentiles, ratios; rounded for people."""

import statistics
from collections.abc import Sequence
from typing import TypedDict


class Figures(TypedDict):
    """Throughput and latency of one run."""

    requests_per_s: float
    p50_ms: float
    p99_ms: float
    cpu_us: float
    """Of the server process, for each request; hardly moved by load beside it."""
    requests: int
    refused: int


def figures(
    latencies_ms: Sequence[float], elapsed_s: float, cpu_s: float, refused: int
) -> Figures:
    """Summarise one run."""
    return Figures(
        cpu_us=round(cpu_s * 1_000_000 / len(latencies_ms), 1),
        requests_per_s=round(len(latencies_ms) / elapsed_s, 1),
        p50_ms=percentile(latencies_ms, 50),
        p99_ms=percentile(latencies_ms, 99),
        requests=len(latencies_ms),
        refused=refused,
    )


def percentile(values: Sequence[float], rank: int) -> float:
    """Return a percentile; of a single value, that value."""
    if len(values) == 1:
        return round(values[0], 3)
    return round(statistics.quantiles(values, n=100, method="inclusive")[rank - 1], 3)


def ratio(ours: float, theirs: float) -> float:
    """Return how many times as much ours is."""
    return round(ours / theirs, 2)
