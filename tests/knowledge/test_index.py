"""Indexing documents: passages, frequencies, weights, and doing it again."""

from uuid import UUID

import pytest
from tests.conftest import DrainJobs
from tests.factories.documents import make_stored_document
from tests.factories.knowledge import (
    index,
    make_chunk,
    make_indexed_document,
    make_read_document,
    set_pages,
)
from tests.factories.products import make_product
from tests.knowledge.counting import kept_counts, real_counts, rows, stats

from dossier.core.database import SessionFactory, tenant_transaction
from dossier.core.settings import Settings
from dossier.core.tenancy import Actor
from dossier.documents.service import DocumentsService
from dossier.jobs.service import JobsService
from dossier.knowledge.rules.analyser import term_id, terms
from dossier.products.service.products import ProductsService

PAGES = (
    "1. 安定性試驗\n本產品於四十度下放置三個月,外觀無變化。",
    "INCI name\tCAS\tPercent\nGlycerin\t56-81-5\t5.0\nAqua\t7732-18-5\t88.2",
)
CHUNKS = "select * from knowledge_chunks where document_id = :d order by position"


async def enqueue(sessions: SessionFactory, org_id: UUID, kind: str) -> None:
    async with tenant_transaction(sessions, org_id) as session:
        await JobsService(session, Actor.system(org_id)).enqueue(kind)


async def test_an_upload_is_indexed_by_the_jobs_that_follow(
    sessions: SessionFactory, org_id: UUID, settings: Settings, drain_jobs: DrainJobs
) -> None:
    document = await make_stored_document(
        sessions, org_id, settings, b"Shelf life: 36 months."
    )

    ran = await drain_jobs()

    [chunk] = await rows(sessions, org_id, CHUNKS, d=document.id)
    assert ran == 2
    assert chunk.text == "Shelf life: 36 months."
    assert chunk.language == "en"
    assert (await stats(sessions, org_id)).chunk_count == 1


async def test_passages_have_their_places(
    sessions: SessionFactory, org_id: UUID
) -> None:
    document = await make_indexed_document(
        sessions, org_id, *PAGES, filename="stability_report.pdf"
    )

    found = await rows(sessions, org_id, CHUNKS, d=document.id)

    assert [(c.page, c.label, c.kind) for c in found] == [
        (1, "page 1", "text"),
        (2, "page 2", "table"),
    ]
    for chunk in found:
        pieces = [PAGES[p["page"] - 1][p["start"] : p["end"]] for p in chunk.places]
        assert chunk.text == "\n".join(pieces)
        assert "stability report" in chunk.context
    assert "安定性試驗" in found[0].context


async def test_frequencies_and_sums_equal_a_recount(
    sessions: SessionFactory, org_id: UUID, other_org_id: UUID
) -> None:
    one = await make_indexed_document(sessions, org_id, *PAGES)
    await make_indexed_document(sessions, org_id, "Glycerin keeps water.")
    await make_indexed_document(sessions, other_org_id, "Glycerin elsewhere.")
    await set_pages(sessions, one, PAGES[0], "Glycerin, and nothing else.")

    await index(sessions, org_id, one.id)

    counted = await kept_counts(sessions, org_id)
    assert counted == await real_counts(sessions, org_id)
    assert counted[term_id("glycerin")] == 2
    assert term_id("7732-18-5") not in counted
    found = await rows(
        sessions,
        org_id,
        "select count(*), sum(length_terms) from knowledge_chunks where org_id = :o",
        o=org_id,
    )
    kept = await stats(sessions, org_id)
    assert (kept.chunk_count, kept.total_terms) == tuple(found[0])


async def test_the_dot_product_is_bm25(sessions: SessionFactory, org_id: UUID) -> None:
    document = await make_indexed_document(sessions, org_id, "Glycerin and glycerin.")
    question = f"{{{term_id('glycerin')}:2}}/1000000000"

    [row] = await rows(
        sessions,
        org_id,
        "select -(sparse <#> cast(:q as text)::sparsevec) as score, length_terms"
        " from knowledge_chunks where document_id = :d",
        q=question,
        d=document.id,
    )

    average = (await stats(sessions, org_id)).average_terms
    norm = 0.9 * (0.4 + 0.6 * row.length_terms / average)
    assert row.length_terms == len(terms("paper · page 1\nGlycerin and glycerin."))
    assert row.score == pytest.approx(2 * 2 * 1.9 / (2 + norm), rel=1e-5)


async def test_unchanged_passage_keeps_its_id(
    sessions: SessionFactory, org_id: UUID
) -> None:
    document = await make_indexed_document(sessions, org_id, *PAGES)
    before = await rows(sessions, org_id, CHUNKS, d=document.id)
    version = (await stats(sessions, org_id)).corpus_version
    await set_pages(sessions, document, "\n\n" + PAGES[0], "Something new.")

    await index(sessions, org_id, document.id)

    after = await rows(sessions, org_id, CHUNKS, d=document.id)
    assert after[0].id == before[0].id
    assert after[0].places[0]["start"] == 2
    assert after[1].id != before[1].id
    assert (await stats(sessions, org_id)).corpus_version > version


async def test_indexing_twice_changes_nothing(
    sessions: SessionFactory, org_id: UUID
) -> None:
    document = await make_indexed_document(sessions, org_id, *PAGES)
    before = await rows(sessions, org_id, CHUNKS, d=document.id)

    await index(sessions, org_id, document.id)

    assert await rows(sessions, org_id, CHUNKS, d=document.id) == before


async def test_a_link_adds_the_product_to_the_context(
    sessions: SessionFactory, org_id: UUID, drain_jobs: DrainJobs, settings: Settings
) -> None:
    document = await make_stored_document(sessions, org_id, settings, b"Kept 3 months.")
    await drain_jobs()
    product = await make_product(sessions, org_id, name_en="Rose Cream")
    async with tenant_transaction(sessions, org_id) as session:
        actor = Actor.system(org_id)
        products = ProductsService(session, actor, DocumentsService(session, actor))
        link = await products.link_document(product.id, document.id, 11)
    await drain_jobs()
    [linked] = await rows(sessions, org_id, CHUNKS, d=document.id)
    async with tenant_transaction(sessions, org_id) as session:
        products = ProductsService(session, actor, DocumentsService(session, actor))
        await products.unlink_document(product.id, link.id)
    await drain_jobs()
    [unlinked] = await rows(sessions, org_id, CHUNKS, d=document.id)

    assert "Rose Cream" in linked.context
    assert "stability" in linked.context
    assert "Rose Cream" not in unlinked.context


async def test_a_document_that_changed_meanwhile_is_not_written(
    sessions: SessionFactory, org_id: UUID
) -> None:
    from dossier.knowledge.service.indexing import (  # noqa: PLC0415 - only here
        IndexingService,
        weighed,
    )

    document = await make_read_document(sessions, org_id, "One.")
    async with tenant_transaction(sessions, org_id) as session:
        source = await IndexingService(session, Actor.system(org_id)).read(document.id)
    await set_pages(sessions, document, "Two.")

    assert source is not None
    async with tenant_transaction(sessions, org_id) as session:
        service = IndexingService(session, Actor.system(org_id))
        assert not await service.replace(source, weighed([], None))


async def test_passages_of_an_older_analyser_are_indexed_again(
    sessions: SessionFactory, org_id: UUID, settings: Settings, drain_jobs: DrainJobs
) -> None:
    document = await make_stored_document(sessions, org_id, settings, b"Shelf life.")
    await drain_jobs()
    [kept] = await rows(sessions, org_id, CHUNKS, d=document.id)
    await rows(
        sessions,
        org_id,
        "with one as (update knowledge_documents set analyser_version = 0 returning 1)"
        " update knowledge_chunks set analyser_version = 0, terms = '{7}' returning id",
    )
    await enqueue(sessions, org_id, "knowledge.catch_up")

    ran = await drain_jobs()

    [again] = await rows(sessions, org_id, CHUNKS, d=document.id)
    assert ran == 2
    assert (again.id, again.analyser_version, again.terms) == (
        kept.id,
        1,
        kept.terms,
    )
    assert await kept_counts(sessions, org_id) == await real_counts(sessions, org_id)


async def test_weights_are_recomputed_when_the_average_changes(
    sessions: SessionFactory, org_id: UUID, drain_jobs: DrainJobs, settings: Settings
) -> None:
    await make_stored_document(sessions, org_id, settings, b"Short.")
    await drain_jobs()
    pinned = (await stats(sessions, org_id)).average_terms
    await make_stored_document(
        sessions, org_id, settings, b"A much longer passage of many words. " * 20
    )

    await drain_jobs()

    kept = await stats(sessions, org_id)
    average = kept.total_terms / kept.chunk_count
    assert pinned < average
    assert kept.average_terms == pytest.approx(average)
    [row] = await rows(
        sessions,
        org_id,
        "select -(sparse <#> cast(:q as text)::sparsevec) as score, length_terms"
        " from knowledge_chunks where text = 'Short.'",
        q=f"{{{term_id('short')}:1}}/1000000000",
    )
    norm = 0.9 * (0.4 + 0.6 * row.length_terms / average)
    assert row.score == pytest.approx(1.9 / (1 + norm), rel=1e-5)


async def test_candidates_are_of_the_own_organisation(
    sessions: SessionFactory, org_id: UUID, other_org_id: UUID
) -> None:
    mine = await make_chunk(sessions, org_id, "Phenoxyethanol 0.9 %")
    await make_chunk(sessions, org_id, "Something else")
    await make_chunk(sessions, other_org_id, "Phenoxyethanol 0.9 %")
    [term] = terms("phenoxyethanol")

    found = await rows(
        sessions,
        org_id,
        "select knowledge_candidates(cast(:terms as int[])) as id",
        terms=[term_id(term)],
    )

    assert [row.id for row in found] == [mine.id]
