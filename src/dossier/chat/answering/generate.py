"""Text of a model: claims that are checked, or plain words without foreign links."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING, Final

from dossier.ai.service.prompts import load_prompt
from dossier.chat.answering.retrieval import RetrievedPassages
from dossier.chat.answering.stream import AnswerStream
from dossier.chat.rules.claims import Claim, ClaimFault, ClaimReader
from dossier.chat.rules.links import LinkGuard
from dossier.integrations.llm.exceptions import (
    ModelRefusedError,
    ModelResponseMalformedError,
)
from dossier.integrations.llm.types import (
    CallTag,
    Completed,
    CompletionRequest,
    StreamEvent,
    TextDiscarded,
)
from dossier.jobs.context import JobContext

if TYPE_CHECKING:
    from dossier.integrations.llm.client import ChatClient

MAX_CLAIMS: Final = 12


def call_tag(ctx: JobContext, feature: str, prompt_name: str) -> CallTag:
    """Return whose budget and ledger a call of this job counts in."""
    return CallTag(
        org_id=ctx.org_id,
        user_id=ctx.actor.user_id,
        feature=feature,
        key_id=ctx.actor.api_key_id,
        run_id=ctx.job_id,
        prompt_hash=load_prompt(prompt_name).sha256,
        conversation_id=ctx.job.subject_id,
    )


async def stream_claims(
    model: "ChatClient",
    request: CompletionRequest,
    tag: CallTag,
    ctx: JobContext,
    stream: AnswerStream,
    reader: ClaimReader,
    retrieved: RetrievedPassages,
) -> Completed | None:
    """Emit each claim as soon as its quotes are found in the passages."""
    passages = retrieved.numbered()

    def emit(claims: Sequence[Claim]) -> None:
        for claim in claims:
            if stream.claims_count < MAX_CLAIMS:
                stream.append_claim(claim, passages)
            elif not stream.has_claim(claim):
                reader.dropped[ClaimFault.TOO_MANY] += 1

    completed = None
    async with aclosing(_events(model, request, tag)) as events:
        async for event in events:
            if isinstance(event, Completed):
                completed = event
            elif isinstance(event, TextDiscarded):
                stream.restart(ctx)
                reader.restart()
            else:
                emit(reader.feed(event.text))
    emit(reader.finish())
    return completed


async def stream_tokens(
    model: "ChatClient",
    request: CompletionRequest,
    tag: CallTag,
    ctx: JobContext,
    stream: AnswerStream,
    known_texts: Sequence[str],
) -> Completed | None:
    """Emit each token at once; only addresses of the known texts are repeated."""
    guard = LinkGuard(known_texts, stream.text)
    completed = None
    async with aclosing(_events(model, request, tag)) as events:
        async for event in events:
            if isinstance(event, Completed):
                completed = event
            elif isinstance(event, TextDiscarded):
                stream.restart(ctx)
                stream.open()
                guard = LinkGuard(known_texts)
            elif shown := guard.feed(event.text):
                stream.token(shown)
    if rest := guard.finish():
        stream.token(rest)
    if not stream.text.strip():
        detail = "The model ended its answer without a word."
        raise ModelResponseMalformedError(detail)
    return completed


async def _events(
    model: "ChatClient", request: CompletionRequest, tag: CallTag
) -> AsyncGenerator[StreamEvent]:
    """Yield a model's events; a refusal raises `ModelRefusedError`."""
    async for event in model.stream(request, tag):
        if isinstance(event, Completed) and event.finish_reason == "refusal":
            raise ModelRefusedError
        yield event
