"""BM25 as a dot product of a passage's weights and a question's.

A passage stores `tf * (k1 + 1) / (tf + k1 * (1 - b + b * length / average))` for each
term; a question has each term's inverse document frequency. Floats suffice: scores only
order passages.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final

K1: Final = 0.9
B: Final = 0.6

DIMENSIONS: Final = 1_000_000_000
"""pgvector's bound on a sparse vector's places."""
MAX_ELEMENTS: Final = 16_000
"""pgvector's bound on a sparse vector's elements."""

DRIFT: Final = 0.2
"""Weights are recomputed when the average length has changed by more than this."""


def count_terms(term_ids: Iterable[int]) -> dict[int, int]:
    """Count terms, the smallest id first; at most the `MAX_ELEMENTS` most frequent."""
    counts = Counter(term_ids)
    if len(counts) > MAX_ELEMENTS:
        counts = Counter(dict(counts.most_common(MAX_ELEMENTS)))
    return {each: counts[each] for each in sorted(counts)}


def weigh(
    counts: Mapping[int, int], length_terms: int, average_terms: float
) -> dict[int, float]:
    """Return a passage's BM25 weight of each of its terms."""
    norm = K1 * (1 - B + B * length_terms / max(average_terms, 1.0))
    return {term: tf * (K1 + 1) / (tf + norm) for term, tf in counts.items()}


def weighed_text(
    counts: Mapping[int, int], length_terms: int, average_terms: float
) -> str:
    """Write a passage's weights as the database reads them.

    Terms that occur equally often weigh the same, so that few numbers are written.
    """
    frequencies = {tf: tf for tf in set(counts.values())}
    weights = weigh(frequencies, length_terms, average_terms)
    texts = {tf: f"{weight:.7g}" for tf, weight in weights.items()}
    return _vector(f"{term}:{texts[tf]}" for term, tf in counts.items())


def inverse_frequency(chunk_count: int, holding_count: int) -> float:
    """Return the inverse document frequency of a term."""
    return math.log1p((chunk_count - holding_count + 0.5) / (holding_count + 0.5))


def has_drifted(pinned_terms: float, average_terms: float) -> bool:
    """Return whether weights of a pinned average length are too far off."""
    return abs(average_terms - pinned_terms) > DRIFT * pinned_terms


def sparse_text(weights: Mapping[int, float]) -> str:
    """Write a sparse vector as the database reads it."""
    return _vector(f"{term}:{weight:.7g}" for term, weight in weights.items())


def _vector(elements: Iterable[str]) -> str:
    return f"{{{','.join(elements)}}}/{DIMENSIONS}"
