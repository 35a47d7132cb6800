"""Deleting documents: nothing is left behind, and what is cited stays."""

from uuid import UUID

import asyncpg
import httpx2
import pytest
from tests.conftest import DrainJobs
from tests.factories.documents import make_stored_document
from tests.factories.knowledge import index, make_indexed_document, set_pages
from tests.factories.products import make_product
from tests.knowledge.counting import kept_counts, real_counts, rows, stats

from dossier.core import migrate
from dossier.core.database import SessionFactory, tenant_transaction
from dossier.core.settings import Settings
from dossier.core.tenancy import Actor
from dossier.documents.models import Document
from dossier.documents.service import DocumentsService
from dossier.integrations.storage.client import open_store
from dossier.pif.models import PifVersion
from dossier.pif.service.versions import VersionsService
from dossier.products.service.formulas import FormulaService
from dossier.products.service.products import ProductsService

TABLES = (
    "documents",
    "document_texts",
    "knowledge_chunks",
    "knowledge_documents",
    "knowledge_embeddings",
    "knowledge_terms",
    "product_documents",
)
BYTES = b"Shelf life: 36 months."


async def make_version(
    sessions: SessionFactory, org_id: UUID, document: Document
) -> PifVersion:
    product = await make_product(sessions, org_id, code="cited")
    async with tenant_transaction(sessions, org_id) as session:
        actor = Actor.system(org_id)
        documents = DocumentsService(session, actor)
        products = ProductsService(session, actor, documents)
        await products.link_document(product.id, document.id, 11)
        formulas = FormulaService(session, actor, products)
        versions = VersionsService(session, actor, products, formulas, documents)
        return (await versions.snapshot_version(product.id)).version


async def counts(sessions: SessionFactory, org_id: UUID) -> dict[str, int]:
    return {
        table: (await rows(sessions, org_id, f"select count(*) as n from {table}"))[0].n  # noqa: S608 - our own names
        for table in TABLES
    }


async def test_a_deleted_document_leaves_nothing_behind(
    sessions: SessionFactory,
    org_id: UUID,
    settings: Settings,
    client: httpx2.AsyncClient,
    drain_jobs: DrainJobs,
) -> None:
    document = await make_stored_document(sessions, org_id, settings, BYTES)
    await drain_jobs()
    product = await make_product(sessions, org_id)
    body = {"document_id": str(document.id), "item": 11}
    await client.post(f"/api/v1/products/{product.id}/documents", json=body)
    await rows(
        sessions,
        org_id,
        "insert into knowledge_embeddings select org_id, id, 'tiny', 3, content_sha256,"
        " '[1,0,0]' from knowledge_chunks returning chunk_id",
    )
    assert min((await counts(sessions, org_id)).values()) > 0

    answer = await client.delete(f"/api/v1/documents/{document.id}")
    await drain_jobs()

    assert answer.status_code == 204
    assert set((await counts(sessions, org_id)).values()) == {0}
    assert not await open_store(None, settings.home).has(document.blob_key)
    kept = await stats(sessions, org_id)
    assert (kept.chunk_count, kept.total_terms) == (0, 0)
    assert (await client.get(f"/api/v1/documents/{document.id}")).status_code == 404


async def test_frequencies_of_the_others_stay_exact(
    sessions: SessionFactory, org_id: UUID, client: httpx2.AsyncClient
) -> None:
    gone = await make_indexed_document(sessions, org_id, "Glycerin, aqua.", "Aqua.")
    await make_indexed_document(sessions, org_id, "Aqua and glycerin keep water.")

    await client.delete(f"/api/v1/documents/{gone.id}")

    left = await kept_counts(sessions, org_id)
    assert left == await real_counts(sessions, org_id)
    assert set(left.values()) == {1}


async def test_a_cited_document_is_kept_until_it_is_archived_and_can_be_restored(
    sessions: SessionFactory,
    org_id: UUID,
    settings: Settings,
    client: httpx2.AsyncClient,
    drain_jobs: DrainJobs,
) -> None:
    document = await make_stored_document(sessions, org_id, settings, BYTES)
    await drain_jobs()
    version = await make_version(sessions, org_id, document)
    path = f"/api/v1/documents/{document.id}"

    answer = await client.delete(path)
    kept = (await client.get(path)).json()
    archived = await client.delete(path, params={"archive": True})
    again = await client.delete(path, params={"archive": True})

    assert answer.status_code == 409
    assert answer.json()["code"] == "document_cited"
    assert str(version.product_id) in answer.json()["detail"]
    assert "archive=true" in answer.json()["detail"]
    assert kept["archived_at"] is None
    assert archived.status_code == again.status_code == 204
    assert (await client.delete(path)).status_code == 409
    assert (await client.get(path)).json()["archived_at"] is not None
    assert (await client.get(f"{path}/content")).content == BYTES
    assert (await client.get("/api/v1/documents")).json()["items"] == []
    listed = await client.get("/api/v1/documents", params={"archived": True})
    assert [each["id"] for each in listed.json()["items"]] == [str(document.id)]
    assert (await client.get(f"{path}/chunks")).json()["items"] == []
    assert await kept_counts(sessions, org_id) == {}
    trail = (await client.get("/api/v1/activity")).json()["items"]
    assert [e["details"].get("archive_state") for e in trail].count("archived") == 1
    restored = await client.post(f"{path}/restore")
    await drain_jobs()
    assert restored.json()["archived_at"] is None
    assert (await client.get(f"{path}/chunks")).json()["items"] != []


async def test_an_archived_document_uploaded_again_is_found_again(
    sessions: SessionFactory,
    org_id: UUID,
    settings: Settings,
    client: httpx2.AsyncClient,
    drain_jobs: DrainJobs,
) -> None:
    document = await make_stored_document(sessions, org_id, settings, BYTES)
    await drain_jobs()
    await make_version(sessions, org_id, document)
    path = f"/api/v1/documents/{document.id}"
    await client.delete(path, params={"archive": True})

    answer = await client.post(
        "/api/v1/documents", files={"file": ("again.txt", BYTES, "text/plain")}
    )
    await drain_jobs()

    assert answer.json()["duplicate"] is True
    chunks = await client.get(f"/api/v1/documents/{document.id}/chunks")
    assert [each["text"] for each in chunks.json()["items"]] == [BYTES.decode()]


async def test_bytes_uploaded_again_are_kept(
    sessions: SessionFactory,
    org_id: UUID,
    settings: Settings,
    client: httpx2.AsyncClient,
    drain_jobs: DrainJobs,
) -> None:
    document = await make_stored_document(sessions, org_id, settings, BYTES)
    await client.delete(f"/api/v1/documents/{document.id}")
    again = await make_stored_document(sessions, org_id, settings, BYTES)

    await drain_jobs()

    content = await client.get(f"/api/v1/documents/{again.id}/content")
    assert content.content == BYTES


async def test_an_archived_document_is_not_indexed(
    sessions: SessionFactory, org_id: UUID, client: httpx2.AsyncClient
) -> None:
    document = await make_indexed_document(sessions, org_id, "Shelf life.")
    path = f"/api/v1/documents/{document.id}"
    await client.delete(path, params={"archive": True})
    await set_pages(sessions, document, "Something else.")

    await index(sessions, org_id, document.id)

    assert await real_counts(sessions, org_id) == {}


@pytest.mark.slow  # migrations
async def test_citations_of_earlier_versions_are_found(
    fresh_database: str,
) -> None:
    await migrate.downgrade(fresh_database, "chat")
    connection = await asyncpg.connect(fresh_database)
    org, product, document, version = (UUID(int=n) for n in range(1, 5))
    await connection.execute(
        f"""
        insert into organisations (id, created_at, name, kind)
        values ('{org}', now(), 'Rose', 'brand');
        insert into products (id, org_id, created_at, updated_at, identity_key,
               category, use, usage, sites, holder, markets)
        values ('{product}', '{org}', now(), now(), 'k', 'face_cream', 'leave_on',
                '{{}}', '[]', '{{}}', '[]');
        insert into documents (id, org_id, created_at, sha256, filename, media_type,
               is_misnamed, size_bytes, blob_key, text_state)
        values ('{document}', '{org}', now(), 's', 'f', 'm', false, 1, 'b', 'read');
        insert into pif_versions (id, org_id, created_at, product_id, market, number,
               sha256, snapshot)
        values ('{version}', '{org}', now(), '{product}', 'tw', 1, 's',
                '{{"evidence": [{{"document_id": "{document}"}}]}}');
        """  # noqa: S608 - our own ids
    )

    await migrate.upgrade(fresh_database)

    found = await connection.fetch("select * from document_citations")
    await connection.close()
    assert [(row["document_id"], row["citing_id"]) for row in found] == [
        (document, version)
    ]
