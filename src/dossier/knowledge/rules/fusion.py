"""When vectors take part in a search, and how much they weigh.

The fusion itself is part of the search statement: of each leg the hundred best, their
scores stretched to 0 to 1, added with these weights. By rank (RRF) a bad leg would
count as much as a good one.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final, Literal

LEG_LIMIT: Final = 100
"""How many passages each leg brings."""
DENSE_WEIGHT: Final = 0.5
"""Share of the vectors in a fused score; the words have the rest."""

Mode = Literal["lexical", "hybrid"]
Language = Literal["zh", "en"]

_HAN: Final = re.compile(
    r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
)


@dataclass(frozen=True, slots=True)
class VectorState:
    """What is stored of one embedding model."""

    model: str | None
    dimensions: int | None
    embedded_count: int
    chunk_count: int


def language_of(question: str) -> Language:
    """Return the language whose embedder a question needs; one character decides."""
    return "zh" if _HAN.search(question) else "en"


def why_no_vectors(
    question: str, state: VectorState, model: str, languages: Collection[str]
) -> str | None:
    """Say why a model's vectors stay out of a search, or `None` where they may join.

    `languages` are those that a probe has seen the model tell apart. English needs no
    proof; a model that takes Chinese texts for one another would spoil what the words
    had found.
    """
    if language_of(question) == "zh" and "zh" not in languages:
        return f"the embedding model {model} is not known to tell Chinese texts apart"
    if state.embedded_count == 0:
        return f"no passage has a vector of the embedding model {model} yet"
    if state.embedded_count < state.chunk_count:
        return (
            f"{state.embedded_count} of {state.chunk_count} passages have a vector of "
            f"the embedding model {model}"
        )
    return None


def why_misfit(dimensions: int, stored_dimensions: int | None) -> str | None:
    """Say why a question's vector fits no stored one, or `None` where it fits."""
    if dimensions == stored_dimensions:
        return None
    return (
        f"the embedding model answers with {dimensions} dimensions, "
        f"stored vectors have {stored_dimensions}"
    )
