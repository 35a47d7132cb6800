"""Searching as one organisation: what is found, by which plan, and what is reported."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, text, update
from tests.factories.knowledge import index, make_indexed_document, make_read_document
from tests.factories.products import make_product
from typing_extensions import override

from dossier.core.database import SessionFactory, tenant_transaction
from dossier.core.errors import PaymentRequiredError, UpstreamError
from dossier.core.tenancy import Actor
from dossier.documents.models import Document
from dossier.documents.service import DocumentsService
from dossier.integrations.llm.types import CallTag
from dossier.integrations.rag.models import RemotePassage
from dossier.integrations.rerank.client import Ranked
from dossier.integrations.tracing.models import AttributeValue, NoSpan, NoTracer, Span
from dossier.jobs.models import Job
from dossier.knowledge.constants import EMBED_TASK
from dossier.knowledge.models import Embedding, KnowledgeStats
from dossier.knowledge.rules import plan
from dossier.knowledge.service.clients import SearchBreakers, SearchClients
from dossier.knowledge.service.search import SearchService
from dossier.knowledge.types import SearchQuery, SearchResult
from dossier.products.exceptions import ProductNotFoundError
from dossier.products.service.products import ProductsService

SIZE = 384
CLIENTS = ("embedder", "rerank", "search_central")


class WordsEmbedder:
    """Sees `red` and `rouge` as one thing, everything else as another."""

    name = "words"

    def __init__(self, size: int = SIZE, failure: Exception | None = None) -> None:
        self._size = size
        self._failure = failure
        self.asked: list[str] = []

    async def embed(self, texts: Sequence[str], _tag: CallTag, /) -> list[list[float]]:
        self.asked += texts
        if self._failure is not None:
            raise self._failure
        return [vector_of(each, self._size) for each in texts]


def vector_of(text: str, size: int = SIZE) -> list[float]:
    is_red = any(word in text.lower() for word in ("red", "rouge"))
    return [float(is_red), float(not is_red)] + [0.0] * (size - 2)


async def embed_all(
    sessions: SessionFactory, org_id: UUID, *, languages: Sequence[str] = ("en", "zh")
) -> None:
    """Give each passage its vector, as the job would."""
    async with tenant_transaction(sessions, org_id) as session:
        rows = await session.execute(
            text("select id, text from knowledge_chunks where org_id = :org"),
            {"org": org_id},
        )
        session.add_all(
            Embedding(
                org_id=org_id,
                chunk_id=row.id,
                model="words",
                dimensions=SIZE,
                content_sha256="0" * 64,
                vector=vector_of(row.text),
            )
            for row in rows
        )
        await session.execute(
            update(KnowledgeStats)
            .where(KnowledgeStats.org_id == org_id)
            .values(
                dense_state="ready",
                dense_model="words",
                dense_dimensions=SIZE,
                dense_languages=list(languages),
            )
        )


async def ask(
    sessions: SessionFactory, actor: Actor, question: str, **parts: Any
) -> SearchResult:
    clients = {name: parts.pop(name) for name in CLIENTS if name in parts}
    service = SearchService(sessions, actor, SearchClients(**clients))
    return await service.search(SearchQuery(question, **parts))


def names(result: SearchResult) -> list[str]:
    return [hit.filename for hit in result.hits]


async def test_the_best_passage_comes_first_with_its_place(
    sessions: SessionFactory, org_id: UUID, actor: Actor
) -> None:
    await make_indexed_document(sessions, org_id, "Lead below 2 ppm.", filename="a.txt")
    await make_indexed_document(
        sessions, org_id, "Cover", "Shelf life: 24 months.", filename="b.txt"
    )

    result = await ask(sessions, actor, "How long is the shelf life?")

    [hit] = result.hits
    assert (hit.filename, hit.page, hit.label) == ("b.txt", 2, "page 2")
    assert hit.text == "Shelf life: 24 months."
    assert hit.places[0]["start"] == 0
    assert hit.parts.lexical
    assert hit.score == 1
    assert (result.mode, result.why) == ("lexical", "no embedding model is set")
    assert result.idf["shelf"] < result.idf["long"]


async def test_an_organisation_without_documents_finds_nothing(
    sessions: SessionFactory, actor: Actor
) -> None:
    result = await ask(sessions, actor, "anything")

    assert (result.hits, result.corpus_version, result.not_ready) == ([], 0, [])


@pytest.mark.parametrize("question", ["?!", "的", "zzzz"])
async def test_a_question_without_known_words_finds_nothing(
    sessions: SessionFactory, org_id: UUID, actor: Actor, question: str
) -> None:
    await make_indexed_document(sessions, org_id, "Lead below 2 ppm.")

    assert not (await ask(sessions, actor, question)).hits


@pytest.mark.parametrize("staged", [False, True])
@pytest.mark.parametrize("dense", [False, True])
async def test_a_perfect_match_elsewhere_never_surfaces(
    sessions: SessionFactory,
    org_id: UUID,
    other_org_id: UUID,
    actor: Actor,
    monkeypatch: pytest.MonkeyPatch,
    *,
    staged: bool,
    dense: bool,
) -> None:
    if staged:
        monkeypatch.setattr(plan, "LEXICAL_EXACT_CHUNKS", 0)
        monkeypatch.setattr(plan, "DENSE_EXACT_CHUNKS", 0)
        monkeypatch.setattr(plan, "DENSE_SPARSE_CHUNKS", 0)
    await make_indexed_document(sessions, org_id, "Rouge lipstick.", filename="ours")
    for number in range(3):
        await make_indexed_document(
            sessions, other_org_id, f"Red lipstick {number}.", filename="theirs"
        )
    await embed_all(sessions, org_id)
    await embed_all(sessions, other_org_id)

    embedder = WordsEmbedder() if dense else None
    result = await ask(sessions, actor, "red lipstick", embedder=embedder)

    assert names(result) == ["ours"]
    assert result.mode == ("hybrid" if dense else "lexical")


async def test_both_plans_find_the_same(
    sessions: SessionFactory,
    org_id: UUID,
    actor: Actor,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for number in range(6):
        await make_indexed_document(sessions, org_id, f"Cream {number} holds aqua.")
    await embed_all(sessions, org_id)
    exact = await ask(sessions, actor, "cream 4 aqua", embedder=WordsEmbedder())
    for name in ("LEXICAL_EXACT_CHUNKS", "DENSE_EXACT_CHUNKS", "DENSE_SPARSE_CHUNKS"):
        monkeypatch.setattr(plan, name, 0)

    staged = await ask(sessions, actor, "cream 4 aqua", embedder=WordsEmbedder())

    assert [hit.chunk_id for hit in staged.hits] == [hit.chunk_id for hit in exact.hits]


async def test_vectors_find_what_words_do_not(
    sessions: SessionFactory, org_id: UUID, actor: Actor
) -> None:
    await make_indexed_document(sessions, org_id, "Rouge shade.", filename="r")
    await make_indexed_document(sessions, org_id, "Aqua base.", filename="a")
    await embed_all(sessions, org_id)

    result = await ask(sessions, actor, "red", embedder=WordsEmbedder())

    assert names(result)[0] == "r"
    assert result.mode == "hybrid"
    assert result.why is None
    assert result.hits[0].parts.dense == pytest.approx(1, abs=1e-3)
    assert result.hits[0].parts.lexical is None


async def test_an_english_only_embedder_is_not_asked_in_chinese(
    sessions: SessionFactory, org_id: UUID, actor: Actor
) -> None:
    await make_indexed_document(sessions, org_id, "有效期限為兩年。")
    await embed_all(sessions, org_id, languages=("en",))
    embedder = WordsEmbedder()

    result = await ask(sessions, actor, "有效期限", embedder=embedder)

    assert result.mode == "lexical"
    assert "Chinese" in (result.why or "")
    assert embedder.asked == []
    assert result.hits


@pytest.mark.parametrize(
    ("embedder", "reason"),
    [
        (WordsEmbedder(failure=UpstreamError("away")), "upstream"),
        (WordsEmbedder(failure=TimeoutError()), "TimeoutError"),
        (WordsEmbedder(size=256), "256 dimensions"),
    ],
)
async def test_an_embedder_that_fails_leaves_a_search_by_words(
    sessions: SessionFactory,
    org_id: UUID,
    actor: Actor,
    embedder: WordsEmbedder,
    reason: str,
) -> None:
    await make_indexed_document(sessions, org_id, "Red shade.")
    await embed_all(sessions, org_id)

    result = await ask(sessions, actor, "red", embedder=embedder)

    assert result.mode == "lexical"
    assert reason in (result.why or "")
    assert len(result.hits) == 1


async def test_a_model_whose_size_has_changed_has_passages_embedded_anew_once(
    sessions: SessionFactory, org_id: UUID, actor: Actor
) -> None:
    await make_indexed_document(sessions, org_id, "Red shade.")
    await embed_all(sessions, org_id)

    for _ in range(2):
        await ask(sessions, actor, "red", embedder=WordsEmbedder(size=256))

    async with tenant_transaction(sessions, org_id) as session:
        jobs = await session.scalars(select(Job).where(Job.kind == EMBED_TASK))
        assert len(jobs.all()) == 1


class Backwards:
    """A reranker that likes the last one best, or fails."""

    def __init__(self, failure: Exception | None = None) -> None:
        self._failure = failure
        self.asked_count = 0

    async def rerank(
        self, _query: str, documents: Sequence[str], top_n: int, /
    ) -> list[Ranked]:
        self.asked_count += 1
        if self._failure is not None:
            raise self._failure
        places = reversed(range(len(documents)))
        return [Ranked(each, each / 10) for each in places][:top_n]


async def test_reranker_determines_the_order(
    sessions: SessionFactory, org_id: UUID, actor: Actor
) -> None:
    await make_indexed_document(sessions, org_id, "Red red red.", filename="first")
    await make_indexed_document(sessions, org_id, "Red and green.", filename="second")

    plain = await ask(sessions, actor, "red", limit=1)
    result = await ask(sessions, actor, "red", limit=1, rerank=Backwards().rerank)
    failed = await ask(
        sessions, actor, "red", limit=1, rerank=Backwards(UpstreamError("away")).rerank
    )

    assert names(plain) == names(failed) == ["first"]
    assert names(result) == ["second"]
    assert result.hits[0].parts.rerank == result.hits[0].score == 0.1
    assert "the reranker did not answer" in (failed.why or "")


async def test_server_that_keeps_failing_is_skipped(
    sessions: SessionFactory, org_id: UUID, actor: Actor
) -> None:
    await make_indexed_document(sessions, org_id, "Red red red.")
    reranker = Backwards(UpstreamError("away"))
    service = SearchService(sessions, actor, SearchClients(rerank=reranker.rerank))

    found = [await service.search(SearchQuery("red")) for _ in range(5)]

    assert reranker.asked_count == 3
    assert "did not answer lately" in (found[-1].why or "")
    assert all(each.hits for each in found)


async def test_server_that_refuses_one_question_is_called_for_the_next(
    sessions: SessionFactory, org_id: UUID, actor: Actor
) -> None:
    await make_indexed_document(sessions, org_id, "Red red red.")
    reranker = Backwards(PaymentRequiredError())
    service = SearchService(sessions, actor, SearchClients(rerank=reranker.rerank))

    for _ in range(5):
        await service.search(SearchQuery("red"))

    assert reranker.asked_count == 5


async def test_refusal_does_not_reset_the_failures_of_a_server(
    sessions: SessionFactory, org_id: UUID, actor: Actor
) -> None:
    await make_indexed_document(sessions, org_id, "Red red red.")
    away, spent = UpstreamError("away"), PaymentRequiredError()
    breakers = SearchBreakers()
    for failure in (away, away, spent, away):
        clients = SearchClients(rerank=Backwards(failure).rerank, breakers=breakers)
        await SearchService(sessions, actor, clients).search(SearchQuery("red"))
    well = Backwards()

    clients = SearchClients(rerank=well.rerank, breakers=breakers)
    await SearchService(sessions, actor, clients).search(SearchQuery("red"))

    assert well.asked_count == 0


async def test_a_search_is_traced_without_its_words(
    sessions: SessionFactory, org_id: UUID, actor: Actor
) -> None:
    await make_indexed_document(sessions, org_id, "Red red red.")
    tracer = RecordingTracer()
    service = SearchService(sessions, actor, SearchClients(tracer=tracer))

    await service.search(SearchQuery("red"))
    tracer.with_content = True
    await service.search(SearchQuery("red"))

    assert [name for name, _ in tracer.spans] == ["retrieval", "retrieval"]
    silent, open_ = (values for _, values in tracer.spans)
    assert silent["gen_ai.operation.name"] == "retrieval"
    assert (silent["dossier.retrieval.mode"], silent["dossier.retrieval.hits"]) == (
        "lexical",
        1,
    )
    assert silent["gen_ai.retrieval.query.text"] is None
    assert open_["gen_ai.retrieval.query.text"] == "red"


class RecordingTracer(NoTracer):
    """Keeps its spans."""

    def __init__(self) -> None:
        self.with_content = False
        self.spans: list[tuple[str, dict[str, AttributeValue | None]]] = []

    @override
    @contextmanager
    def span(
        self, name: str, attributes: Mapping[str, AttributeValue | None], /
    ) -> Iterator[Span]:
        values = dict(attributes)
        self.spans.append((name, values))
        yield RecordingSpan(values)


class RecordingSpan(NoSpan):
    """Keeps its attributes."""

    def __init__(self, values: dict[str, AttributeValue | None]) -> None:
        self._values = values

    @override
    def set(self, name: str, value: AttributeValue | None, /) -> None:
        self._values[name] = value


class Central:
    """A central service, or one that is away."""

    def __init__(self, failure: Exception | None = None) -> None:
        self._failure = failure
        self.asked: list[UUID | None] = []

    async def search(
        self, _text: str, _limit: int, product_id: UUID | None, /
    ) -> list[RemotePassage]:
        self.asked.append(product_id)
        if self._failure is not None:
            raise self._failure
        return [RemotePassage("Law", "Article 3", 0.5, "law-3")]


async def test_central_passages_are_separate_and_may_be_missing(
    sessions: SessionFactory, org_id: UUID, actor: Actor
) -> None:
    await make_indexed_document(sessions, org_id, "Red shade.")

    both = await ask(sessions, actor, "red", search_central=Central().search)
    alone = await ask(sessions, actor, "red", search_central=Central(OSError()).search)

    assert [each.reference for each in both.central] == ["law-3"]
    assert len(both.hits) == len(alone.hits) == 1
    assert alone.central == ()
    assert "the central service did not answer" in (alone.why or "")


async def test_central_service_is_restricted_to_the_product_or_skipped(
    sessions: SessionFactory, org_id: UUID, actor: Actor
) -> None:
    product, central = await make_product(sessions, org_id), Central()

    await ask(
        sessions, actor, "red", search_central=central.search, product_id=product.id
    )
    narrow = await ask(sessions, actor, "red", search_central=central.search, item=3)

    assert central.asked == [product.id]
    assert narrow.central == ()
    assert "narrows by product alone" in (narrow.why or "")


async def test_a_search_is_restricted_to_product_item_and_type(
    sessions: SessionFactory, org_id: UUID, actor: Actor
) -> None:
    product = await make_product(sessions, org_id)
    linked = await make_indexed_document(sessions, org_id, "Red one.", filename="in")
    await make_indexed_document(sessions, org_id, "Red two.", filename="out")
    async with tenant_transaction(sessions, org_id) as session:
        products = ProductsService(session, actor, DocumentsService(session, actor))
        await products.link_document(
            product.id, linked.id, item=11, requirement="tw-11.stability"
        )

    async def found(**over: Any) -> list[str]:
        return sorted(names(await ask(sessions, actor, "red", **over)))

    assert await found() == ["in", "out"]
    assert await found(product_id=product.id) == ["in"]
    assert await found(product_id=product.id, item=11) == ["in"]
    assert await found(product_id=product.id, item=12) == []
    assert await found(document_type="tw-11.stability") == ["in"]
    assert await found(document_type="text/plain") == ["in", "out"]
    assert await found(document_type="application/pdf") == []
    assert await found(document_ids=(linked.id,)) == ["in"]
    assert await found(language="en") == ["in", "out"]
    assert await found(language="zh") == []


async def test_a_product_of_another_organisation_is_not_found(
    sessions: SessionFactory, other_org_id: UUID, actor: Actor
) -> None:
    product = await make_product(sessions, other_org_id)

    with pytest.raises(ProductNotFoundError):
        await ask(sessions, actor, "red", product_id=product.id)


async def test_an_archived_document_is_not_found(
    sessions: SessionFactory, org_id: UUID, actor: Actor
) -> None:
    document = await make_indexed_document(sessions, org_id, "Red shade.")
    await embed_all(sessions, org_id)
    async with tenant_transaction(sessions, org_id) as session:
        await session.execute(
            update(Document)
            .where(Document.org_id == org_id, Document.id == document.id)
            .values(archived_at=text("now()"))
        )

    result = await ask(sessions, actor, "red", embedder=WordsEmbedder())

    assert not result.hits


async def test_documents_that_are_not_ready_are_named(
    sessions: SessionFactory, org_id: UUID, actor: Actor
) -> None:
    await make_indexed_document(sessions, org_id, "Red shade.", filename="ready")
    late = await make_read_document(sessions, org_id, "Red too.", filename="late")

    result = await ask(sessions, actor, "red")

    assert names(result) == ["ready"]
    [found] = result.not_ready
    assert (found.document_id, found.filename, found.state) == (
        late.id,
        "late",
        "indexing",
    )


async def test_an_indexed_unreadable_document_is_named(
    sessions: SessionFactory, org_id: UUID, actor: Actor
) -> None:
    document = await make_read_document(sessions, org_id, filename="scan.pdf")
    async with tenant_transaction(sessions, org_id) as session:
        await session.execute(
            update(Document)
            .where(Document.org_id == org_id)
            .values(text_state="unreadable")
        )
    await index(sessions, org_id, document.id)

    result = await ask(sessions, actor, "red")

    assert [(each.filename, each.state) for each in result.not_ready] == [
        ("scan.pdf", "unreadable")
    ]


async def test_only_the_beginning_of_a_long_text_is_the_question(
    sessions: SessionFactory, org_id: UUID, actor: Actor
) -> None:
    await make_indexed_document(sessions, org_id, "Red shade.")

    assert (await ask(sessions, actor, "red " + "x" * 5_000)).hits
    assert not (await ask(sessions, actor, "y" * 5_000 + " red")).hits


async def test_passages_are_read_again_while_they_are_there(
    sessions: SessionFactory, org_id: UUID, other_org_id: UUID, actor: Actor
) -> None:
    await make_indexed_document(sessions, org_id, "Red shade.", filename="a.txt")
    await make_indexed_document(sessions, other_org_id, "Red shade.")
    [hit] = (await ask(sessions, actor, "red")).hits
    service = SearchService(sessions, actor)
    other = SearchService(sessions, Actor.system(other_org_id))

    [read] = await service.read([hit.chunk_id])

    assert (read.text, read.filename, read.places) == (
        hit.text,
        hit.filename,
        hit.places,
    )
    assert await other.read([hit.chunk_id]) == []
