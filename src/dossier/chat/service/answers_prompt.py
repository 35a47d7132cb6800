"""The call of a model for one answer: what it is told, and under which prompt."""

import secrets
from dataclasses import dataclass

from dossier.ai.service import Prompt, load_prompt
from dossier.chat.constants import History
from dossier.chat.rules.claims import Source, written_again
from dossier.chat.rules.passages import cleaned, within_window
from dossier.chat.rules.prompting import (
    Budget,
    Message,
    budget_of,
    conversation,
    grounded_question,
    system_text,
)
from dossier.chat.rules.replay import Replay
from dossier.chat.service.answers_brief import Brief
from dossier.chat.service.answers_sources import Sources
from dossier.integrations.llm.models import ChatMessage, ChatRequest

GROUNDED_PROMPT = "chat.answer"
PLAIN_PROMPT = "chat.plain"
FENCE_BYTES = 8


@dataclass(frozen=True, slots=True)
class Window:
    """How long a prompt may be, and an answer."""

    window_tokens: int
    output_tokens: int

    def budget(self, prompt: Prompt, question: str) -> Budget:
        """Return what is left for history and passages."""
        texts = (prompt.text, question)
        return budget_of(self.window_tokens, self.output_tokens, texts)


@dataclass(frozen=True, slots=True)
class GroundedCall:
    """A request, and the passages as the model is shown them."""

    request: ChatRequest
    sources: dict[int, Source]


def grounded_call(
    brief: Brief, sources: Sources, window: Window, told: Replay | None
) -> GroundedCall:
    """Return the call of an answer from passages; `told` is what it goes on from."""
    prompt = load_prompt(GROUNDED_PROMPT)
    budget = window.budget(prompt, brief.question)
    shown = within_window(sources.found(), budget.passage_tokens)
    texts = {each.number: each.text for each in sources.passages}
    asked = grounded_question(
        cleaned(brief.question), shown, secrets.token_hex(FENCE_BYTES)
    )
    system = system_text(prompt.text, brief.persona, brief.history.summary)
    said = conversation(system, brief.history.turns, asked)
    if told is not None and told.pieces:
        said.append(("assistant", _written(told)))
    known = {
        each.number: Source(each.number, each.text, texts[each.number])
        for each in shown
    }
    return GroundedCall(_request(said, window), known)


def plain_call(brief: Brief, window: Window, told: Replay | None) -> ChatRequest:
    """Return the call of an answer without papers."""
    prompt = load_prompt(PLAIN_PROMPT)
    system = system_text(prompt.text, brief.persona, brief.history.summary)
    said = conversation(system, brief.history.turns, brief.question)
    if told is not None and told.pieces:
        said.append(("assistant", told.text))
    return _request(said, window)


def history_tokens(question: str, window: Window, *, is_grounded: bool) -> int:
    """Return how much of the past fits."""
    prompt = load_prompt(GROUNDED_PROMPT if is_grounded else PLAIN_PROMPT)
    budget = window.budget(prompt, question)
    if is_grounded:
        return budget.history_tokens
    return budget.history_tokens + budget.passage_tokens


def history_digest(history: History) -> list[str]:
    """Return what of the past an answer depends on."""
    return [history.summary or "", *(f"{t.role}:{t.text}" for t in history.turns)]


def _written(told: Replay) -> str:
    """Return the claims so far as the model had written them."""
    lines = [
        written_again(piece.sentence, [(q["number"], q["quote"]) for q in piece.quotes])
        for piece in told.pieces
    ]
    return "\n".join(lines) + "\n"


def _request(said: list[Message], window: Window) -> ChatRequest:
    messages = tuple(ChatMessage(role, content) for role, content in said)
    return ChatRequest(messages, max_output_tokens=window.output_tokens)
