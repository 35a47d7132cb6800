"""Jobs for the central service: a knowledge base per product, documents pushed to it.

Neither creating a product nor indexing a document waits for that service, or fails
because of it.
"""

from uuid import UUID

from dossier.core.database import SessionFactory, system_transaction, tenant_transaction
from dossier.core.tenancy import Actor
from dossier.integrations.rag.client import RagClient
from dossier.jobs.context import JobContext
from dossier.jobs.service import JobsService
from dossier.sources import gateway
from dossier.sources.constants import (
    CENTRAL_HOST,
    CENTRAL_INTERVAL_S,
    CREATE_BASE_TASK,
    MAX_ENQUEUED,
    PUSH_DOCUMENT_TASK,
)
from dossier.sources.service import CentralRetrieval, SourceRates
from dossier.sources.types import ListDocuments, ListProducts, LoadDocument


async def create_base(
    ctx: JobContext, product_id: UUID, service: RagClient | None
) -> None:
    """Create a product's knowledge base; run twice, the first base stays.

    Nothing is created where no service is set any more.
    """
    if service is not None:
        await SourceRates(ctx.sessions).wait_for_turn(CENTRAL_HOST, CENTRAL_INTERVAL_S)
        central = CentralRetrieval(ctx.sessions, ctx.org_id, service)
        await central.ensure_base(product_id)
    async with tenant_transaction(ctx.sessions, ctx.org_id) as session:
        await ctx.finish(session)


async def push_document(
    ctx: JobContext,
    document_id: UUID,
    service: RagClient | None,
    load_document: LoadDocument,
) -> None:
    """Push a document as it is now, or remove it there where it is gone here.

    No transaction is open during a call to the service.
    """
    if service is not None:
        async with tenant_transaction(ctx.sessions, ctx.org_id) as session:
            document = await load_document(session, ctx.org_id, document_id)
        await SourceRates(ctx.sessions).wait_for_turn(CENTRAL_HOST, CENTRAL_INTERVAL_S)
        central = CentralRetrieval(ctx.sessions, ctx.org_id, service)
        await central.sync_document(document_id, document)
    async with tenant_transaction(ctx.sessions, ctx.org_id) as session:
        await ctx.finish(session)


async def enqueue_pushes(
    sessions: SessionFactory, list_documents: ListDocuments
) -> int:
    """Enqueue every document whose copies there differ from it; return how many.

    This repeats pushes that failed, and removes there what was deleted here. Safe to
    repeat: a document has at most one waiting job.
    """
    async with system_transaction(sessions) as session:
        stored = await gateway.list_copies_for_system(session)
        differing = stored ^ set(await list_documents(session))
        behind = sorted({(each.org_id, each.document_id) for each in differing})
        for org_id, document_id in behind[:MAX_ENQUEUED]:
            await JobsService(session, Actor.system(org_id)).enqueue(
                PUSH_DOCUMENT_TASK,
                dedupe_key=f"{PUSH_DOCUMENT_TASK}:{document_id}",
                document_id=document_id,
            )
    return len(behind[:MAX_ENQUEUED])


async def enqueue_bases(sessions: SessionFactory, list_products: ListProducts) -> int:
    """Enqueue the creation of every base that is missing; return how many.

    Safe to repeat: a product has at most one waiting job.
    """
    async with system_transaction(sessions) as session:
        based = await gateway.list_based_products_for_system(session)
        missing = [
            pair for pair in await list_products(session) if pair[1] not in based
        ]
        for org_id, product_id in missing[:MAX_ENQUEUED]:
            await JobsService(session, Actor.system(org_id)).enqueue(
                CREATE_BASE_TASK,
                dedupe_key=f"{CREATE_BASE_TASK}:{product_id}",
                product_id=product_id,
            )
    return len(missing[:MAX_ENQUEUED])
