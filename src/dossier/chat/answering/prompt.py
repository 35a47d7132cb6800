"""The prompt of one answer, within the model's context window."""

import secrets
from collections.abc import Mapping
from typing import Any

from dossier.ai.service.prompts import load_prompt
from dossier.chat.answering.events import Replay
from dossier.chat.answering.retrieval import RetrievedPassages
from dossier.chat.exceptions import QuestionTooLongError
from dossier.chat.rules.claims import CitedSource, as_written
from dossier.chat.rules.messages import estimated_tokens
from dossier.chat.rules.prompting import (
    RESERVE_TOKENS,
    PromptBudget,
    RoleMessage,
    budget_of,
    conversation,
    grounded_question,
    has_several_people,
    user_text,
    with_question,
    within_window,
)
from dossier.chat.types import AnswerContext, ContextWindow
from dossier.integrations.llm.types import CompletionRequest, PromptMessage

GROUNDED_PROMPT = "chat.answer"
PLAIN_PROMPT = "chat.plain"
FENCE_BYTES = 8  # at random for each request: no passage can contain its own fence
MIN_CONTINUED_TOKENS = 64
"""The least that is asked for where an answer is continued."""
_QUESTION = "\n\nQuestion:\n"


def grounded_request(
    context: AnswerContext,
    retrieved: RetrievedPassages,
    window: ContextWindow,
    continued: Replay | None,
) -> tuple[CompletionRequest, dict[int, CitedSource]]:
    """Return the request of an answer from passages, and the passages as it shows them.

    `continued` is the text that the answer goes on from.
    """
    budget, messages, question = _before_question(context, window, GROUNDED_PROMPT)
    shown = within_window(retrieved.for_prompt(), budget.passage_tokens(messages))
    if retrieved.passages and not shown:
        raise QuestionTooLongError
    fence = secrets.token_hex(FENCE_BYTES)
    messages = with_question(messages, grounded_question(question, shown, fence))
    if continued is not None and continued.deltas:
        lines = [
            as_written(
                each.sentence, [(c["number"], c["quote"]) for c in each.citations]
            )
            for each in continued.deltas
        ]
        messages.append(("assistant", "\n".join(lines) + "\n"))
    texts = {each.number: each.text for each in retrieved.passages}
    cited = {
        each.number: CitedSource(each.number, each.text, texts[each.number])
        for each in shown
    }
    return _request(messages, window), cited


def plain_request(
    context: AnswerContext, window: ContextWindow, continued: Replay | None
) -> CompletionRequest:
    """Return the request of an answer without documents."""
    budget, messages, question = _before_question(context, window, PLAIN_PROMPT)
    if budget.left_tokens < 0:
        raise QuestionTooLongError
    messages = with_question(messages, question)
    if continued is not None and continued.deltas:
        messages.append(("assistant", continued.text))
    return _request(messages, window)


def history_tokens(
    question: str,
    persona: Mapping[str, Any],
    window: ContextWindow,
    *,
    is_grounded: bool,
) -> int:
    """Return how many tokens of history fit beside a question and a persona."""
    name = GROUNDED_PROMPT if is_grounded else PLAIN_PROMPT
    budget = _budget(window, name, question, persona)
    return budget.history_tokens(is_grounded=is_grounded)


def history_digest(context: AnswerContext) -> list[str]:
    """Return what of a cache key depends on the history and on who speaks."""
    turns, asker = context.history.turns, context.asker
    is_named = has_several_people(turns, asker)
    messages = conversation(context.history.summary or "", turns, is_named=is_named)
    return [*(f"{role}:{text}" for role, text in messages), asker if is_named else ""]


def _before_question(
    context: AnswerContext, window: ContextWindow, prompt_name: str
) -> tuple[PromptBudget, list[RoleMessage], str]:
    """Return the budget, the messages before the question, and the question."""
    history = context.history
    is_named = has_several_people(history.turns, context.asker)
    question = user_text(context.asker, context.question, is_named=is_named)
    budget = _budget(window, prompt_name, question, context.persona)
    system = budget.system_with(history.summary)
    return budget, conversation(system, history.turns, is_named=is_named), question


def _budget(
    window: ContextWindow, prompt_name: str, question: str, persona: Mapping[str, Any]
) -> PromptBudget:
    texts = (load_prompt(prompt_name).text, _QUESTION, question)
    return budget_of(window.window_tokens - window.output_tokens, texts, persona)


def _request(messages: list[RoleMessage], window: ContextWindow) -> CompletionRequest:
    """Return a request; the text that is continued counts as part of the answer."""
    output_tokens = window.output_tokens
    role, text = messages[-1]
    if role == "assistant":
        taken = estimated_tokens(text) - RESERVE_TOKENS // 2
        output_tokens = max(MIN_CONTINUED_TOKENS, output_tokens - max(0, taken))
    return CompletionRequest(
        tuple(PromptMessage(role, text) for role, text in messages),
        max_output_tokens=output_tokens,
    )
