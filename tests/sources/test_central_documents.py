"""The central service gets each document as it is here, eventually."""

from dataclasses import dataclass
from functools import partial
from uuid import UUID

import httpx2
import pytest
from tests.conftest import DrainJobs
from tests.factories.knowledge import set_pages
from tests.factories.products import make_link

from dossier.core.database import SessionFactory, tenant_transaction
from dossier.core.settings import Settings
from dossier.core.tenancy import Actor
from dossier.documents.service import DocumentsService
from dossier.integrations.rag.client import RagClient
from dossier.integrations.rag.offline import OfflineCentral
from dossier.jobs.context import JobContext
from dossier.knowledge import tasks as knowledge
from dossier.knowledge.service.indexing import central_document, central_documents
from dossier.products.models import ProductDocument
from dossier.products.service.products import ProductsService
from dossier.sources.constants import CENTRAL_MAX_FAILURES
from dossier.sources.service import CentralRetrieval
from dossier.sources.tasks import enqueue_pushes, push_document
from dossier.worker import make_handlers

WORDS = "Keep PreservaSet below 25 degrees"


async def forget_blob(ctx: JobContext, blob_key: str) -> None:
    """Stand in for the store, which holds nothing here."""
    assert blob_key
    async with tenant_transaction(ctx.sessions, ctx.org_id) as session:
        await ctx.finish(session)


@dataclass(frozen=True, slots=True)
class Organisation:
    """An organisation with a document of one product, and the service."""

    sessions: SessionFactory
    actor: Actor
    twin: OfflineCentral
    drain: DrainJobs
    link: ProductDocument

    @property
    def service(self) -> RagClient:
        transport = self.twin.transport()
        return RagClient("https://c.example", self.twin.key, transport=transport)

    async def work(self) -> None:
        push = partial(
            push_document, service=self.service, load_document=central_document
        )
        index = partial(knowledge.index_document, pushes_to_central=True)
        await self.drain(
            {
                "knowledge.index_document": index,
                "sources.push_document": push,
                "documents.delete_blob": forget_blob,
            }
        )

    async def set_text(self, text: str) -> None:
        org_id, document_id = self.actor.org_id, self.link.document_id
        async with tenant_transaction(self.sessions, org_id) as session:
            documents = DocumentsService(session, self.actor)
            document = await documents.get_document(document_id)
        await set_pages(self.sessions, document, text)
        async with tenant_transaction(self.sessions, org_id) as session:
            documents = DocumentsService(session, self.actor)
            await documents.request_indexing([document_id])

    async def remove(self, *, unlinks_only: bool) -> None:
        async with tenant_transaction(self.sessions, self.actor.org_id) as session:
            documents = DocumentsService(session, self.actor)
            products = ProductsService(session, self.actor, documents)
            await products.unlink_document(self.link.product_id, self.link.id)
            if not unlinks_only:
                await documents.remove_document(self.link.document_id)

    async def found(self, words: str) -> list[str]:
        central = CentralRetrieval(self.sessions, self.actor.org_id, self.service)
        return [hit.text for hit in await central.search(words, 5)]

    async def enqueue(self) -> int:
        return await enqueue_pushes(self.sessions, central_documents)


@pytest.fixture
async def organisation(
    sessions: SessionFactory, org_id: UUID, actor: Actor, drain_jobs: DrainJobs
) -> Organisation:
    link = await make_link(sessions, org_id)
    organisation = Organisation(sessions, actor, OfflineCentral(), drain_jobs, link)
    await organisation.set_text(WORDS)
    return organisation


async def test_indexed_document_is_pushed_with_each_new_text(
    organisation: Organisation,
) -> None:
    await organisation.work()
    first = await organisation.found("keep")

    await organisation.set_text("Store PreservaSet at 30 degrees")
    await organisation.work()

    assert first == [WORDS]
    assert await organisation.found("preservaset") == [
        "Store PreservaSet at 30 degrees"
    ]
    assert await organisation.enqueue() == 0


async def test_failed_push_is_repeated_later(organisation: Organisation) -> None:
    # As often as a job is tried.
    organisation.twin.failures = [httpx2.Response(401)] * CENTRAL_MAX_FAILURES
    await organisation.work()
    failed = await organisation.found("keep")

    queued = [await organisation.enqueue() for _ in range(2)]
    await organisation.work()

    assert (failed, queued) == ([], [1, 1])  # requested twice, pushed once
    assert await organisation.found("keep") == [WORDS]


@pytest.mark.parametrize("unlinks_only", [True, False])
async def test_document_no_longer_linked_is_removed(
    organisation: Organisation,
    unlinks_only: bool,  # noqa: FBT001 - a table
) -> None:
    await organisation.work()

    await organisation.remove(unlinks_only=unlinks_only)
    queued = await organisation.enqueue()
    await organisation.work()

    assert queued == 1
    assert await organisation.found("keep") == []
    assert await organisation.enqueue() == 0


def test_documents_are_pushed_only_where_a_service_is_set(settings: Settings) -> None:
    central = settings.knowledge.model_copy(update={"central_url": "http://c.example"})
    named = settings.model_copy(update={"knowledge": central})

    runs = [make_handlers(s)["knowledge.index_document"] for s in (settings, named)]

    given = [
        run.keywords["pushes_to_central"] for run in runs if isinstance(run, partial)
    ]
    assert given == [False, True]
