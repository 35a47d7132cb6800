"""When vectors take part in a search, and how much they weigh.

The fusion itself is part of the search statement: of each leg the hundred best, their
scores stretched to 0 to 1, added with these weights. By rank (RRF) a bad leg would
count as much as a good one.
"""

import math
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final, Literal

LEG_LIMIT: Final = 100
"""How many passages each leg brings."""
DENSE_WEIGHT: Final = 0.5
"""Share of the vectors in a fused score; the words have the rest."""

Mode = Literal["lexical", "hybrid"]

_HAN: Final = re.compile(
    r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
)


@dataclass(frozen=True, slots=True)
class Vectors:
    """What an organisation's passages have of vectors."""

    is_ready: bool
    model: str | None
    dimensions: int | None
    languages: Collection[str]
    """Those that the model was seen to tell apart."""


def why_not_asked(question: str, vectors: Vectors, model: str) -> str | None:
    """Say why a question is not embedded at all, or `None` where it may be.

    English needs no proof. A model that takes Chinese texts for one another would
    spoil what the words had found; one character of Chinese makes a question so.
    """
    if not vectors.is_ready or vectors.model is None:
        return f"the passages have no vectors of the model {model} yet"
    if vectors.model != model:
        return f"the passages have vectors of {vectors.model}, the model is {model}"
    if _HAN.search(question) and "zh" not in vectors.languages:
        return f"the model {model} is not known to tell Chinese texts apart"
    return None


def unit(vector: Sequence[float]) -> list[float] | None:
    """Return a vector at length one, or `None` where it points nowhere."""
    length = math.hypot(*vector)
    if not math.isfinite(length) or length == 0:
        return None
    return [each / length for each in vector]


def why_misfit(vector: Sequence[float] | None, vectors: Vectors) -> str | None:
    """Say why a question's vector cannot be compared, or `None` where it can."""
    if vector is None:
        return "the embedding of the question points nowhere"
    if len(vector) == vectors.dimensions:
        return None
    return (
        f"the embedding of the question has {len(vector)} dimensions, "
        f"those of the passages have {vectors.dimensions}"
    )
