"""Weighs passages anew, and enqueues documents that are not indexed as they are."""

import asyncio
from collections.abc import Sequence
from uuid import UUID

from dossier.core.database import Session, tenant_transaction
from dossier.jobs.context import JobContext
from dossier.knowledge.gateway import chunks as gateway
from dossier.knowledge.gateway import vectors
from dossier.knowledge.rules.analyser import ANALYSER_VERSION
from dossier.knowledge.rules.preparing import analysed
from dossier.knowledge.rules.weights import weighed_text
from dossier.knowledge.service.indexing import IndexingService
from dossier.knowledge.tasks.locking import writing

_BATCH = 200


async def reweigh(ctx: JobContext) -> None:
    """Weigh an organisation's passages with today's average length.

    Safe to repeat: it begins anew. Meanwhile some passages weigh by the old average,
    which moves scores a little and loses nothing.
    """
    async with writing(ctx) as session:
        average_terms = await IndexingService(session, ctx.actor).pin_average()
    after: UUID | None = UUID(int=0)
    while after is not None:
        after = await _next_batch(ctx, average_terms, after)
    async with tenant_transaction(ctx.sessions, ctx.org_id) as session:
        await ctx.finish(session)


async def _next_batch(ctx: JobContext, average: float, after: UUID) -> UUID | None:
    async with tenant_transaction(ctx.sessions, ctx.org_id) as session:
        rows = await gateway.list_to_reweigh_for_org(
            session, ctx.org_id, ANALYSER_VERSION, after=after, limit=_BATCH
        )
    if not rows:
        return None
    pairs = [(row.context, row.text) for row in rows]
    sparse = await asyncio.to_thread(_weights, pairs, average)
    async with writing(ctx) as session:
        await gateway.lock_stats_for_org(session, ctx.org_id)
        await gateway.reweigh_chunks_for_org(
            session,
            ctx.org_id,
            [row.id for row in rows],
            [row.content_sha256 for row in rows],
            sparse,
        )
    last: UUID = rows[-1].id
    return last


def _weights(pairs: Sequence[tuple[str, str]], average_terms: float) -> list[str]:
    counted = [analysed(context, shown) for context, shown in pairs]
    return [weighed_text(counts, length, average_terms) for counts, length in counted]


async def catch_up(ctx: JobContext, *, embed_model: str | None = None) -> None:
    """Enqueue documents never indexed, or by an older analyser, or changed since.

    Safe to repeat: a document that is queued is not queued twice.
    """
    async with tenant_transaction(ctx.sessions, ctx.org_id) as session:
        service = IndexingService(session, ctx.actor)
        await service.catch_up()
        await service.follow_up(embeds=embed_model is not None)
        await ctx.finish(session)


async def organisations_behind(
    session: Session, *, embed_model: str | None = None
) -> Sequence[UUID]:
    """Name the organisations that have something to catch up with."""
    behind = await gateway.list_stale_organisations_for_system(
        session, ANALYSER_VERSION
    )
    if embed_model is None:
        return behind
    bare = await vectors.list_unembedded_organisations_for_system(session, embed_model)
    return sorted({*behind, *bare})
