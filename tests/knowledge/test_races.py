"""What happens at once: deletions beside indexing and embedding."""

import asyncio
from uuid import UUID

import anyio
import pytest
from sqlalchemy import text
from tests.conftest import ORG_ID
from tests.factories.accounts import make_organisation
from tests.factories.jobs import make_job
from tests.factories.knowledge import index, make_indexed_document, make_read_document
from tests.knowledge.counting import kept_counts, real_counts, rows, stats

from dossier.core.database import (
    Session,
    SessionFactory,
    make_engine,
    make_sessions,
    tenant_transaction,
)
from dossier.core.models import new_id
from dossier.core.startup import Database
from dossier.core.tenancy import Actor
from dossier.documents.service import DocumentsService
from dossier.jobs.context import JobContext
from dossier.knowledge.service.vectors import VectorsService
from dossier.knowledge.tasks import write_transaction
from dossier.knowledge.types import ProbedModel

WAITING = "select count(*) from pg_locks where not granted"


@pytest.fixture
async def org(committing: SessionFactory) -> UUID:
    return await make_organisation(committing, id=new_id(), name="Rose")


async def remove(sessions: SessionFactory, org: UUID, document_id: UUID) -> None:
    async with tenant_transaction(sessions, org) as session:
        service = DocumentsService(session, Actor.system(org))
        await service.remove_document(document_id)


async def until_somebody_waits(session: Session) -> None:
    count = text(WAITING)
    while not await session.scalar(count):  # noqa: ASYNC110 - locks send no notification
        await asyncio.sleep(0.005)


async def test_documents_that_come_and_go_at_once_are_counted_exactly(
    committing: SessionFactory, org: UUID
) -> None:
    old = [
        await make_indexed_document(committing, org, f"Glycerin aqua {n}.")
        for n in range(4)
    ]
    new = [
        await make_read_document(committing, org, f"Aqua {n} then glycerin rose.")
        for n in range(4)
    ]

    async with asyncio.TaskGroup() as group:
        for gone, come in zip(old, new, strict=True):
            group.create_task(remove(committing, org, gone.id))
            group.create_task(index(committing, org, come.id))

    counted = await kept_counts(committing, org)
    assert counted == await real_counts(committing, org)
    assert set(counted.values()) >= {4}
    assert (await stats(committing, org)).chunk_count == 4


async def test_a_deletion_waits_for_vectors_and_deletes_them(
    committing: SessionFactory, org: UUID
) -> None:
    document = await make_indexed_document(committing, org, "Shelf life.")
    actor, model = Actor.system(org), ProbedModel("tiny", 1, ("en",))

    async with tenant_transaction(committing, org) as session:
        service = VectorsService(session, actor)
        await service.begin(model)
        deletion = asyncio.create_task(remove(committing, org, document.id))
        await until_somebody_waits(session)
        chunks = await service.next_unembedded("tiny", 10, UUID(int=0))
        await service.add("tiny", 1, chunks, ["[1]"])
    await deletion

    left = "select chunk_id from knowledge_embeddings union all select id from"
    assert await rows(committing, org, f"{left} knowledge_chunks") == []


async def test_jobs_of_one_organisation_wait_for_each_other_without_a_connection(
    worker_database: Database,
) -> None:
    job = await make_job(worker_database.sessions, ORG_ID)
    engine = make_engine(worker_database.url, pool_size=2)
    ctx = JobContext(make_sessions(engine), job, anyio.CancelScope())
    done: list[int] = []

    async def write(number: int) -> None:
        async with write_transaction(ctx):
            done.append(number)

    async with (
        asyncio.timeout(10),
        asyncio.TaskGroup() as group,
        write_transaction(ctx),
    ):
        for number in range(5):
            group.create_task(write(number))
        await asyncio.sleep(0)
        async with tenant_transaction(ctx.sessions, ORG_ID) as session:
            assert await session.scalar(text("select 1")) == 1
        assert done == []
    await engine.dispose()

    assert done == [0, 1, 2, 3, 4]
