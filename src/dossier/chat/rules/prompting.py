"""What a model is told, and with which authority: our rules first, all else as data."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from dossier.chat.constants import Turn
from dossier.chat.rules.passages import Shown, cleaned, fenced
from dossier.chat.rules.wording import estimated_tokens

HISTORY_SHARE = 0.3
"""Of the window, for what was said before; the rest is for passages."""
RESERVE_TOKENS = 256
PERSONA_CHARACTERS = 2_000

Message = tuple[Literal["system", "user", "assistant"], str]


@dataclass(frozen=True, slots=True)
class Budget:
    """Tokens of the window, by what they are for."""

    history_tokens: int
    passage_tokens: int


def budget_of(
    window_tokens: int, output_tokens: int, fixed_texts: Sequence[str]
) -> Budget:
    """Divide what the prompt, the question and the answer leave of the window."""
    fixed = sum(estimated_tokens(each) for each in fixed_texts)
    left = max(0, window_tokens - output_tokens - fixed - RESERVE_TOKENS)
    history = int(left * HISTORY_SHARE)
    return Budget(history, left - history)


def manner_of(persona: Mapping[str, Any]) -> str:
    """Return what a persona is like, as data that the prompt places below its rules."""
    told = {
        name: cleaned(str(value))[:PERSONA_CHARACTERS]
        for name, value in persona.items()
        if value
    }
    return json.dumps(told, ensure_ascii=False, sort_keys=True)


def system_text(prompt: str, persona: Mapping[str, Any], summary: str | None) -> str:
    """Return our rules, then the persona's manner and the summary as material."""
    parts = [prompt.strip(), f"Your manner, as its owner put it: {manner_of(persona)}"]
    if summary:
        told = json.dumps(cleaned(summary), ensure_ascii=False)
        parts.append(f"What was said before, in short: {told}")
    return "\n\n".join(parts)


def conversation(system: str, turns: Sequence[Turn], last: str) -> list[Message]:
    """Return the messages of a call; neighbours of one role become one."""
    said: list[Message] = [("system", system)]
    for turn in turns:
        role: Literal["user", "assistant"] = (
            "assistant" if turn.role == "assistant" else "user"
        )
        _append(said, role, turn.text)
    _append(said, "user", last)
    return said


def grounded_question(question: str, passages: Sequence[Shown], nonce: str) -> str:
    """Return the passages, each within its fence, and then the question."""
    return f"{fenced(passages, nonce)}\n\nQuestion:\n{question}"


def _append(said: list[Message], role: Literal["user", "assistant"], text: str) -> None:
    if said and said[-1][0] == role:
        text = f"{said.pop()[1]}\n\n{text}"
    said.append((role, text))
