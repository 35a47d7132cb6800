"""Jobs of knowledge: index a document, embed passages, recompute weights, catch up."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from itertools import islice
from uuid import UUID
from weakref import WeakValueDictionary

from dossier.core.database import Session, tenant_transaction
from dossier.documents.constants import INDEX_TASK
from dossier.integrations.llm.types import CallTag, EmbeddingModel
from dossier.jobs.attempts import JobHandler
from dossier.jobs.context import JobContext
from dossier.knowledge.constants import CATCH_UP_TASK, EMBED_TASK
from dossier.knowledge.exceptions import (
    EmbedderUnreachableError,
    EmbeddingMalformedError,
)
from dossier.knowledge.gateway import indexing as gateway
from dossier.knowledge.gateway import vectors
from dossier.knowledge.rules.analyser import ANALYSER_VERSION
from dossier.knowledge.rules.chunking import passages_of
from dossier.knowledge.rules.preparing import PreparedPassage, analysed, prepare
from dossier.knowledge.rules.vectors import check_size, unit_vectors
from dossier.knowledge.rules.weights import weighed_text
from dossier.knowledge.service.indexing import IndexingService, weighed
from dossier.knowledge.service.vectors import VectorsService
from dossier.knowledge.types import (
    IndexingInput,
    ProbedModel,
    ProbeEmbedder,
)

PREPARE_BATCH = 50
"""Passages between two points of cancellation; about 25 ms of computing."""
EMBED_BATCH = 64
REWEIGH_BATCH = 200

MAX_EMBED_ROUNDS = 20
"""A round is repeated where passages came, or the size changed, in the meantime."""
SIZE_PROBE = "size"
"""Embedded where no passage is, to check that the vectors still have the same size."""

_FIRST = UUID(int=0)
_LOCKS: WeakValueDictionary[UUID, asyncio.Lock] = WeakValueDictionary()


@asynccontextmanager
async def write_transaction(ctx: JobContext) -> AsyncIterator[Session]:
    """Open a transaction that writes passages, one at a time for an organisation.

    Such a transaction locks the organisation's sums. One that waited for that row would
    keep its connection meanwhile, so jobs of this process wait before they open one;
    the row's lock is for other processes. Compute nothing and call no model within.
    """
    lock = _LOCKS.setdefault(ctx.org_id, asyncio.Lock())
    async with lock, tenant_transaction(ctx.sessions, ctx.org_id) as session:
        yield session


async def index_document(
    ctx: JobContext,
    document_id: UUID,
    *,
    embeds: bool = False,
    pushes_to_central: bool = False,
) -> None:
    """Replace a document's passages by those of its text as it is now.

    Safe to repeat: passages, frequencies and the receipt are written in one
    transaction; a document that changed meanwhile is prepared once more.
    `pushes_to_central`: a central retrieval service is set; another job pushes to it.
    """
    while True:
        async with tenant_transaction(ctx.sessions, ctx.org_id) as session:
            source = await IndexingService(session, ctx.actor).read(document_id)
        if source is None:
            return
        passages = await _prepared(source)
        found = await asyncio.to_thread(weighed, passages, source.average_terms)
        async with write_transaction(ctx) as session:
            service = IndexingService(session, ctx.actor)
            if not await service.replace(source, found):
                continue
            await service.follow_up(embeds=embeds and bool(found.passages))
            if pushes_to_central:
                await service.push_to_central(document_id)
            path = f"/api/v1/documents/{document_id}/chunks"
            await ctx.finish(session, result_path=path)
        return


async def _prepared(source: IndexingInput) -> list[PreparedPassage]:
    """Prepare passages in a thread, in batches: a job is cancelled between two."""
    passages = passages_of(source.parts)
    done: list[PreparedPassage] = []
    while batch := await asyncio.to_thread(
        lambda: list(islice(passages, PREPARE_BATCH))
    ):
        done += await asyncio.to_thread(prepare, batch, source.head, len(done) + 1)
    return done


async def embed_chunks(
    ctx: JobContext, *, embedder: EmbeddingModel, probe: ProbeEmbedder
) -> None:
    """Embed an organisation's passages that have no vector of this model.

    Safe to repeat: each batch is stored as it comes, and only what is missing is
    embedded. Another model, or another size of its vectors, begins anew. No
    transaction is open during a call to the model.
    """
    for _ in range(MAX_EMBED_ROUNDS):
        if await _embed_missing(ctx, embedder, probe):
            return
    message = f"vectors of {embedder.name} change their size from call to call"
    raise EmbeddingMalformedError(message)


async def _embed_missing(
    ctx: JobContext, embedder: EmbeddingModel, probe: ProbeEmbedder
) -> bool:
    """Embed what is missing; `False` where passages came or the size changed."""
    name, tag = embedder.name, _embed_tag(ctx)
    async with tenant_transaction(ctx.sessions, ctx.org_id) as session:
        known = await VectorsService(session, ctx.actor).dimensions_of(name)
    dimensions = known or await _switch_model(ctx, embedder, probe)
    async with write_transaction(ctx) as session:
        await VectorsService(session, ctx.actor).reuse(name, dimensions)
    after, done = _FIRST, 0
    while True:
        async with tenant_transaction(ctx.sessions, ctx.org_id) as session:
            service = VectorsService(session, ctx.actor)
            chunks = await service.next_unembedded(name, EMBED_BATCH, after)
        if not chunks:
            break
        found = await embedder.embed([chunk.text for chunk in chunks], tag)
        units = unit_vectors(found, len(chunks))
        if len(found[0]) != dimensions:
            await _switch_model(ctx, embedder, probe)
            return False
        async with write_transaction(ctx) as session:
            await VectorsService(session, ctx.actor).add(
                name, dimensions, chunks, units
            )
        after, done = chunks[-1].id, done + len(chunks)
        await ctx.progress(done, unit="passages")
    if not done:
        [vector] = await embedder.embed([SIZE_PROBE], tag)
        if len(vector) != dimensions:
            await _switch_model(ctx, embedder, probe)
            return False
    async with write_transaction(ctx) as session:
        if not await VectorsService(session, ctx.actor).finish(name):
            return False
        await ctx.finish(session)
    return True


async def _switch_model(
    ctx: JobContext, embedder: EmbeddingModel, probe: ProbeEmbedder
) -> int:
    """Probe the model and switch to it; return the size of its vectors."""
    dimensions, languages = await probe(embedder, _embed_tag(ctx))
    if dimensions is None:
        raise EmbedderUnreachableError(embedder.name)
    check_size(dimensions)
    async with write_transaction(ctx) as session:
        await VectorsService(session, ctx.actor).begin(
            ProbedModel(embedder.name, dimensions, languages)
        )
    return dimensions


def _embed_tag(ctx: JobContext) -> CallTag:
    return CallTag(
        ctx.org_id, ctx.actor.user_id, "knowledge.embed", key_id=ctx.actor.api_key_id
    )


async def reweigh(ctx: JobContext) -> None:
    """Recompute the weights of an organisation's passages with today's average length.

    Safe to repeat: it begins anew. Meanwhile some passages have weights by the old
    average, which changes scores a little and loses nothing.
    """
    async with write_transaction(ctx) as session:
        average_terms = await IndexingService(session, ctx.actor).pin_average()
    after = _FIRST
    while True:
        async with tenant_transaction(ctx.sessions, ctx.org_id) as session:
            rows = await gateway.list_to_reweigh_for_org(
                session, ctx.org_id, ANALYSER_VERSION, after=after, limit=REWEIGH_BATCH
            )
        if not rows:
            break
        pairs = [(row.context, row.text) for row in rows]
        sparse = await asyncio.to_thread(_weights, pairs, average_terms)
        async with write_transaction(ctx) as session:
            await gateway.lock_stats_for_org(session, ctx.org_id)
            await gateway.reweigh_chunks_for_org(
                session,
                ctx.org_id,
                [row.id for row in rows],
                [row.content_sha256 for row in rows],
                sparse,
            )
        after = rows[-1].id
    async with tenant_transaction(ctx.sessions, ctx.org_id) as session:
        await ctx.finish(session)


def _weights(pairs: Sequence[tuple[str, str]], average_terms: float) -> list[str]:
    counted = [analysed(context, shown) for context, shown in pairs]
    return [weighed_text(counts, length, average_terms) for counts, length in counted]


async def catch_up(ctx: JobContext, *, embed_model: str | None = None) -> None:
    """Enqueue documents never indexed, or by an older analyser, or changed since.

    Safe to repeat: a document has at most one waiting job.
    """
    async with tenant_transaction(ctx.sessions, ctx.org_id) as session:
        service = IndexingService(session, ctx.actor)
        await service.catch_up()
        await service.follow_up(embeds=embed_model is not None)
        await ctx.finish(session)


async def organisations_behind(
    session: Session, *, embed_model: str | None = None
) -> Sequence[UUID]:
    """Return the organisations with documents to index or passages to embed."""
    behind = await gateway.list_stale_organisations_for_system(
        session, ANALYSER_VERSION
    )
    if embed_model is None:
        return behind
    unembedded = await vectors.list_unembedded_organisations_for_system(
        session, embed_model
    )
    return sorted({*behind, *unembedded})


def embedding_tasks(
    embedder: EmbeddingModel, probe: ProbeEmbedder, *, pushes_to_central: bool = False
) -> dict[str, JobHandler]:
    """Return the handlers that differ where an embedder is set, by job kind."""
    index = partial(index_document, embeds=True, pushes_to_central=pushes_to_central)
    return {
        INDEX_TASK: index,
        EMBED_TASK: partial(embed_chunks, embedder=embedder, probe=probe),
        CATCH_UP_TASK: partial(catch_up, embed_model=embedder.name),
    }
