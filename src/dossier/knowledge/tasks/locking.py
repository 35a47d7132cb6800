"""One writer of an organisation's passages at a time, in each process.

Whoever writes passages locks the organisation's sums. A transaction that waits for that
row keeps its connection meanwhile, so jobs wait here before they open one; the row's
lock is for those of other processes.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID
from weakref import WeakValueDictionary

from dossier.core.database import Session, tenant_transaction
from dossier.jobs.context import JobContext

_LOCKS: WeakValueDictionary[UUID, asyncio.Lock] = WeakValueDictionary()


@asynccontextmanager
async def writing(ctx: JobContext) -> AsyncIterator[Session]:
    """Open a transaction in which passages are written.

    Nothing is computed, and no model is asked, before it is left.
    """
    lock = _LOCKS.setdefault(ctx.org_id, asyncio.Lock())
    async with lock, tenant_transaction(ctx.sessions, ctx.org_id) as session:
        yield session
