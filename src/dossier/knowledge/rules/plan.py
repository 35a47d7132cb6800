"""By which way a tenant's passages are searched: all of them, or the likely ones.

Looking at every passage is exact and, up to some thousands, fast. Above that the rarest
words of the question name candidates, and vectors come from their index.
"""

from collections.abc import Mapping
from typing import Final

LEXICAL_EXACT_CHUNKS: Final = 2_000
"""Up to this many every passage is weighed; of Chinese ones each takes about 3 µs."""
CANDIDATES: Final = 1_000
"""Passages that the rarest terms may name together. Measured on 40,000 passages:
.98 of the ten best are among them, in a thirtieth of the time."""
CANDIDATE_LIMIT: Final = 10_000
"""Where a question has one term only, and most passages hold it."""

DENSE_EXACT_CHUNKS: Final = 5_000
DENSE_SPARSE_CHUNKS: Final = 20_000
DENSE_SPARSE_SHARE: Final = 0.1
"""Up to so many, too, where they are less than this share of the table: the index is
walked past everybody else's vectors."""


def is_lexical_staged(chunk_count: int) -> bool:
    """Tell whether rare terms name candidates."""
    return chunk_count > LEXICAL_EXACT_CHUNKS


def is_dense_staged(chunk_count: int, table_chunk_count: int) -> bool:
    """Tell whether vectors come from their index."""
    if chunk_count <= DENSE_EXACT_CHUNKS:
        return False
    is_sparse = chunk_count < DENSE_SPARSE_SHARE * table_chunk_count
    return chunk_count > DENSE_SPARSE_CHUNKS or not is_sparse


def rarest(holding_counts: Mapping[int, int]) -> list[int]:
    """Return the rarest terms that passages hold, together not too many passages."""
    held = sorted((count, term) for term, count in holding_counts.items() if count > 0)
    chosen: list[int] = []
    named = 0
    for count, term in held:
        named += count
        if chosen and named > CANDIDATES:
            break
        chosen.append(term)
    return chosen
