"""Which earlier question is so like a new one that it may be offered.

Offered and no more: questions with opposite meaning can share nearly all their words.
"""

from collections.abc import Callable, Collection, Mapping
from typing import TypeVar

Key = TypeVar("Key")

MIN_OVERLAP = 0.6
"""Shared terms, of all terms of both."""
LONGEST_QUESTION = 300


def most_similar(
    question: str,
    earlier: Mapping[Key, str],
    terms: Callable[[str], Collection[str]],
) -> Key | None:
    """Return the earlier question with the largest overlap, if it is large enough."""
    if not earlier or len(question) > LONGEST_QUESTION:
        return None
    asked = set(terms(question))
    scores = {key: overlap(asked, set(terms(text))) for key, text in earlier.items()}
    best = max(scores, key=lambda key: scores[key])
    return best if scores[best] >= MIN_OVERLAP else None


def overlap(one: set[str], other: set[str]) -> float:
    """Return the shared part of two sets of terms."""
    return len(one & other) / len(one | other) if one and other else 0.0
