"""Answers from the papers: a model whose claims are proven, or the papers' words."""

from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from dossier.ai.exceptions import ModelNotConfiguredError
from dossier.ai.schemas import Degraded
from dossier.ai.service import load_prompt
from dossier.chat.constants import AnswerScope
from dossier.chat.rules import replies
from dossier.chat.rules.claims import Claim, ClaimReader
from dossier.chat.rules.follow_ups import question_before
from dossier.chat.rules.replay import SEARCH_STARTED, SEARCHED, SEARCHING, Replay
from dossier.chat.service.answers_brief import Brief
from dossier.chat.service.answers_extractive import answer_verbatim, refuse
from dossier.chat.service.answers_model import (
    events_of,
    is_budget,
    tag_of,
    with_way_out,
)
from dossier.chat.service.answers_outcome import (
    CLAIMS_UNSUPPORTED,
    Outcome,
    degraded_by,
    label_of,
)
from dossier.chat.service.answers_prompt import (
    GROUNDED_PROMPT,
    GroundedCall,
    grounded_call,
)
from dossier.chat.service.answers_reply import Reply
from dossier.chat.service.answers_sources import Sources, find_sources
from dossier.chat.tasks.answer_cache import CachedAnswer, Pages
from dossier.core.errors import AppError
from dossier.integrations.llm.models import ChatModel, Purpose, TextDelta
from dossier.knowledge.service.sentences import PAPERS_PARSER
from dossier.runs.service import RunContext

if TYPE_CHECKING:
    from dossier.chat.tasks.answer import AnswerParts

FEATURE = "chat.answer"
MAX_CLAIMS = 12


class Grounded:
    """One answer from the papers."""

    def __init__(
        self, parts: "AnswerParts", context: RunContext, brief: Brief, reply: Reply
    ) -> None:
        self._parts = parts
        self._context = context
        self._brief = brief
        self._reply = reply
        self._engine = brief.order.engine

    async def answer(self, told: Replay) -> Outcome:
        """Search, unless an earlier process has; then let who answers answer."""
        model = None if self._engine == "extractive" else self._parts.ask_model()
        if model is None and self._engine == "model":
            raise ModelNotConfiguredError
        going_on = await self._resumed(told, model)
        sources = await self._sources(told)
        if model is None:
            return self._verbatim(sources, None, asked_model=False)
        if going_on is None:
            return await self._by_cache_or(model, sources)
        return await self._by(model, sources, going_on)

    async def _by_cache_or(self, model: ChatModel, sources: Sources) -> Outcome:
        """Give a stored answer, or make one and store it; others wait meanwhile."""
        pages = Pages(self._parts.sessions, self._context, self._parts.cache_days)
        named = await model.find_name(Purpose.STRONG)
        key = pages.key(self._brief, sources, named)
        stored = await pages.stored(key)
        if stored is not None:
            return replace(self._again(stored, sources), also=pages.counting(key))
        self._context.takes_longer()
        cached = await pages.claim(key, self._brief)
        if cached is not None:
            return self._again(cached, sources)
        try:
            outcome = await self._by(model, sources, None)
        except BaseException:
            await pages.abandon(key)
            raise
        return pages.storing(key, outcome, self._reply)

    def _again(self, cached: CachedAnswer, sources: Sources) -> Outcome:
        for text, quotes in cached.pieces:
            self._reply.cited(text, quotes)
        label = cached.label.cached()
        return Outcome(label, cached.dropped, sources.not_ready)

    async def _by(
        self, model: ChatModel, sources: Sources, told: Replay | None
    ) -> Outcome:
        call = grounded_call(self._brief, sources, self._parts.window, told)
        reader = ClaimReader(call.sources)
        if not call.sources:
            return self._verbatim(sources, None, asked_model=False)
        try:
            named = await self._listen(model, call, reader, sources)
        except AppError as exc:
            if self._engine == "model":
                raise with_way_out(exc) from exc
            return self._instead(
                reader, sources, degraded_by(exc), asked_model=not is_budget(exc)
            )
        return self._spoken(reader, sources, named)

    async def _listen(
        self,
        model: ChatModel,
        call: GroundedCall,
        reader: ClaimReader,
        sources: Sources,
    ) -> str:
        """Say each claim as soon as it is proven; return the model that spoke."""
        prompt = load_prompt(GROUNDED_PROMPT)
        tag = tag_of(self._context, FEATURE, prompt.sha256)
        named = model.model_name(Purpose.STRONG)
        async with aclosing(events_of(model, call.request, tag)) as events:
            async for event in events:
                if isinstance(event, TextDelta):
                    self._say(reader.feed(event.text), sources)
                else:
                    named = event.model
        self._say(reader.finish(), sources)
        return named

    def _say(self, claims: list[Claim], sources: Sources) -> None:
        passages = sources.numbered()
        for claim in claims:
            if self._reply.claims_count < MAX_CLAIMS:
                self._reply.claim(claim, passages)

    def _spoken(self, reader: ClaimReader, sources: Sources, named: str) -> Outcome:
        """Label what the model said; where none of it held, let the papers speak."""
        if self._reply.is_empty and not reader.said_nothing:
            return self._instead(reader, sources, CLAIMS_UNSUPPORTED)
        if self._reply.is_empty:
            refuse(self._reply, self._brief.question, sources)
        return self._labelled(reader, sources, named, None)

    def _instead(
        self,
        reader: ClaimReader,
        sources: Sources,
        degraded: Degraded,
        *,
        asked_model: bool = True,
    ) -> Outcome:
        """Keep what was proven before the model failed, or answer verbatim."""
        if not self._reply.is_empty:
            return self._labelled(reader, sources, None, degraded)
        outcome = self._verbatim(sources, degraded, asked_model=asked_model)
        return Outcome(outcome.label, _counted(reader), sources.not_ready)

    def _labelled(
        self,
        reader: ClaimReader,
        sources: Sources,
        named: str | None,
        degraded: Degraded | None,
    ) -> Outcome:
        label = label_of(
            "model",
            replies.CLAIM_RULES,
            model=named,
            prompt_hash=load_prompt(GROUNDED_PROMPT).sha256,
            parser=PAPERS_PARSER,
            network=True,
            degraded=degraded,
        )
        return Outcome(label, _counted(reader), sources.not_ready)

    def _verbatim(
        self, sources: Sources, degraded: Degraded | None, *, asked_model: bool
    ) -> Outcome:
        answer_verbatim(self._reply, self._brief.question, sources)
        has_asked = asked_model or sources.mode != "lexical"
        label = label_of(
            "extractive",
            replies.EXTRACT_RULES,
            parser=PAPERS_PARSER,
            network=has_asked,
            degraded=degraded,
        )
        return Outcome(label, not_ready=sources.not_ready)

    async def _sources(self, told: Replay) -> Sources:
        if told.searched is not None:
            return Sources.from_event(told.searched)
        call = {"item_id": f"fs_{self._context.run.id.hex}", "output_index": 0}
        self._context.emit(SEARCH_STARTED, call)
        self._context.emit(SEARCHING, call)
        searcher = self._parts.searcher_of(self._context.actor)
        brief = self._brief
        before = question_before(brief.question, brief.history.turns)
        sources = await find_sources(searcher, brief.question, self._scope, before)
        self._context.emit(SEARCHED, call | sources.as_event())
        return sources

    @property
    def _scope(self) -> AnswerScope:
        return self._brief.scope

    async def _resumed(self, told: Replay, model: ChatModel | None) -> Replay | None:
        """Go on after the last proven sentence where the server can, else anew."""
        if not told.added_through:
            return None
        whole = told.without_torn_end()
        if model is None or not whole.pieces or not await self._continues():
            await self._context.restarted(told.searched_through)
            return None
        await self._context.restarted(whole.through)
        self._reply.go_on_from(whole)
        return whole

    async def _continues(self) -> bool:
        abilities = await self._parts.ask_abilities()
        return abilities is not None and bool(abilities.continues_text)


def _counted(reader: ClaimReader) -> dict[str, Any]:
    return {fault.value: count for fault, count in reader.dropped.items()}
