"""Questions that can be understood only with the one before: "And after opening?"."""

from collections.abc import Sequence
from typing import Final

from dossier.chat.rules.wording import estimated_tokens
from dossier.chat.types import Turn

LONGEST_TOKENS: Final = 12
"""A longer question names what it is about."""


def question_before(question: str, turns: Sequence[Turn]) -> str | None:
    """Return the question that a short one goes on from, the newest in its branch."""
    if estimated_tokens(question) > LONGEST_TOKENS:
        return None
    return next((turn.text for turn in reversed(turns) if turn.role == "user"), None)
