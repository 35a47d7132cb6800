"""Checks what an embedder gave, and makes each vector one of length one."""

import math
from collections.abc import Sequence
from itertools import chain

from dossier.knowledge.constants import MAX_DIMENSIONS
from dossier.knowledge.exceptions import EmbeddingMalformedError


def unit_vectors(vectors: Sequence[Sequence[float]], count: int) -> list[str]:
    """Return vectors of one size as the database reads them, or raise."""
    sizes = {len(each) for each in vectors}
    if len(vectors) != count or len(sizes) != 1:
        detail = f"{len(vectors)} vectors of sizes {sorted(sizes)} for {count} texts"
        raise EmbeddingMalformedError(detail)
    check_size(*sizes)
    if not all(map(math.isfinite, chain.from_iterable(vectors))):
        message = "a vector has a member that is no number"
        raise EmbeddingMalformedError(message)
    return [_unit(each) for each in vectors]


def check_size(dimensions: int) -> None:
    """Refuse vectors that cannot be kept."""
    if not 1 <= dimensions <= MAX_DIMENSIONS:
        detail = f"vectors of {dimensions} members; 1 to {MAX_DIMENSIONS} can be kept"
        raise EmbeddingMalformedError(detail)


def _unit(vector: Sequence[float]) -> str:
    length = math.hypot(*vector) or 1.0  # nothing is like a vector of zeros
    return "[" + ",".join(f"{member / length:.5g}" for member in vector) + "]"
