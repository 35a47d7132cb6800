"""The parts of a prompt: our rules as the system message, all else as data."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

from dossier.chat.rules.passages import Shown, cleaned, fenced
from dossier.chat.rules.window import TURN_TOKENS
from dossier.chat.rules.wording import estimated_tokens, speaker_name
from dossier.chat.types import Turn

HISTORY_SHARE = 0.3
"""Of the window, for what was said before; the rest is for passages."""
PERSONA_SHARE = 0.5
"""Of the window, the most for what a persona is like."""
SUMMARY_SHARE = 0.25
SUMMARY_TOKENS = 600
"""More than a running summary takes: four hundred tokens by a model's count."""
RESERVE_TOKENS = 256
PERSONA_CHARACTERS = 2_000

Message = tuple[Literal["system", "user", "assistant"], str]


@dataclass(frozen=True, slots=True)
class Budget:
    """What a prompt begins with, and what of the window is left beside a question."""

    system: str
    """Our rules, and the persona's manner as far as it fits."""
    left_tokens: int
    """For summary, history and passages; below nought: the question does not fit."""

    @property
    def summary_tokens(self) -> int:
        """Return how much is kept for the running summary."""
        return min(SUMMARY_TOKENS, int(max(0, self.left_tokens) * SUMMARY_SHARE))

    def history_tokens(self, *, is_grounded: bool) -> int:
        """Return how much is left for what was said before."""
        left = max(0, self.left_tokens - self.summary_tokens)
        return int(left * HISTORY_SHARE) if is_grounded else left

    def system_with(self, summary: str | None) -> str:
        """Return the system message with the summary, as far as that fits."""
        if not summary:
            return self.system
        render = partial(_summed_up, cleaned(summary))
        return self.system + _within(self.summary_tokens, len(summary), render)

    def passage_tokens(self, said: Sequence[Message]) -> int:
        """Return what the messages before the question leave for passages."""
        (_system, begun), *turns = said
        texts = [begun.removeprefix(self.system), *(text for _role, text in turns)]
        taken = sum(estimated_tokens(text) + TURN_TOKENS for text in texts)
        return self.left_tokens - taken


def budget_of(
    window_tokens: int, fixed_texts: Sequence[str], persona: Mapping[str, Any]
) -> Budget:
    """Divide a window, which the answer is no part of; our rules are the first text."""
    fixed = sum(estimated_tokens(each) for each in fixed_texts)
    left = window_tokens - fixed - RESERVE_TOKENS
    limit_tokens = max(0, int(left * PERSONA_SHARE))
    as_json = partial(_as_json, _cleaned_persona(persona))
    rules = fixed_texts[0].strip()
    manner = _within(limit_tokens, PERSONA_CHARACTERS, partial(_introduced, as_json))
    return Budget(rules + manner, left - estimated_tokens(manner))


def manner_of(persona: Mapping[str, Any]) -> str:
    """Return what a persona is like, as data that the prompt places below its rules."""
    return _as_json(_cleaned_persona(persona), PERSONA_CHARACTERS)


def are_several(turns: Sequence[Turn], asker: str) -> bool:
    """Return whether more than one person wrote."""
    return any(turn.role == "user" and turn.name != asker for turn in turns)


def spoken(name: str, text: str, *, is_named: bool) -> str:
    """Return a message without role marks, with its author's name where wanted."""
    said = cleaned(text)
    return f"[{speaker_name(cleaned(name))}] {said}" if is_named else said


def conversation(
    system: str, turns: Sequence[Turn], *, is_named: bool
) -> list[Message]:
    """Return the messages before a question; neighbours of one role become one."""
    said: list[Message] = [("system", system)]
    for turn in turns:
        if turn.role == "assistant":
            _append(said, "assistant", cleaned(turn.text))
        else:
            _append(said, "user", spoken(turn.name, turn.text, is_named=is_named))
    return said


def asked(said: Sequence[Message], question: str) -> list[Message]:
    """Return the messages with the question behind them."""
    whole = list(said)
    _append(whole, "user", question)
    return whole


def grounded_question(question: str, passages: Sequence[Shown], nonce: str) -> str:
    """Return the passages, each within its fence, and then the question."""
    return f"{fenced(passages, nonce)}\n\nQuestion:\n{question}"


def _append(said: list[Message], role: Literal["user", "assistant"], text: str) -> None:
    if said and said[-1][0] == role:
        text = f"{said.pop()[1]}\n\n{text}"
    said.append((role, text))


def _cleaned_persona(persona: Mapping[str, Any]) -> dict[str, str]:
    return {name: cleaned(str(value)) for name, value in persona.items() if value}


def _as_json(persona: Mapping[str, str], characters: int) -> str:
    short = {name: value[:characters] for name, value in persona.items()}
    return json.dumps(short, ensure_ascii=False, sort_keys=True)


def _introduced(as_json: Callable[[int], str], characters: int) -> str:
    return f"\n\nYour manner, as its owner put it: {as_json(characters)}"


def _summed_up(summary: str, characters: int) -> str:
    text = json.dumps(summary[:characters], ensure_ascii=False)
    return f"\n\nWhat was said before, in short: {text}"


def _within(limit_tokens: int, characters: int, render: Callable[[int], str]) -> str:
    """Return the rendering with as many characters as fit; empty if none do."""
    if estimated_tokens(whole := render(characters)) <= limit_tokens:
        return whole
    low, high = -1, characters - 1
    while low < high:
        middle = (low + high + 1) // 2
        if estimated_tokens(render(middle)) <= limit_tokens:
            low = middle
        else:
            high = middle - 1
    return render(low) if low >= 0 else ""
