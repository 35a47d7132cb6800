"""The prompt: our rules as the system message, all else as data within the window.

Passages are fenced with a random word, which no author of a document can know.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal
from uuid import UUID

from dossier.chat.rules.messages import estimated_tokens, speaker_name
from dossier.chat.rules.prompt_injection import cleaned
from dossier.chat.types import Turn

HISTORY_SHARE = 0.3
"""Of the window, for earlier messages; the rest is for passages."""
PERSONA_SHARE = 0.5
"""Of the window, the most for the description of a persona."""
SUMMARY_SHARE = 0.25
PROMPT_SUMMARY_TOKENS = 600
"""More than a running summary takes: four hundred tokens by a model's count."""
RESERVE_TOKENS = 256
PERSONA_CHARACTERS = 2_000
TURN_TOKENS = 4
"""What a model's format adds to each message."""
MIN_PASSAGE_TOKENS = 40
"""A passage that is cut to less is left out."""
FENCE_TOKENS = 40
"""What stands around a passage, but for the names of file and place."""

RoleMessage = tuple[Literal["system", "user", "assistant"], str]


@dataclass(frozen=True, slots=True)
class PromptBudget:
    """What a prompt begins with, and what of the window is left beside a question."""

    system: str
    """Our rules, and the description of the persona as far as it fits."""
    left_tokens: int
    """For summary, history and passages; negative: the question does not fit."""

    @property
    def summary_tokens(self) -> int:
        """Return how much is kept for the running summary."""
        return min(PROMPT_SUMMARY_TOKENS, int(max(0, self.left_tokens) * SUMMARY_SHARE))

    def history_tokens(self, *, is_grounded: bool) -> int:
        """Return how much is left for earlier messages."""
        left = max(0, self.left_tokens - self.summary_tokens)
        return int(left * HISTORY_SHARE) if is_grounded else left

    def system_with(self, summary: str | None) -> str:
        """Return the system message with the summary, as far as that fits."""
        if not summary:
            return self.system
        clean = cleaned(summary)

        def render(characters: int) -> str:
            text = json.dumps(clean[:characters], ensure_ascii=False)
            return f"\n\nWhat was said before, in short: {text}"

        return self.system + _longest(self.summary_tokens, len(summary), render)

    def passage_tokens(self, messages: Sequence[RoleMessage]) -> int:
        """Return what the messages before the question leave for passages."""
        (_system, begun), *turns = messages
        texts = [begun.removeprefix(self.system), *(text for _role, text in turns)]
        taken = sum(estimated_tokens(text) + TURN_TOKENS for text in texts)
        return self.left_tokens - taken


def budget_of(
    window_tokens: int, fixed_texts: Sequence[str], persona: Mapping[str, Any]
) -> PromptBudget:
    """Divide a window, from which the answer is taken; our rules are the first text."""
    fixed = sum(estimated_tokens(each) for each in fixed_texts)
    left = window_tokens - fixed - RESERVE_TOKENS

    def render(characters: int) -> str:
        described = persona_json(persona, characters)
        return f"\n\nYour manner, as its owner put it: {described}"

    limit_tokens = max(0, int(left * PERSONA_SHARE))
    described = _longest(limit_tokens, PERSONA_CHARACTERS, render)
    rules = fixed_texts[0].strip()
    return PromptBudget(rules + described, left - estimated_tokens(described))


def persona_json(
    persona: Mapping[str, Any], characters: int = PERSONA_CHARACTERS
) -> str:
    """Return a persona as data that the prompt places below its rules."""
    short = {
        name: cleaned(str(value))[:characters]
        for name, value in persona.items()
        if value
    }
    return json.dumps(short, ensure_ascii=False, sort_keys=True)


def has_several_people(turns: Sequence[Turn], asker: str) -> bool:
    """Return whether more than one person wrote."""
    return any(turn.role == "user" and turn.name != asker for turn in turns)


def user_text(name: str, text: str, *, is_named: bool) -> str:
    """Return a message without role marks, with its author's name where wanted."""
    clean = cleaned(text)
    return f"[{speaker_name(cleaned(name))}] {clean}" if is_named else clean


def conversation(
    system: str, turns: Sequence[Turn], *, is_named: bool
) -> list[RoleMessage]:
    """Return the messages before a question; neighbours of one role become one."""
    messages: list[RoleMessage] = [("system", system)]
    for turn in turns:
        if turn.role == "assistant":
            _append(messages, "assistant", cleaned(turn.text))
        else:
            text = user_text(turn.name, turn.text, is_named=is_named)
            _append(messages, "user", text)
    return messages


def with_question(messages: Sequence[RoleMessage], question: str) -> list[RoleMessage]:
    """Return the messages with the question behind them."""
    whole = list(messages)
    _append(whole, "user", question)
    return whole


def _append(
    messages: list[RoleMessage], role: Literal["user", "assistant"], text: str
) -> None:
    if messages and messages[-1][0] == role:
        text = f"{messages.pop()[1]}\n\n{text}"
    messages.append((role, text))


def turn_tokens(turn: Turn) -> int:
    """Return how much of a window a turn takes, with the name of who speaks."""
    name = estimated_tokens(speaker_name(turn.name))
    return TURN_TOKENS + name + estimated_tokens(turn.text)


class HistoryWindow:
    """The newest turns of a branch that fit into a number of tokens, unabridged."""

    def __init__(self, limit_tokens: int) -> None:
        self._left_tokens = limit_tokens
        self._newest_first: list[Turn] = []
        self.cut_at: UUID | None = None
        """The newest turn that did not fit; older ones are not asked for then."""

    @property
    def turns(self) -> tuple[Turn, ...]:
        """Return the turns that fit, the oldest first."""
        return tuple(reversed(self._newest_first))

    def add(self, turns: Iterable[Turn]) -> None:
        """Add what fits of these turns: the newest first, older than those added."""
        for turn in turns:
            if self.cut_at is not None:
                return
            tokens = turn_tokens(turn)
            if tokens > self._left_tokens:
                self.cut_at = turn.message_id
                return
            self._left_tokens -= tokens
            self._newest_first.append(turn)


@dataclass(frozen=True, slots=True)
class PromptPassage:
    """A passage to be shown to a model."""

    number: int
    filename: str
    label: str
    text: str


def within_window(
    passages: Sequence[PromptPassage], window_tokens: int
) -> list[PromptPassage]:
    """Return the best passages, cleaned, cut where the window ends."""
    shown: list[PromptPassage] = []
    left = window_tokens
    for each in passages:
        whole = cleaned(each.text)
        name, label = _attribute(each.filename), _attribute(each.label)
        left -= FENCE_TOKENS + estimated_tokens(name) + estimated_tokens(label)
        text = _longest(max(0, left), len(whole), partial(_beginning, whole))
        tokens = estimated_tokens(text)
        if tokens < min(MIN_PASSAGE_TOKENS, estimated_tokens(whole)):
            break
        shown.append(PromptPassage(each.number, name, label, text))
        left -= tokens
    return shown


def fenced(passages: Sequence[PromptPassage], nonce: str) -> str:
    """Return passages as one block, each within a fence that its text cannot close."""
    return "\n".join(
        f'<passage-{nonce} n="{each.number}" file="{each.filename}"'
        f' place="{each.label}">\n{each.text}\n</passage-{nonce}>'
        for each in passages
    )


def grounded_question(
    question: str, passages: Sequence[PromptPassage], nonce: str
) -> str:
    """Return the passages, each within its fence, and then the question."""
    return f"{fenced(passages, nonce)}\n\nQuestion:\n{question}"


def _attribute(value: str) -> str:
    """A file's name is its uploader's text as well."""
    return re.sub(r"[\"<>\n\r]", " ", cleaned(value))[:200].strip()


def _beginning(text: str, characters: int) -> str:
    return text[:characters]


def _longest(limit_tokens: int, characters: int, render: Callable[[int], str]) -> str:
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
