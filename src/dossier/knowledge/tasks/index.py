"""Indexes one document: read it, cut it outside any transaction, replace it whole."""

import asyncio
from itertools import islice
from uuid import UUID

from dossier.core.database import tenant_transaction
from dossier.jobs.context import JobContext
from dossier.knowledge.rules.chunking import passages_of
from dossier.knowledge.rules.preparing import Prepared, prepare
from dossier.knowledge.service.indexing import (
    IndexingService,
    Source,
    Weighed,
    weighed,
)
from dossier.knowledge.tasks.locking import writing

_BATCH = 50
"""Passages between two chances to stop; about 25 ms of computing."""


async def index_document(
    ctx: JobContext,
    document_id: UUID,
    *,
    embeds: bool = False,
    is_given_away: bool = False,
) -> None:
    """Replace a document's passages by those of its text as it is now.

    Safe to repeat: passages, frequencies and the receipt are written in one
    transaction; a document that changed while it was cut is cut once more.
    `is_given_away`: a central retrieval service is set, and is told by another job.
    """
    while source := await _read(ctx, document_id):
        passages = await _prepared(source)
        found = await asyncio.to_thread(weighed, passages, source.average_terms)
        if await _replace(
            ctx, source, found, embeds=embeds, is_given_away=is_given_away
        ):
            return


async def _read(ctx: JobContext, document_id: UUID) -> Source | None:
    async with tenant_transaction(ctx.sessions, ctx.org_id) as session:
        return await IndexingService(session, ctx.actor).read(document_id)


async def _prepared(source: Source) -> list[Prepared]:
    """Cut and analyse in a thread, in batches: a cancellation comes between two."""
    passages = passages_of(source.parts)
    done: list[Prepared] = []
    while batch := await asyncio.to_thread(lambda: list(islice(passages, _BATCH))):
        first = len(done) + 1
        done += await asyncio.to_thread(prepare, batch, source.head, first)
    return done


async def _replace(
    ctx: JobContext,
    source: Source,
    found: Weighed,
    *,
    embeds: bool,
    is_given_away: bool,
) -> bool:
    async with writing(ctx) as session:
        service = IndexingService(session, ctx.actor)
        if not await service.replace(source, found):
            return False
        await service.follow_up(embeds=embeds and bool(found.passages))
        if is_given_away:
            await service.give_away(source.document_id)
        await ctx.finish(
            session, result_path=f"/api/v1/documents/{source.document_id}/chunks"
        )
        return True
