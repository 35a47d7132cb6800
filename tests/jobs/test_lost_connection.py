"""A job whose connection to the database is cut while its handler runs."""

from collections.abc import Awaitable, Callable
from contextlib import suppress

import anyio
import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from tests.conftest import ORG_ID
from tests.factories.jobs import STREAM_KIND, get_job, make_toy

from dossier.core.database import Session, raw_rows, tenant_transaction
from dossier.core.startup import Database
from dossier.integrations.queue.delivery import Delivery
from dossier.jobs.attempts import Attempts
from dossier.jobs.constants import JobState
from dossier.jobs.context import JobContext


async def use(session: Session) -> None:
    await session.execute(text("select 1"))


async def use_twice(session: Session) -> None:
    """Go on after the first failure, as code that catches too much does."""
    with suppress(DBAPIError):
        await use(session)
    await use(session)


async def use_the_driver(session: Session) -> None:
    await raw_rows(session, "select 1")


async def use_in_a_group(session: Session) -> None:
    async with anyio.create_task_group() as group:
        group.start_soon(use, session)


async def use_nothing(session: Session) -> None:
    """Fail at the commit."""


@pytest.mark.parametrize(
    "go_on", [use, use_twice, use_the_driver, use_in_a_group, use_nothing]
)
async def test_job_whose_connection_was_cut_is_tried_again_and_not_failed(
    worker_database: Database, go_on: Callable[[Session], Awaitable[None]]
) -> None:
    sessions = worker_database.sessions
    job = await make_toy(sessions, ORG_ID)

    async def cut(ctx: JobContext) -> None:
        async with tenant_transaction(sessions, ctx.job.org_id) as session:
            own = await session.scalar(text("select pg_backend_pid()"))
            other = await asyncpg.connect(worker_database.url)
            await other.execute("select pg_terminate_backend($1, 5000)", own)
            await other.close()
            await go_on(session)

    attempts = Attempts(sessions, {STREAM_KIND: cut})
    outcome = await attempts(
        Delivery(job.engine_id, ORG_ID, job.id, anyio.CancelScope())
    )

    waiting = await get_job(sessions, job)
    assert outcome.again_in_s is not None
    assert (waiting.state, waiting.failures) == (JobState.PENDING, 0)
