"""How an organisation's passages are searched: exactly or by candidates, and fused.

Comparing every passage is exact and, up to some thousands, fast. Above that the rarest
terms of the question select candidates, and vectors come from their index.

The fusion is a part of the search statement: the hundred best of each leg, their scores
stretched to 0 to 1, added with these weights. Reciprocal rank fusion would give a bad
leg the weight of a good one.
"""

from collections.abc import Mapping
from typing import Final

LEG_LIMIT: Final = 100
"""How many passages each leg returns."""
DENSE_WEIGHT: Final = 0.5
"""Share of the vectors in a fused score; the rest is the lexical leg's."""

LEXICAL_EXACT_CHUNKS: Final = 2_000
"""Up to this many every passage is weighed; of Chinese ones each takes about 3 µs."""
CANDIDATES: Final = 1_000
"""Passages that the rarest terms may select together. Measured on 40,000 passages:
.98 of the ten best are among them, in a thirtieth of the time."""
CANDIDATE_LIMIT: Final = 10_000
"""Bound where the only term of a question is in most passages."""

DENSE_EXACT_CHUNKS: Final = 5_000
DENSE_SPARSE_CHUNKS: Final = 20_000
DENSE_SPARSE_SHARE: Final = 0.1
"""Exact up to so many where they are less than this share of the table: a scan of the
index would pass all other organisations' vectors."""


def is_lexical_staged(chunk_count: int) -> bool:
    """Return whether the rarest terms select candidates."""
    return chunk_count > LEXICAL_EXACT_CHUNKS


def is_dense_staged(chunk_count: int, table_chunk_count: int) -> bool:
    """Return whether vectors come from their index."""
    if chunk_count <= DENSE_EXACT_CHUNKS:
        return False
    is_sparse = chunk_count < DENSE_SPARSE_SHARE * table_chunk_count
    return chunk_count > DENSE_SPARSE_CHUNKS or not is_sparse


def rarest(holding_counts: Mapping[int, int]) -> list[int]:
    """Return the rarest terms, so many that about `CANDIDATES` passages hold them."""
    held = sorted((count, term) for term, count in holding_counts.items() if count > 0)
    chosen: list[int] = []
    selected = 0
    for count, term in held:
        selected += count
        if chosen and selected > CANDIDATES:
            break
        chosen.append(term)
    return chosen
