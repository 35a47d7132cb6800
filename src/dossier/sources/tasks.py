"""Knowledge bases in the central service: one for each product, made later if need be.

Making a product never waits for that service, and never fails because of it.
"""

from uuid import UUID

from dossier.core.database import SessionFactory, system_transaction, tenant_transaction
from dossier.core.tenancy import Actor
from dossier.jobs.ports import TaskContext
from dossier.jobs.service import JobsService
from dossier.sources.constants import (
    CENTRAL_EVERY_S,
    CENTRAL_HOST,
    CREATE_BASE_TASK,
    MAX_FILLED,
)
from dossier.sources.gateway import bases as gateway
from dossier.sources.ports import CentralService, ProductList
from dossier.sources.service import CentralRetrieval, SourceRates


async def create_base(
    ctx: TaskContext, product_id: UUID, service: CentralService | None
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
