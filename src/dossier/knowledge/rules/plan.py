"""By which way a tenant's passages are searched: all of them, or the likely ones.

Looking at every passage is exact and, up to some thousands, the fastest. Above that
the rarest words of the question name candidates, and vectors come from their index.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

EXACT_CHUNKS: Final = 5_000
"""Up to this many every passage is looked at."""
SPARSE_TENANT_CHUNKS: Final = 20_000
SPARSE_TENANT_SHARE: Final = 0.1
"""Up to so many, too, where they are less than this share of the table: an index over
all tenants would be walked past everybody else's vectors."""
RAREST_TERMS: Final = 12
"""How many of a question's terms name candidates, the rarest first."""


class Plan(StrEnum):
    """How passages are searched."""

    EXACT = "exact"
    STAGED = "staged"


def plan_for(chunk_count: int, table_chunk_count: int) -> Plan:
    """Return how to search so many passages in a table of so many."""
    if chunk_count <= EXACT_CHUNKS:
        return Plan.EXACT
    is_sparse = chunk_count < SPARSE_TENANT_SHARE * table_chunk_count
    if chunk_count <= SPARSE_TENANT_CHUNKS and is_sparse:
        return Plan.EXACT
    return Plan.STAGED


def rarest(holding_counts: Mapping[int, int]) -> list[int]:
    """Return the terms that name candidates: those that the fewest passages hold."""
    held = {term: count for term, count in holding_counts.items() if count > 0}
    return sorted(held, key=lambda term: (held[term], term))[:RAREST_TERMS]
