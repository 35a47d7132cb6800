"""Documents lie in the central service as they are here, sooner or later."""

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
from dossier.knowledge.service.central import central_document, central_documents
from dossier.products.models import ProductDocument
from dossier.products.service import ProductsService
from dossier.sources.constants import CENTRAL_PATIENCE
from dossier.sources.service import CentralRetrieval
from dossier.sources.tasks import fill_documents, push_document
from dossier.worker import make_handlers

WORDS = "Keep PreservaSet below 25 degrees"


async def forget_blob(ctx: JobContext, blob_key: str) -> None:
    """Stand in for the store, which holds nothing here."""
    assert blob_key
    async with tenant_transaction(ctx.sessions, ctx.org_id) as session:
        await ctx.finish(session)


@dataclass(frozen=True, slots=True)
class House:
    """An organisation with one paper that serves one product, and the service."""

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
        push = partial(push_document, service=self.service, papers=central_document)
        index = partial(knowledge.index_document, is_given_away=True)
        await self.drain(
            {
                "knowledge.index_document": index,
                "sources.push_document": push,
                "documents.delete_blob": forget_blob,
            }
        )

    async def say(self, text: str) -> None:
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

    async def fill(self) -> int:
        return await fill_documents(self.sessions, central_documents)


@pytest.fixture
async def house(
    sessions: SessionFactory, org_id: UUID, actor: Actor, drain_jobs: DrainJobs
) -> House:
    link = await make_link(sessions, org_id)
    house = House(sessions, actor, OfflineCentral(), drain_jobs, link)
    await house.say(WORDS)
    return house


async def test_what_is_indexed_is_given_away_and_follows_the_text(house: House) -> None:
    await house.work()
    first = await house.found("keep")

    await house.say("Store PreservaSet at 30 degrees")
    await house.work()

    assert first == [WORDS]
    assert await house.found("preservaset") == ["Store PreservaSet at 30 degrees"]
    assert await house.fill() == 0


async def test_what_was_given_in_vain_is_given_later(house: House) -> None:
    # As often as a job is tried.
    house.twin.failures = [httpx2.Response(401)] * CENTRAL_PATIENCE
    await house.work()
    in_vain = await house.found("keep")

    queued = [await house.fill() for _ in range(2)]
    await house.work()

    assert (in_vain, queued) == ([], [1, 1])  # twice asked for, once given
    assert await house.found("keep") == [WORDS]


@pytest.mark.parametrize("unlinks_only", [True, False])
async def test_what_no_longer_serves_the_product_is_taken_away(
    house: House,
    unlinks_only: bool,  # noqa: FBT001 - a table
) -> None:
    await house.work()

    await house.remove(unlinks_only=unlinks_only)
    queued = await house.fill()
    await house.work()

    assert queued == 1
    assert await house.found("keep") == []
    assert await house.fill() == 0


def test_only_where_a_service_is_set_is_anything_given_away(settings: Settings) -> None:
    central = settings.knowledge.model_copy(update={"central_url": "http://c.example"})
    named = settings.model_copy(update={"knowledge": central})

    runs = [make_handlers(s)["knowledge.index_document"] for s in (settings, named)]

    given = [run.keywords["is_given_away"] for run in runs if isinstance(run, partial)]
    assert given == [False, True]
