"""Questions and earlier ones: follow-ups ("And after opening?"), and similar ones.

A similar question is offered and no more: questions with opposite meaning can share
nearly all their words.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Final, TypeVar

from dossier.chat.rules.messages import estimated_tokens
from dossier.chat.types import Turn

Key = TypeVar("Key")

FOLLOW_UP_TOKENS: Final = 12
"""A longer question names what it is about."""
MIN_OVERLAP = 0.6
"""Shared terms, of all terms of both."""
LONGEST_QUESTION = 300


def question_before(question: str, turns: Sequence[Turn]) -> str | None:
    """Return the question that a short one goes on from, the newest in its branch."""
    if estimated_tokens(question) > FOLLOW_UP_TOKENS:
        return None
    return next((turn.text for turn in reversed(turns) if turn.role == "user"), None)


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
