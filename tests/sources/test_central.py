"""Each product gets a knowledge base, whenever the service can be reached."""

from functools import partial
from uuid import UUID, uuid4

import httpx2
import pytest
from tests.conftest import DrainJobs
from tests.factories.products import make_product
from tests.readers import SharingReader

from dossier.core.database import SessionFactory
from dossier.core.pagination import PageParams
from dossier.core.tenancy import Actor
from dossier.integrations.rag.client import RagClient
from dossier.integrations.rag.models import RemoteDocument
from dossier.integrations.rag.offline import OfflineCentral
from dossier.jobs.attempts import JobHandler
from dossier.jobs.constants import JobState
from dossier.jobs.service import list_jobs
from dossier.jobs.types import JobFilters
from dossier.products.service.products import ProductsService
from dossier.sources.constants import CREATE_BASE_TASK
from dossier.sources.service import CentralRetrieval
from dossier.sources.tasks import create_base, enqueue_bases
from dossier.sources.types import CentralDocument

DOCUMENT = RemoteDocument("d-1", "SDS", "Keep PreservaSet below 25 degrees")


@pytest.fixture
def twin() -> OfflineCentral:
    return OfflineCentral()


@pytest.fixture
def service(twin: OfflineCentral) -> RagClient:
    return RagClient("https://central.example", twin.key, transport=twin.transport())


def task_of(service: RagClient | None) -> dict[str, JobHandler]:
    return {CREATE_BASE_TASK: partial(create_base, service=service)}


async def test_products_without_a_base_get_one(
    sessions: SessionFactory,
    org_id: UUID,
    drain_jobs: DrainJobs,
    twin: OfflineCentral,
    service: RagClient,
) -> None:
    product = await make_product(sessions, org_id)

    queued = [
        await enqueue_bases(sessions, ProductsService.list_everywhere) for _ in range(2)
    ]
    ran = await drain_jobs(task_of(service))
    later = await enqueue_bases(sessions, ProductsService.list_everywhere)

    assert (queued, ran, later) == ([1, 1], 1, 0)  # twice asked for, once made
    assert twin.bases(str(org_id)) == {str(product.id): "kb_1"}


async def test_unavailable_service_only_delays_the_base(
    sessions: SessionFactory,
    org_id: UUID,
    drain_jobs: DrainJobs,
    twin: OfflineCentral,
    service: RagClient,
) -> None:
    twin.failures = [httpx2.Response(503)]
    await make_product(sessions, org_id)
    await enqueue_bases(sessions, ProductsService.list_everywhere)

    await drain_jobs(task_of(service))

    assert twin.bases(str(org_id)) != {}


async def test_job_ends_where_the_service_is_no_longer_set(
    sessions: SessionFactory, org_id: UUID, drain_jobs: DrainJobs
) -> None:
    await make_product(sessions, org_id)
    await enqueue_bases(sessions, ProductsService.list_everywhere)

    await drain_jobs(task_of(None))

    reader = SharingReader(sessions, Actor.system(org_id))
    [job] = (await list_jobs(reader, JobFilters(), PageParams())).items
    assert job["state"] is JobState.DONE


async def test_a_search_uses_the_organisations_own_bases(
    sessions: SessionFactory,
    org_id: UUID,
    other_org_id: UUID,
    service: RagClient,
) -> None:
    product_id, document_id = uuid4(), uuid4()
    mine = CentralRetrieval(sessions, org_id, service)
    theirs = CentralRetrieval(sessions, other_org_id, service)
    document = CentralDocument(DOCUMENT, 1, frozenset({product_id}))
    await mine.sync_document(document_id, document)

    [hit] = await mine.search("keep preservaset", 5)

    assert (hit.title, hit.reference) == ("SDS", "d-1")
    assert await mine.search("keep preservaset", 5, product_id) == [hit]
    assert await mine.search("keep preservaset", 5, uuid4()) == []
    assert await theirs.search("keep preservaset", 5, product_id) == []


async def test_without_a_base_the_service_is_not_called(
    sessions: SessionFactory, org_id: UUID, twin: OfflineCentral, service: RagClient
) -> None:
    assert await CentralRetrieval(sessions, org_id, service).search("words", 5) == []
    assert twin.calls == []


async def test_a_base_is_made_once(
    sessions: SessionFactory, org_id: UUID, twin: OfflineCentral, service: RagClient
) -> None:
    central, product_id = CentralRetrieval(sessions, org_id, service), uuid4()

    made = [await central.ensure_base(product_id) for _ in range(2)]

    assert made == ["kb_1", "kb_1"]
    assert len(twin.calls) == 1
