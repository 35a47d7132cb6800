"""Vectors of an embedder: checks, scaling, and when a search uses them."""

import math
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Final

from dossier.knowledge.constants import MAX_DIMENSIONS
from dossier.knowledge.exceptions import EmbeddingMalformedError

_HAN: Final = re.compile(
    r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
)


@dataclass(frozen=True, slots=True)
class VectorState:
    """The vectors that an organisation's passages have."""

    is_ready: bool
    model: str | None
    dimensions: int | None
    languages: Collection[str]
    """Those that the model distinguished when it was probed."""


def unit_vectors(vectors: Sequence[Sequence[float]], count: int) -> list[str]:
    """Return vectors of one size at length one, as the database reads them."""
    sizes = {len(each) for each in vectors}
    if len(vectors) != count or len(sizes) != 1:
        detail = f"{len(vectors)} vectors of sizes {sorted(sizes)} for {count} texts"
        raise EmbeddingMalformedError(detail)
    check_size(*sizes)
    if not all(map(math.isfinite, chain.from_iterable(vectors))):
        message = "a vector has a member that is not a finite number"
        raise EmbeddingMalformedError(message)
    texts: list[str] = []
    for vector in vectors:
        length = math.hypot(*vector) or 1.0  # nothing is like a vector of zeros
        members = (f"{member / length:.5g}" for member in vector)
        texts.append(f"[{','.join(members)}]")
    return texts


def check_size(dimensions: int) -> None:
    """Raise where vectors are too large to be stored."""
    if not 1 <= dimensions <= MAX_DIMENSIONS:
        detail = f"vectors of {dimensions} members; 1 to {MAX_DIMENSIONS} can be stored"
        raise EmbeddingMalformedError(detail)


def why_not_embedded(question: str, vectors: VectorState, model: str) -> str | None:
    """Return why a question is not embedded, or `None` where it is.

    A model that cannot distinguish Chinese texts would spoil the lexical result; one
    Chinese character makes a question Chinese. English is not checked.
    """
    if not vectors.is_ready or vectors.model is None:
        return f"the passages have no vectors of the model {model} yet"
    if vectors.model != model:
        return f"the passages have vectors of {vectors.model}, the model is {model}"
    if _HAN.search(question) and "zh" not in vectors.languages:
        return f"the model {model} is not known to distinguish Chinese texts"
    return None


def unit(vector: Sequence[float]) -> list[float] | None:
    """Return a vector at length one, or `None` for one of zeros."""
    length = math.hypot(*vector)
    if not math.isfinite(length) or length == 0:
        return None
    return [each / length for each in vector]


def why_misfit(vector: Sequence[float] | None, vectors: VectorState) -> str | None:
    """Return why a question's vector cannot be compared, or `None` where it can."""
    if vector is None:
        return "the embedding of the question has no direction"
    if len(vector) == vectors.dimensions:
        return None
    return (
        f"the embedding of the question has {len(vector)} dimensions, "
        f"those of the passages have {vectors.dimensions}"
    )
