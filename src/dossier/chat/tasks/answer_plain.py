"""Answers without papers: the model's tokens as they come, and nothing between."""

from contextlib import aclosing
from typing import TYPE_CHECKING

from dossier.ai.exceptions import ModelNotConfiguredError
from dossier.ai.schemas import AnswerLabel, Degraded
from dossier.ai.service import load_prompt
from dossier.chat.rules.links_streamed import LinkGuard
from dossier.chat.rules.replay import Replay
from dossier.chat.service.answers_brief import Brief
from dossier.chat.service.answers_model import (
    Spoken,
    events_of,
    require_words,
    tag_of,
    with_way_out,
)
from dossier.chat.service.answers_outcome import ANSWER_CUT, Outcome, label_of
from dossier.chat.service.answers_prompt import PLAIN_PROMPT, plain_call
from dossier.chat.service.answers_reply import Reply
from dossier.chat.service.answers_terms import PLAIN_RULES
from dossier.core.errors import AppError
from dossier.integrations.llm.types import (
    CallTag,
    ChatRequest,
    Purpose,
    TextDelta,
)
from dossier.runs.service import RunContext

if TYPE_CHECKING:
    from dossier.chat.tasks.answer import AnswerParts
    from dossier.integrations.llm.client import ChatClient

FEATURE = "chat.plain"


async def answer_plainly(
    parts: "AnswerParts", context: RunContext, brief: Brief, reply: Reply, told: Replay
) -> Outcome:
    """Relay a model's answer; without a model there is none."""
    model = parts.ask_model()
    if model is None:
        raise ModelNotConfiguredError
    going_on = await _resumed(parts, context, reply, told)
    request = plain_call(brief, parts.window, going_on)
    prompt = load_prompt(PLAIN_PROMPT)
    reply.label = reply.label or _label(model.model_name(Purpose.STRONG))
    reply.open()
    try:
        tag = tag_of(context, FEATURE, prompt.sha256)
        guard = LinkGuard(_said_by_people(brief))
        label = await _relay(model, request, tag, reply, guard)
    except AppError as exc:
        raise with_way_out(exc) from exc
    return Outcome(label)


def _label(model: str, degraded: Degraded | None = None) -> AnswerLabel:
    return label_of(
        "model",
        PLAIN_RULES,
        model=model,
        prompt_hash=load_prompt(PLAIN_PROMPT).sha256,
        network=True,
        degraded=degraded,
    )


async def _relay(
    model: "ChatClient",
    request: ChatRequest,
    tag: CallTag,
    reply: Reply,
    guard: LinkGuard,
) -> AnswerLabel:
    """Say each token at once; return whose words they were."""
    label = _label(model.model_name(Purpose.STRONG))
    async with aclosing(events_of(model, request, tag)) as events:
        async for event in events:
            if not isinstance(event, TextDelta):
                spoken = Spoken.of(event)
                label = _label(spoken.model, ANSWER_CUT if spoken.is_cut else None)
            elif shown := guard.feed(event.text):
                reply.token(shown)
    if rest := guard.finish():
        reply.token(rest)
    require_words(reply)
    return label


def _said_by_people(brief: Brief) -> list[str]:
    """Return where an address must stand that a model may repeat."""
    said = [turn.text for turn in brief.history.turns if turn.role == "user"]
    return [*said, brief.question]


async def _resumed(
    parts: "AnswerParts", context: RunContext, reply: Reply, told: Replay
) -> Replay | None:
    """Go on from the stored text where the server can, else begin anew."""
    if not told.added_through:
        return None
    abilities = await parts.ask_abilities()
    if abilities is None or not abilities.continues_text or not told.pieces:
        await context.restarted(told.added_through - 1)
        return None
    await context.restarted(told.through)
    reply.go_on_from(told)
    return told
