"""The prompt of one answer, within the model's window."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from dossier.ai.service.prompts import Prompt, load_prompt
from dossier.chat.answering.context import AnswerContext
from dossier.chat.answering.retrieval import Sources
from dossier.chat.exceptions import QuestionTooLongError
from dossier.chat.rules.claims import Source, written_again
from dossier.chat.rules.passages import within_window
from dossier.chat.rules.prompting import (
    RESERVE_TOKENS,
    Budget,
    Message,
    are_several,
    asked,
    budget_of,
    conversation,
    grounded_question,
    spoken,
)
from dossier.chat.rules.replay import Replay
from dossier.chat.rules.wording import estimated_tokens
from dossier.core.settings import AiSettings
from dossier.integrations.llm.types import CompletionRequest, PromptMessage

GROUNDED_PROMPT = "chat.answer"
PLAIN_PROMPT = "chat.plain"
FENCE_BYTES = 8
LEAST_TOKENS = 64
"""Of an answer that goes on."""
_QUESTION = "\n\nQuestion:\n"


@dataclass(frozen=True, slots=True)
class Window:
    """How long a prompt may be, and an answer."""

    window_tokens: int
    output_tokens: int

    @classmethod
    def of(cls, ai: AiSettings) -> Self:
        """Return the window that the settings state."""
        return cls(ai.window_tokens, ai.max_output_tokens)

    def budget(
        self, prompt: Prompt, question: str, manner: Mapping[str, Any]
    ) -> Budget:
        """Return how a prompt begins, and what is left beside the question."""
        texts = (prompt.text, _QUESTION, question)
        return budget_of(self.window_tokens - self.output_tokens, texts, manner)


@dataclass(frozen=True, slots=True)
class GroundedCall:
    """A request, and the passages as the model is shown them."""

    request: CompletionRequest
    sources: dict[int, Source]


def grounded_call(
    context: AnswerContext, sources: Sources, window: Window, earlier: Replay | None
) -> GroundedCall:
    """Return the call of an answer from passages; `earlier`: text to continue."""
    budget, said, question = _before(context, window, GROUNDED_PROMPT)
    shown = within_window(sources.found(), budget.passage_tokens(said))
    if sources.passages and not shown:
        raise QuestionTooLongError
    texts = {each.number: each.text for each in sources.passages}
    fence = secrets.token_hex(FENCE_BYTES)
    said = asked(said, grounded_question(question, shown, fence))
    if earlier is not None and earlier.pieces:
        said.append(("assistant", _written(earlier)))
    known = {
        each.number: Source(each.number, each.text, texts[each.number])
        for each in shown
    }
    return GroundedCall(_request(said, window), known)


def plain_call(
    context: AnswerContext, window: Window, earlier: Replay | None
) -> CompletionRequest:
    """Return the call of an answer without papers."""
    budget, said, question = _before(context, window, PLAIN_PROMPT)
    if budget.left_tokens < 0:
        raise QuestionTooLongError
    said = asked(said, question)
    if earlier is not None and earlier.pieces:
        said.append(("assistant", earlier.text))
    return _request(said, window)


def history_tokens(
    question: str, manner: Mapping[str, Any], window: Window, *, is_grounded: bool
) -> int:
    """Return how many tokens of history fit beside a question and a persona."""
    prompt = load_prompt(GROUNDED_PROMPT if is_grounded else PLAIN_PROMPT)
    budget = window.budget(prompt, question, manner)
    return budget.history_tokens(is_grounded=is_grounded)


def history_digest(context: AnswerContext) -> list[str]:
    """Return the part of a cache key that the history and the speakers make up."""
    turns, asker = context.history.turns, context.asker
    is_named = are_several(turns, asker)
    said = conversation(context.history.summary or "", turns, is_named=is_named)
    return [*(f"{role}:{text}" for role, text in said), asker if is_named else ""]


def _before(
    context: AnswerContext, window: Window, name: str
) -> tuple[Budget, list[Message], str]:
    """Return the budget, the messages before the question, and the question."""
    history = context.history
    is_named = are_several(history.turns, context.asker)
    question = spoken(context.asker, context.question, is_named=is_named)
    budget = window.budget(load_prompt(name), question, context.persona)
    system = budget.system_with(history.summary)
    return budget, conversation(system, history.turns, is_named=is_named), question


def _written(earlier: Replay) -> str:
    """Return the claims so far as the model had written them."""
    lines = [
        written_again(piece.sentence, [(q["number"], q["quote"]) for q in piece.quotes])
        for piece in earlier.pieces
    ]
    return "\n".join(lines) + "\n"


def _request(said: list[Message], window: Window) -> CompletionRequest:
    """Return a call; what an answer goes on from takes of the answer's own room."""
    messages = tuple(PromptMessage(role, content) for role, content in said)
    output_tokens = window.output_tokens
    if said[-1][0] == "assistant":
        taken = estimated_tokens(said[-1][1]) - RESERVE_TOKENS // 2
        output_tokens = max(LEAST_TOKENS, output_tokens - max(0, taken))
    return CompletionRequest(messages, max_output_tokens=output_tokens)
