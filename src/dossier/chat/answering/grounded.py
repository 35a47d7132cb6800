"""Answers from the papers: a model whose claims are checked, or the papers' words."""

from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from dossier.ai.exceptions import ModelNotConfiguredError
from dossier.ai.schemas import Degraded
from dossier.ai.service.prompts import load_prompt
from dossier.chat.answering.cache import (
    CachedAnswer,
    ModelConfig,
    StoredAnswers,
    cache_write_of,
    key_of,
)
from dossier.chat.answering.context import AnswerContext
from dossier.chat.answering.extractive import answer_verbatim, refuse
from dossier.chat.answering.generate import (
    AnswerOutcome,
    AnswerParts,
    Generated,
    events_of,
    tag_of,
)
from dossier.chat.answering.labels import (
    ANSWER_CUT,
    CLAIMS_UNSUPPORTED,
    degraded_by,
    is_budget,
    is_unaltered,
    model_label,
    verbatim_label,
    with_alternative,
)
from dossier.chat.answering.prompt import GROUNDED_PROMPT, GroundedCall, grounded_call
from dossier.chat.answering.retrieval import Sources, find_sources, restore_sources
from dossier.chat.answering.stream import AnswerStream, label_from
from dossier.chat.constants import ANSWER_JOB
from dossier.chat.exceptions import QuestionTooLongError
from dossier.chat.rules.claims import Claim, ClaimReader, Fault
from dossier.chat.rules.replay import Replay
from dossier.core.errors import AppError
from dossier.integrations.llm.types import (
    Completed,
    Purpose,
    TextDiscarded,
)
from dossier.jobs.context import JobContext

if TYPE_CHECKING:
    from dossier.integrations.llm.client import ChatClient

MAX_CLAIMS: Final = 12


class GroundedAnswer:
    """One answer from the papers."""

    def __init__(
        self,
        parts: AnswerParts,
        ctx: JobContext,
        context: AnswerContext,
        stream: AnswerStream,
    ) -> None:
        self._parts = parts
        self._ctx = ctx
        self._context = context
        self._stream = stream
        self._engine = context.job_input.engine

    async def answer(self, earlier: Replay) -> AnswerOutcome:
        """Search, then answer; `earlier` is what an earlier attempt stored."""
        model = None if self._engine == "extractive" else self._parts.model
        if model is None and self._engine == "model":
            raise ModelNotConfiguredError
        searcher = self._parts.searcher_of(self._ctx.actor)
        sources = await restore_sources(searcher, earlier)
        if sources is None and earlier.searched is not None:
            # Passages that the text quotes are gone: nothing of it counts any more.
            self._ctx.restarted(earlier.announced_through)
            earlier = Replay(announced_through=earlier.announced_through)
        continued = await self._continued(earlier, model)
        if sources is None:
            item_id = f"fs_{self._ctx.job_id.hex}"
            sources = await find_sources(
                searcher, self._context, self._ctx.emit, item_id
            )
        if model is None:
            return self._verbatim(sources, None, asked_model=False)
        if continued is not None:
            return await self._generated(model, sources, continued)
        return await self._cached_or_generated(model, sources)

    async def _continued(
        self, earlier: Replay, model: "ChatClient | None"
    ) -> Replay | None:
        """Continue after the last whole claim where the server can, else begin anew."""
        if not earlier.added_through:
            return None
        whole = earlier.without_torn_end()
        is_models = is_unaltered(label_from(earlier.label))
        can_continue = model is not None and whole.pieces and is_models
        if not can_continue or not await self._parts.continues_text():
            self._ctx.restarted(earlier.searched_through)
            return None
        self._ctx.restarted(whole.through)
        self._stream.continue_from(whole)
        return whole

    async def _cached_or_generated(
        self, model: "ChatClient", sources: Sources
    ) -> AnswerOutcome:
        """Return a stored answer, or make one that is stored when it is recorded."""
        config = ModelConfig(
            await model.find_name(Purpose.STRONG),
            model.server_label(Purpose.STRONG),
            self._parts.window,
        )
        key = key_of(self._ctx.org_id, self._context, sources, config)
        stored = StoredAnswers(self._parts.sessions, self._ctx, self._parts.cache_days)
        if not self._context.job_input.is_anew:
            cached = await stored.claim(key, self._context)
            if cached is not None:
                return self._from_cache(cached, sources)
        outcome = await self._generated(model, sources, None)
        write = cache_write_of(key, self._context, outcome, self._stream, config)
        return replace(outcome, cache_write=write)

    def _from_cache(self, cached: CachedAnswer, sources: Sources) -> AnswerOutcome:
        self._stream.label = label = cached.label.cached()
        for text, quotes in cached.pieces:
            self._stream.cited(text, quotes)
        return AnswerOutcome(label, cached.dropped, sources.not_ready)

    async def _generated(
        self, model: "ChatClient", sources: Sources, continued: Replay | None
    ) -> AnswerOutcome:
        """Ask the model; where it fails, `auto` answers with the papers' words."""
        if not sources.passages:
            return self._verbatim(sources, None, asked_model=False)
        try:
            call = grounded_call(self._context, sources, self._parts.window, continued)
        except QuestionTooLongError as exc:
            if self._engine == "model":
                raise
            return self._verbatim(sources, degraded_by(exc), asked_model=False)
        reader = ClaimReader(call.sources)
        name = model.model_name(Purpose.STRONG)
        self._stream.label = model_label(name, is_grounded=True)
        try:
            generated = await self._check_claims(model, call, reader, sources)
        except AppError as exc:
            if self._engine == "model":
                if is_budget(exc):
                    raise with_alternative(exc) from exc
                raise
            reason, asked = degraded_by(exc), not is_budget(exc)
            return self._degraded(reader, sources, reason, asked_model=asked)
        return self._outcome(reader, sources, generated)

    async def _check_claims(
        self,
        model: "ChatClient",
        call: GroundedCall,
        reader: ClaimReader,
        sources: Sources,
    ) -> Generated | None:
        """Emit each claim as soon as its quotes are found in the passages."""
        tag = tag_of(self._ctx, ANSWER_JOB, load_prompt(GROUNDED_PROMPT).sha256)
        generated = None
        async with aclosing(events_of(model, call.request, tag)) as events:
            async for event in events:
                if isinstance(event, Completed):
                    generated = Generated.of(event)
                elif isinstance(event, TextDiscarded):
                    self._ctx.restarted(0)
                    self._stream.restart()
                    reader.restart()
                else:
                    self._emit(reader.feed(event.text), reader, sources)
        self._emit(reader.finish(), reader, sources)
        return generated

    def _emit(self, claims: list[Claim], reader: ClaimReader, sources: Sources) -> None:
        passages = sources.numbered()
        for claim in claims:
            if self._stream.claims_count < MAX_CLAIMS:
                self._stream.claim(claim, passages)
            elif not self._stream.has_said(claim):
                reader.dropped[Fault.TOO_MANY] += 1

    def _outcome(
        self, reader: ClaimReader, sources: Sources, generated: Generated | None
    ) -> AnswerOutcome:
        """Label the model's answer; where no claim held, quote the papers instead."""
        is_cut = generated is not None and generated.is_cut
        if self._stream.is_empty and not reader.said_nothing:
            reason = ANSWER_CUT if is_cut else CLAIMS_UNSUPPORTED
            return self._degraded(reader, sources, reason)
        if self._stream.is_empty:
            refuse(self._stream, self._context.question, sources)
        label = model_label(
            generated.model if generated else None,
            ANSWER_CUT if is_cut else None,
            is_grounded=True,
        )
        return AnswerOutcome(
            label,
            _dropped(reader),
            sources.not_ready,
            server=generated.server if generated else None,
        )

    def _degraded(
        self,
        reader: ClaimReader,
        sources: Sources,
        reason: Degraded,
        *,
        asked_model: bool = True,
    ) -> AnswerOutcome:
        """Keep the claims emitted before the model failed, or answer verbatim."""
        if self._stream.is_empty:
            label = self._verbatim(sources, reason, asked_model=asked_model).label
        else:
            label = model_label(None, reason, is_grounded=True)
        return AnswerOutcome(label, _dropped(reader), sources.not_ready)

    def _verbatim(
        self, sources: Sources, degraded: Degraded | None, *, asked_model: bool
    ) -> AnswerOutcome:
        network = asked_model or sources.mode != "lexical"
        self._stream.label = label = verbatim_label(degraded, network=network)
        answer_verbatim(self._stream, self._context.question, sources)
        return AnswerOutcome(label, not_ready=sources.not_ready)


def _dropped(reader: ClaimReader) -> dict[str, int]:
    return {fault.value: count for fault, count in reader.dropped.items()}
