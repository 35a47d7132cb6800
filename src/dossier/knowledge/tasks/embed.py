"""Embeds passages in batches; no transaction is open while a model is asked."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from functools import partial
from uuid import UUID

from dossier.core.database import Session, tenant_transaction
from dossier.integrations.llm.types import CallTag, EmbeddingModel
from dossier.jobs.attempts import JobHandler
from dossier.jobs.context import JobContext
from dossier.knowledge.constants import CATCH_UP_TASK, EMBED_TASK, INDEX_TASK
from dossier.knowledge.exceptions import (
    EmbedderUnreachableError,
    EmbeddingMalformedError,
)
from dossier.knowledge.ports import EmbedderProbe
from dossier.knowledge.rules.vectors import check_size, unit_vectors
from dossier.knowledge.service.indexing_vectors import Bare, Sight, VectorsService
from dossier.knowledge.tasks.index import index_document
from dossier.knowledge.tasks.locking import writing
from dossier.knowledge.tasks.upkeep import catch_up

_BATCH = 64
_FIRST = UUID(int=0)
_MAX_ROUNDS = 20
"""A round ends early where passages came, or the size changed, in between."""

SHORT = "size"
"""Sent where no passage is, to see whether the size is still yesterday's."""


async def embed_chunks(
    ctx: JobContext, *, embedder: EmbeddingModel, probe: EmbedderProbe
) -> None:
    """Embed an organisation's passages that this model has not seen.

    Safe to repeat: each batch is kept as it comes, and only what is missing is asked
    for. Another model, or another size than yesterday's, begins anew.
    """
    work = _Work(ctx, embedder, probe)
    for _ in range(_MAX_ROUNDS):
        if await work.round():
            return
    message = f"vectors of {embedder.name} change their size from call to call"
    raise EmbeddingMalformedError(message)


def embedding_tasks(
    embedder: EmbeddingModel, probe: EmbedderProbe, *, is_given_away: bool = False
) -> dict[str, JobHandler]:
    """Return the jobs that differ where an embedder is set, by their names."""
    index = partial(index_document, embeds=True, is_given_away=is_given_away)
    return {
        INDEX_TASK: index,
        EMBED_TASK: partial(embed_chunks, embedder=embedder, probe=probe),
        CATCH_UP_TASK: partial(catch_up, embed_model=embedder.name),
    }


@dataclass(frozen=True, slots=True)
class _Work:
    """One run of the job."""

    ctx: JobContext
    embedder: EmbeddingModel
    probe: EmbedderProbe

    async def round(self) -> bool:
        """Embed what is missing; `False` where something came in between."""
        dimensions = await self._dimensions()
        await self._reuse(dimensions)
        after, done = _FIRST, 0
        while bare := await self._next(after):
            found = await self._ask(bare)
            if found.dimensions != dimensions:
                await self._begin()
                return False
            await self._keep(bare, found)
            after, done = bare[-1].id, done + len(bare)
            await self.ctx.progress(done, unit="passages")
        if not done and await self._size() != dimensions:
            await self._begin()
            return False
        return await self._finish()

    async def _size(self) -> int:
        [vector] = await self.embedder.embed([SHORT], self._tag())
        return len(vector)

    def _tag(self) -> CallTag:
        actor = self.ctx.actor
        return CallTag(
            self.ctx.org_id, actor.user_id, "knowledge.embed", key_id=actor.api_key_id
        )

    async def _dimensions(self) -> int:
        async with self._transaction() as session:
            service = VectorsService(session, self.ctx.actor)
            known = await service.dimensions_of(self.embedder.name)
        return known or await self._begin()

    async def _begin(self) -> int:
        dimensions, languages = await self.probe(self.embedder, self._tag())
        if dimensions is None:
            raise EmbedderUnreachableError(self.embedder.name)
        check_size(dimensions)
        sight = Sight(self.embedder.name, dimensions, languages)
        async with writing(self.ctx) as session:
            await VectorsService(session, self.ctx.actor).begin(sight)
        return dimensions

    async def _reuse(self, dimensions: int) -> None:
        async with writing(self.ctx) as session:
            service = VectorsService(session, self.ctx.actor)
            await service.reuse(self.embedder.name, dimensions)

    async def _next(self, after: UUID) -> list[Bare]:
        async with self._transaction() as session:
            service = VectorsService(session, self.ctx.actor)
            return await service.next_bare(self.embedder.name, _BATCH, after)

    async def _ask(self, bare: Sequence[Bare]) -> "_Found":
        texts = [each.text for each in bare]
        vectors = await self.embedder.embed(texts, self._tag())
        return _Found(unit_vectors(vectors, len(bare)), len(vectors[0]))

    async def _keep(self, bare: Sequence[Bare], found: "_Found") -> None:
        async with writing(self.ctx) as session:
            service = VectorsService(session, self.ctx.actor)
            await service.add(self.embedder.name, found.dimensions, bare, found.vectors)

    async def _finish(self) -> bool:
        async with writing(self.ctx) as session:
            service = VectorsService(session, self.ctx.actor)
            if not await service.finish(self.embedder.name):
                return False
            await self.ctx.finish(session)
            return True

    def _transaction(self) -> AbstractAsyncContextManager[Session]:
        return tenant_transaction(self.ctx.sessions, self.ctx.org_id)


@dataclass(frozen=True, slots=True)
class _Found:
    """Vectors of length one, and their size."""

    vectors: Sequence[str]
    dimensions: int
