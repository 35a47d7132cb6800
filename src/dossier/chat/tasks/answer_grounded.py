"""Answers from the papers: a model whose claims are proven, or the papers' words."""

from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from dossier.ai.exceptions import ModelNotConfiguredError
from dossier.ai.schemas import AnswerLabel, Degraded
from dossier.ai.service import load_prompt
from dossier.chat.exceptions import QuestionTooLongError
from dossier.chat.rules import replies
from dossier.chat.rules.claims import Claim, ClaimReader, Fault
from dossier.chat.rules.replay import Replay
from dossier.chat.service.answers_brief import Brief
from dossier.chat.service.answers_extractive import answer_verbatim, refuse
from dossier.chat.service.answers_model import (
    Spoken,
    events_of,
    is_budget,
    tag_of,
    with_way_out,
)
from dossier.chat.service.answers_outcome import (
    ANSWER_CUT,
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
from dossier.chat.service.answers_sources import Sources
from dossier.chat.tasks.answer_cache import CachedAnswer, Maker, Pages
from dossier.chat.tasks.finding import Finding
from dossier.core.errors import AppError
from dossier.integrations.llm.types import Purpose, TextDelta
from dossier.knowledge.service.sentences import PAPERS_PARSER
from dossier.runs.service import RunContext

if TYPE_CHECKING:
    from dossier.chat.tasks.answer import AnswerParts
    from dossier.integrations.llm.client import ChatClient

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
        finding = Finding(self._parts.searcher_of, self._context, self._brief)
        kept = await finding.kept(told)
        if kept is None and told.searched is not None:
            told = await self._begin_anew(told)
        going_on = await self._resumed(told, model)
        sources = kept or await finding.find()
        if model is None:
            return self._verbatim(sources, None, asked_model=False)
        if going_on is None:
            return await self._by_cache_or(model, sources)
        return await self._by(model, sources, going_on)

    async def _by_cache_or(self, model: "ChatClient", sources: Sources) -> Outcome:
        """Give a stored answer, or make one and store it; others wait meanwhile."""
        maker = Maker(
            await model.find_name(Purpose.STRONG),
            model.server_label(Purpose.STRONG),
            self._parts.window,
        )
        pages = Pages(self._parts.sessions, self._context, self._parts.cache_days)
        key = pages.key(self._brief, sources, maker)
        if self._brief.order.is_anew:
            outcome = await self._by(model, sources, None)
            return pages.replacing(key, outcome, self._reply, self._brief, maker)
        stored = await pages.stored(key)
        if stored is not None:
            return replace(self._again(stored, sources), also=pages.counting(key))
        cached = await pages.claim(key, self._brief)
        if cached is not None:
            return self._again(cached, sources)
        try:
            outcome = await self._by(model, sources, None)
        except BaseException:
            await pages.abandon(key)
            raise
        return pages.storing(key, outcome, self._reply, maker)

    def _again(self, cached: CachedAnswer, sources: Sources) -> Outcome:
        self._reply.label = label = cached.label.cached()
        for text, quotes in cached.pieces:
            self._reply.cited(text, quotes)
        return Outcome(label, cached.dropped, sources.not_ready)

    async def _by(
        self, model: "ChatClient", sources: Sources, told: Replay | None
    ) -> Outcome:
        if not sources.passages:
            return self._verbatim(sources, None, asked_model=False)
        try:
            call = grounded_call(self._brief, sources, self._parts.window, told)
        except QuestionTooLongError as exc:
            if self._engine == "model":
                raise
            return self._verbatim(sources, degraded_by(exc), asked_model=False)
        return await self._asked(model, call, sources)

    async def _asked(
        self, model: "ChatClient", call: GroundedCall, sources: Sources
    ) -> Outcome:
        reader = ClaimReader(call.sources)
        self._reply.label = _label(model.model_name(Purpose.STRONG), None)
        try:
            spoken = await self._listen(model, call, reader, sources)
        except AppError as exc:
            if self._engine == "model":
                raise with_way_out(exc) from exc
            return self._instead(
                reader, sources, degraded_by(exc), asked_model=not is_budget(exc)
            )
        return self._spoken(reader, sources, spoken)

    async def _listen(
        self,
        model: "ChatClient",
        call: GroundedCall,
        reader: ClaimReader,
        sources: Sources,
    ) -> Spoken | None:
        """Say each claim as soon as it is proven; return who spoke."""
        prompt = load_prompt(GROUNDED_PROMPT)
        tag = tag_of(self._context, FEATURE, prompt.sha256)
        spoken = None
        async with aclosing(events_of(model, call.request, tag)) as events:
            async for event in events:
                if isinstance(event, TextDelta):
                    self._say(reader.feed(event.text), reader, sources)
                else:
                    spoken = Spoken.of(event)
        self._say(reader.finish(), reader, sources)
        return spoken

    def _say(self, claims: list[Claim], reader: ClaimReader, sources: Sources) -> None:
        passages = sources.numbered()
        for claim in claims:
            if self._reply.claims_count < MAX_CLAIMS:
                self._reply.claim(claim, passages)
            elif not self._reply.has_said(claim):
                reader.dropped[Fault.TOO_MANY] += 1

    def _spoken(
        self, reader: ClaimReader, sources: Sources, spoken: Spoken | None
    ) -> Outcome:
        """Label what the model said; where none of it held, let the papers speak."""
        is_cut = spoken is not None and spoken.is_cut
        if self._reply.is_empty and not reader.said_nothing:
            why = ANSWER_CUT if is_cut else CLAIMS_UNSUPPORTED
            return self._instead(reader, sources, why)
        if self._reply.is_empty:
            refuse(self._reply, self._brief.question, sources)
        named, server = (spoken.model, spoken.server) if spoken else (None, None)
        label = _label(named, ANSWER_CUT if is_cut else None)
        return Outcome(label, _counted(reader), sources.not_ready, server=server)

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
            label = _label(None, degraded)
            return Outcome(label, _counted(reader), sources.not_ready)
        outcome = self._verbatim(sources, degraded, asked_model=asked_model)
        return Outcome(outcome.label, _counted(reader), sources.not_ready)

    def _verbatim(
        self, sources: Sources, degraded: Degraded | None, *, asked_model: bool
    ) -> Outcome:
        has_asked = asked_model or sources.mode != "lexical"
        self._reply.label = label = label_of(
            "extractive",
            replies.EXTRACT_RULES,
            parser=PAPERS_PARSER,
            network=has_asked,
            degraded=degraded,
        )
        answer_verbatim(self._reply, self._brief.question, sources)
        return Outcome(label, not_ready=sources.not_ready)

    async def _begin_anew(self, told: Replay) -> Replay:
        """Take back what was said of passages that are gone by now."""
        await self._context.restarted(told.announced_through)
        return Replay(announced_through=told.announced_through)

    async def _resumed(self, told: Replay, model: "ChatClient | None") -> Replay | None:
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


def _label(model: str | None, degraded: Degraded | None) -> AnswerLabel:
    return label_of(
        "model",
        replies.CLAIM_RULES,
        model=model,
        prompt_hash=load_prompt(GROUNDED_PROMPT).sha256,
        parser=PAPERS_PARSER,
        network=True,
        degraded=degraded,
    )


def _counted(reader: ClaimReader) -> dict[str, Any]:
    return {fault.value: count for fault, count in reader.dropped.items()}
