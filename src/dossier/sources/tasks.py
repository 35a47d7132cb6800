"""Knowledge bases in the central service: one for each product, made later if need be.

Neither making a product nor indexing a document waits for that service, or fails
because of it.
"""

from uuid import UUID

from dossier.core.database import SessionFactory, system_transaction, tenant_transaction
from dossier.core.tenancy import Actor
from dossier.jobs.context import JobContext
from dossier.jobs.service import JobsService
from dossier.sources.constants import (
    CENTRAL_EVERY_S,
    CENTRAL_HOST,
    CREATE_BASE_TASK,
    MAX_FILLED,
    PUSH_DOCUMENT_TASK,
)
from dossier.sources.gateway import bases as gateway
from dossier.sources.gateway import copies
from dossier.sources.ports import CentralService, PaperList, Papers, ProductList
from dossier.sources.service import CentralRetrieval, SourceRates


async def create_base(
    ctx: JobContext, product_id: UUID, service: CentralService | None
) -> None:
    """Make a product's knowledge base; run twice, the first base stays.

    Where no service is set any more, there is nothing to make.
    """
    if service is not None:
        await SourceRates(ctx.sessions).turn(CENTRAL_HOST, CENTRAL_EVERY_S)
        central = CentralRetrieval(ctx.sessions, ctx.org_id, service)
        await central.ensure_base(product_id)
    async with tenant_transaction(ctx.sessions, ctx.org_id) as session:
        await ctx.finish(session)


async def push_document(
    ctx: JobContext,
    document_id: UUID,
    service: CentralService | None,
    papers: Papers,
) -> None:
    """Give the service a document as it is now, or take it away where it is gone.

    No transaction is open while the service is asked.
    """
    if service is not None:
        async with tenant_transaction(ctx.sessions, ctx.org_id) as session:
            paper = await papers(session, ctx.org_id, document_id)
        await SourceRates(ctx.sessions).turn(CENTRAL_HOST, CENTRAL_EVERY_S)
        central = CentralRetrieval(ctx.sessions, ctx.org_id, service)
        await central.keep_document(document_id, paper)
    async with tenant_transaction(ctx.sessions, ctx.org_id) as session:
        await ctx.finish(session)


async def fill_documents(sessions: SessionFactory, papers: PaperList) -> int:
    """Queue every document whose copies there differ from it; return how many.

    What was pushed in vain is pushed again, what was deleted here is removed there.
    Safe to repeat: while a document's job is to be done, there is no other.
    """
    async with system_transaction(sessions) as session:
        held = await copies.list_copies_for_system(session)
        differing = held ^ set(await papers(session))
        behind = sorted({(each.org_id, each.document_id) for each in differing})
        for org_id, document_id in behind[:MAX_FILLED]:
            await JobsService(session, Actor.system(org_id)).enqueue(
                PUSH_DOCUMENT_TASK,
                dedupe_key=f"{PUSH_DOCUMENT_TASK}:{document_id}",
                document_id=document_id,
            )
    return len(behind[:MAX_FILLED])


async def fill_bases(sessions: SessionFactory, products: ProductList) -> int:
    """Queue the making of every base that is missing; return how many.

    Safe to repeat: while a product's job is to be done, there is no other.
    """
    async with system_transaction(sessions) as session:
        based = await gateway.list_based_products_for_system(session)
        missing = [pair for pair in await products(session) if pair[1] not in based]
        for org_id, product_id in missing[:MAX_FILLED]:
            await JobsService(session, Actor.system(org_id)).enqueue(
                CREATE_BASE_TASK,
                dedupe_key=f"{CREATE_BASE_TASK}:{product_id}",
                product_id=product_id,
            )
    return len(missing[:MAX_FILLED])
