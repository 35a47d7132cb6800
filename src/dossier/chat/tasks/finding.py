"""Looks for the passages of an answer, and tells of it."""

from dataclasses import dataclass
from uuid import UUID

from dossier.chat.ports import SearcherOf
from dossier.chat.rules.follow_ups import question_before
from dossier.chat.rules.replay import SEARCH_STARTED, SEARCHED, SEARCHING, Replay
from dossier.chat.service.answers_brief import Brief
from dossier.chat.service.answers_sources import Sources, find_sources
from dossier.runs.service import RunContext


@dataclass(frozen=True, slots=True)
class Finding:
    """The search of one answer."""

    searcher_of: SearcherOf
    context: RunContext
    brief: Brief

    async def kept(self, told: Replay) -> Sources | None:
        """Return what an earlier process had found, if all of it is still there."""
        if told.searched is None:
            return None
        ids = [UUID(each["chunk_id"]) for each in told.searched["results"]]
        hits = await self.searcher_of(self.context.actor).read(ids)
        return Sources.from_event(told.searched, hits)

    async def find(self) -> Sources:
        """Search."""
        call = {"item_id": f"fs_{self.context.run.id.hex}", "output_index": 0}
        self.context.emit(SEARCH_STARTED, call)
        self.context.emit(SEARCHING, call)
        searcher = self.searcher_of(self.context.actor)
        brief = self.brief
        before = question_before(brief.question, brief.history.turns)
        sources = await find_sources(searcher, brief.question, brief.scope, before)
        self.context.emit(SEARCHED, call | sources.as_event())
        return sources
