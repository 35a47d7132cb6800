"""Vectors of passages: batches, reuse, another model, another size."""

import math
from collections.abc import Sequence
from functools import partial
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.conftest import DrainJobs
from tests.factories.knowledge import index, make_indexed_document, set_pages
from tests.knowledge.counting import rows, stats

from dossier.core.database import SessionFactory, tenant_transaction
from dossier.core.tenancy import Actor
from dossier.documents.constants import INDEX_TASK, READ_TASK
from dossier.integrations.llm.types import CallTag, EmbeddingModel
from dossier.jobs.context import JobContext
from dossier.jobs.service import JobsService
from dossier.knowledge.constants import EMBED_TASK
from dossier.knowledge.exceptions import EmbeddingMalformedError
from dossier.knowledge.rules.analyser import term_id, terms
from dossier.knowledge.rules.vectors import unit_vectors
from dossier.knowledge.tasks import SIZE_PROBE, embed_chunks, organisations_behind


class HashedTerms:
    """A real embedder, if a poor one: a text is how often its terms fall where."""

    def __init__(self, name: str = "hashed", dimensions: int = 8) -> None:
        self.name = name
        self.dimensions = dimensions
        self.asked: list[str] = []

    async def embed(self, texts: Sequence[str], _tag: CallTag, /) -> list[list[float]]:
        self.asked += texts
        return [self._vector(text) for text in texts]

    def _vector(self, text: str) -> list[float]:
        vector = [0.0] * self.dimensions
        for term in terms(text):
            vector[term_id(term) % self.dimensions] += 1
        return vector


async def probe(
    embedder: EmbeddingModel, tag: CallTag
) -> tuple[int | None, tuple[str, ...]]:
    return len((await embedder.embed(["probe"], tag))[0]), ("en",)


async def ignore(_ctx: JobContext, document_id: UUID) -> None:
    del document_id


async def embed(
    sessions: SessionFactory, org_id: UUID, drain_jobs: DrainJobs, model: HashedTerms
) -> None:
    async with tenant_transaction(sessions, org_id) as session:
        await JobsService(session, Actor.system(org_id)).enqueue(EMBED_TASK)
    model.asked.clear()
    await drain_jobs(
        {
            EMBED_TASK: partial(embed_chunks, embedder=model, probe=probe),
            INDEX_TASK: ignore,
            READ_TASK: ignore,
        }
    )


async def kept(sessions: SessionFactory, org_id: UUID) -> list[tuple[str, int]]:
    found = await rows(
        sessions, org_id, "select model, dimensions from knowledge_embeddings"
    )
    return [tuple(row) for row in found]


async def test_passages_are_embedded_once(
    sessions: SessionFactory, org_id: UUID, drain_jobs: DrainJobs
) -> None:
    await make_indexed_document(sessions, org_id, "Shelf life.", "Glycerin.")
    model = HashedTerms()

    await embed(sessions, org_id, drain_jobs, model)
    asked = list(model.asked)
    await embed(sessions, org_id, drain_jobs, model)

    state = await stats(sessions, org_id)
    assert (state.dense_state, state.dense_model, state.dense_dimensions) == (
        "ready",
        "hashed",
        8,
    )
    assert state.dense_languages == ["en"]
    assert len(asked) == 3  # the probe, and both passages with their context
    assert asked[1].endswith("Shelf life.")
    assert model.asked == [SIZE_PROBE]
    assert await kept(sessions, org_id) == [("hashed", 8)] * 2


async def test_the_same_content_is_not_sent_twice(
    sessions: SessionFactory, org_id: UUID, drain_jobs: DrainJobs
) -> None:
    one = await make_indexed_document(sessions, org_id, "Shelf life.")
    model = HashedTerms()
    await embed(sessions, org_id, drain_jobs, model)
    await make_indexed_document(sessions, org_id, "Shelf life.", content=b"other")
    await set_pages(sessions, one, "\nShelf life.")
    await index(sessions, org_id, one.id)

    await embed(sessions, org_id, drain_jobs, model)

    assert model.asked == [SIZE_PROBE]
    assert len(await kept(sessions, org_id)) == 2


@pytest.mark.parametrize(
    "other", [HashedTerms("hashed", 5), HashedTerms("newer", 8)], ids=["size", "name"]
)
async def test_another_size_or_model_begins_anew(
    sessions: SessionFactory, org_id: UUID, drain_jobs: DrainJobs, other: HashedTerms
) -> None:
    await make_indexed_document(sessions, org_id, "Shelf life.")
    await embed(sessions, org_id, drain_jobs, HashedTerms())

    await embed(sessions, org_id, drain_jobs, other)

    assert await kept(sessions, org_id) == [(other.name, other.dimensions)]
    assert (await stats(sessions, org_id)).dense_state == "ready"


async def test_organisations_without_vectors_are_behind(
    sessions: SessionFactory, org_id: UUID, drain_jobs: DrainJobs
) -> None:
    await make_indexed_document(sessions, org_id, "Shelf life.")
    async with tenant_transaction(sessions, org_id) as session:
        before = await organisations_behind(session, embed_model="hashed")
    await embed(sessions, org_id, drain_jobs, HashedTerms())

    async with tenant_transaction(sessions, org_id) as session:
        after = await organisations_behind(session, embed_model="hashed")
        exchanged = await organisations_behind(session, embed_model="newer")

    assert (before, after, exchanged) == ([org_id], [], [org_id])


@given(
    st.lists(
        st.lists(st.floats(-100, 100), min_size=3, max_size=3), min_size=1, max_size=4
    )
)
def test_vectors_are_of_length_one(vectors: list[list[float]]) -> None:
    for text, vector in zip(unit_vectors(vectors, len(vectors)), vectors, strict=True):
        length = math.hypot(*map(float, text[1:-1].split(",")))
        assert length == pytest.approx(1 if math.hypot(*vector) else 0, abs=1e-4)


@pytest.mark.parametrize(
    "vectors",
    [
        [],
        [[1.0]],
        [[1.0], [1.0, 2.0]],
        [[math.nan], [1.0]],
        [[], []],
        [[1.0] * 4_001] * 2,
    ],
)
def test_vectors_that_cannot_be_kept_are_refused(vectors: list[list[float]]) -> None:
    with pytest.raises(EmbeddingMalformedError):
        unit_vectors(vectors, 2)
