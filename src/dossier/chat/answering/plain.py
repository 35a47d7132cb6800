"""Answers without papers: the model's tokens as they come, but for foreign links."""

from contextlib import aclosing
from typing import TYPE_CHECKING, Final

from dossier.ai.exceptions import ModelNotConfiguredError
from dossier.ai.service.prompts import load_prompt
from dossier.chat.answering.context import AnswerContext
from dossier.chat.answering.generate import (
    AnswerOutcome,
    AnswerParts,
    Generated,
    events_of,
    tag_of,
)
from dossier.chat.answering.labels import (
    ANSWER_CUT,
    is_budget,
    model_label,
    with_alternative,
)
from dossier.chat.answering.prompt import PLAIN_PROMPT, plain_call
from dossier.chat.answering.stream import AnswerStream
from dossier.chat.rules.links_streamed import LinkGuard
from dossier.chat.rules.replay import Replay
from dossier.core.errors import AppError
from dossier.integrations.llm.exceptions import ModelResponseMalformedError
from dossier.integrations.llm.types import (
    Completed,
    CompletionRequest,
    Purpose,
    TextDiscarded,
)
from dossier.jobs.context import JobContext

if TYPE_CHECKING:
    from dossier.integrations.llm.client import ChatClient

FEATURE: Final = "chat.plain"


async def answer_plainly(
    parts: AnswerParts,
    ctx: JobContext,
    context: AnswerContext,
    stream: AnswerStream,
    earlier: Replay,
) -> AnswerOutcome:
    """Relay a model's answer; without a model there is none."""
    model = parts.model
    if model is None:
        raise ModelNotConfiguredError
    continued = await _continued(parts, ctx, stream, earlier)
    request = plain_call(context, parts.window, continued)
    name = model.model_name(Purpose.STRONG)
    stream.label = stream.label or model_label(name, is_grounded=False)
    stream.open()
    try:
        generated = await _relay(model, request, ctx, context, stream)
    except AppError as exc:
        if is_budget(exc):
            raise with_alternative(exc) from exc
        raise
    if generated is None:
        name = model.model_name(Purpose.STRONG)
        return AnswerOutcome(model_label(name, is_grounded=False))
    cut = ANSWER_CUT if generated.is_cut else None
    return AnswerOutcome(model_label(generated.model, cut, is_grounded=False))


async def _continued(
    parts: AnswerParts, ctx: JobContext, stream: AnswerStream, earlier: Replay
) -> Replay | None:
    """Continue the stored text where the server can, else begin anew."""
    if not earlier.added_through:
        return None
    if not earlier.pieces or not await parts.continues_text():
        ctx.restarted(earlier.added_through - 1)
        return None
    ctx.restarted(earlier.through)
    stream.continue_from(earlier)
    return earlier


async def _relay(
    model: "ChatClient",
    request: CompletionRequest,
    ctx: JobContext,
    context: AnswerContext,
    stream: AnswerStream,
) -> Generated | None:
    """Emit each token at once; return which model wrote them."""
    # A model may repeat an address that a person wrote, and no other.
    said = [turn.text for turn in context.history.turns if turn.role == "user"]
    said.append(context.question)
    guard = LinkGuard(said, stream.text)
    tag = tag_of(ctx, FEATURE, load_prompt(PLAIN_PROMPT).sha256)
    generated = None
    async with aclosing(events_of(model, request, tag)) as events:
        async for event in events:
            if isinstance(event, Completed):
                generated = Generated.of(event)
            elif isinstance(event, TextDiscarded):
                ctx.restarted(0)
                stream.restart()
                stream.open()
                guard = LinkGuard(said)
            elif shown := guard.feed(event.text):
                stream.token(shown)
    if rest := guard.finish():
        stream.token(rest)
    if not stream.text.strip():
        detail = "The model ended its answer without a word."
        raise ModelResponseMalformedError(detail)
    return generated
