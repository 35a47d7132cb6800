"""`retrieval`: 100,000 passages in 20 organisations, and a judged collection.

Texts are made up; `BENCH_CHUNKS` asks for another number of passages, `BENCH_BEIR`
names a folder in BEIR's layout, which is skipped where there is none.
"""

import asyncio
import math
import os
import random
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any
from uuid import UUID, uuid4

import asyncpg
from benchmarks.figures import percentile
from tests.factories.knowledge import index, make_read_document

from dossier.core.database import tenant_transaction
from dossier.core.embedded.cluster import embedded_postgres
from dossier.core.settings import Settings
from dossier.core.startup import Database, opened_database
from dossier.core.tenancy import Actor
from dossier.integrations.llm.types import CallTag
from dossier.knowledge.gateway import search as gateway
from dossier.knowledge.rules import plan
from dossier.knowledge.rules.analyser import ANALYSER_VERSION, term_id, term_ids, terms
from dossier.knowledge.rules.evaluation import NamedLines, read_collection
from dossier.knowledge.rules.weights import (
    count_terms,
    inverse_frequency,
    sparse_text,
    weighed_text,
)
from dossier.knowledge.service.clients import SearchClients
from dossier.knowledge.service.evaluation import evaluate
from dossier.knowledge.service.search import SearchService
from dossier.knowledge.types import DocumentScope, SearchQuery

CHUNKS = int(os.environ.get("BENCH_CHUNKS", "100000"))
BEIR = os.environ.get("BENCH_BEIR")
SHARES = (0.6, 0.06, 0.06, *(0.28 / 17,) * 17)
DIMENSIONS = 256
TOPICS = 400
QUERIES = 200
INDEXED = 100
K = 10
MODEL = "made-up"

_ORGANISATION = """
insert into organisations (id, created_at, name, kind) values ($1, now(), 'B', 'brand')
"""
_DOCUMENT = """
insert into documents (id, created_at, org_id, sha256, filename, media_type,
  is_misnamed, size_bytes, blob_key, text_state)
values ($1, now(), $2, encode(sha256($1::uuid::text::bytea), 'hex'), 'made-up.txt',
  'text/plain', false, 1, 'none', 'read')
"""
_CHUNKS = """
insert into knowledge_chunks (id, created_at, org_id, document_id, position, page,
  label, kind, text, context, places, language, content_sha256, analyser_version,
  length_terms, terms, sparse)
select id, now(), $1, document_id, position, 1, 'page 1', 'text', text, '',
  '[]', 'zh', '', $9, length, terms::int[], sparse::sparsevec
from unnest($2::uuid[], $3::uuid[], $4::int[], $5::text[], $6::int[], $7::text[],
  $8::text[]) as made (id, document_id, position, text, length, terms, sparse)
"""
_VECTORS = """
insert into knowledge_embeddings (org_id, chunk_id, model, dimensions, content_sha256,
  vector)
select $1, id, $4, $5, '', vector::halfvec
from unnest($2::uuid[], $3::text[]) as made (id, vector)
"""
_TERMS = """
insert into knowledge_terms select org_id, analyser_version, term, count(*)
  from knowledge_chunks, unnest(terms) as term group by 1, 2, 3
"""
_STATS = """
insert into knowledge_stats (org_id, chunk_count, total_terms, average_terms,
  analyser_version, corpus_version, dense_state, dense_model, dense_dimensions,
  dense_languages)
select org_id, count(*), sum(length_terms), avg(length_terms), $1, 1, 'ready', $2, $3,
  '["en", "zh"]' from knowledge_chunks group by 1
"""
_HNSW = f"ix_knowledge_embeddings_hnsw_{DIMENSIONS}"


@dataclass(frozen=True, slots=True)
class Asked:
    """A question made of a passage: some of its words, nearly its vector."""

    org_id: UUID
    text: str
    vector: list[float]


class Words:
    """Makes up texts: frequent and rare words, Chinese characters and Latin ones."""

    def __init__(self) -> None:
        self._dice = random.Random(7)  # noqa: S311 - the same texts in every run
        self._latin = ["".join(self._dice.choices("aeiklmnorstu", k=6))
                       for _ in range(20_000)]  # fmt: skip
        self._han = [chr(0x4E00 + n) for n in range(3_000)]
        self._topics = [self._any_direction() for _ in range(TOPICS)]
        self._noise = [self._any_direction() for _ in range(2_000)]

    def text(self) -> str:
        """Return about 40 Latin words and 120 characters."""
        latin = [self._latin[self._rank(20_000)] for _ in range(40)]
        han = ["".join(self._han[self._rank(3_000)] for _ in range(12))
               for _ in range(10)]  # fmt: skip
        return " ".join(latin) + "。".join(han)

    def question(self, text: str) -> str:
        """Return some words of a text."""
        latin, _, han = text.partition("。")
        words = self._dice.sample(latin.split(), 4)
        start = self._dice.randrange(max(len(han) - 8, 1))
        return f"{' '.join(words)} {han[start : start + 8]}"

    def vector(self) -> list[float]:
        """Return a vector near one of the topics."""
        near = self.near(self._dice.choice(self._topics), 0.5)
        return self.near(near, 0.5)

    def near(self, vector: Sequence[float], distance: float) -> list[float]:
        """Return a vector of length one, beside another one."""
        noise = self._dice.choice(self._noise)
        moved = [each + distance * n for each, n in zip(vector, noise, strict=True)]
        length = math.hypot(*moved)
        return [each / length for each in moved]

    def _any_direction(self) -> list[float]:
        vector = [self._dice.gauss(0, 1) for _ in range(DIMENSIONS)]
        length = math.hypot(*vector)
        return [each / length for each in vector]

    def _rank(self, count: int) -> int:
        return int(count ** self._dice.random()) - 1


class Embedder:
    """Knows the vectors of the questions beforehand."""

    name = MODEL

    def __init__(self, asked: Sequence[Asked]) -> None:
        self._vectors = {each.text: each.vector for each in asked}

    async def embed(self, texts: Sequence[str], _tag: CallTag, /) -> list[list[float]]:
        """Return what is known."""
        return [self._vectors[each] for each in texts]


async def measure() -> dict[str, Any]:
    """Return latencies, recall against exact search, storage, pace of indexing."""
    with tempfile.TemporaryDirectory(prefix="dossier-bench-") as folder:
        home = Path(folder)
        try:
            async with embedded_postgres(home) as url:
                settings = Settings.model_validate(
                    {"home": home, "database": {"url": url}}
                )
                async with opened_database(settings) as database:
                    return await _measured(database, url)
        finally:
            embedded_postgres(home).destroy()


async def _measured(database: Database, url: str) -> dict[str, Any]:
    beir = await _beir(database)
    pace = await _pace(database, url)
    asked, storage = await _filled(url)
    embedder = Embedder(asked)
    return {
        "passages": CHUNKS,
        "organisations": len(SHARES),
        "lexical": await _latency(database, asked, None),
        "hybrid": await _latency(database, asked, embedder),
        "recall@10": {
            "lexical": await _recall(database, asked, is_dense=False),
            "dense": await _recall(database, asked, is_dense=True),
        },
        "storage": storage,
        "indexing": pace,
        "judged": beir,
    }


async def _latency(
    database: Database, asked: Sequence[Asked], embedder: Embedder | None
) -> dict[str, Any]:
    """Search as a route does; every organisation must get all the rows it can."""
    took_ms, fewest = [], K
    for warm in (True, False):
        for each in asked[:20] if warm else asked:
            service = SearchService(
                database.sessions,
                Actor.system(each.org_id),
                SearchClients(embedder),
            )
            started_at = time.perf_counter()
            result = await service.search(SearchQuery(each.text, limit=K))
            if not warm:
                took_ms.append((time.perf_counter() - started_at) * 1000)
                fewest = min(fewest, len(result.hits))
    large = [ms for ms, each in zip(took_ms, asked, strict=True)
             if each.org_id == asked[0].org_id]  # fmt: skip
    return {
        "p50_ms": percentile(took_ms, 50),
        "p99_ms": percentile(took_ms, 99),
        "large_p50_ms": percentile(large, 50),
        "fewest_rows": fewest,
    }


async def _recall(
    database: Database, asked: Sequence[Asked], *, is_dense: bool
) -> float:
    """Compare a leg by its indexes with the same leg over every passage."""
    shares = []
    for each in asked:
        quick, exact = [
            await _leg(database, each, is_dense=is_dense, is_staged=is_staged)
            for is_staged in (True, False)
        ]
        shares.append(len(quick & exact) / max(len(exact), 1))
    return round(fmean(shares), 4)


async def _leg(
    database: Database, each: Asked, *, is_dense: bool, is_staged: bool
) -> set[UUID]:
    ids = sorted({term_id(term) for term in terms(each.text)})
    async with tenant_transaction(database.sessions, each.org_id) as session:
        basis = await gateway.get_basis_for_org(
            session, each.org_id, ids, DocumentScope()
        )
    held = dict(zip(basis["term_ids"], basis["term_counts"], strict=True))
    weights = {
        id_: inverse_frequency(basis["chunk_count"], n)
        for id_, n in sorted(held.items())
    }
    lexical = gateway.LexicalLeg(
        weights=sparse_text({} if is_dense else weights),
        candidate_terms=plan.rarest(held) if is_staged and not is_dense else None,
    )
    vector = f"[{','.join(map(str, each.vector))}]"
    dense = gateway.DenseLeg(MODEL, vector, DIMENSIONS, 1.0, is_staged)
    search = gateway.SearchPlan(
        lexical,
        dense if is_dense else None,
        gateway.Narrowing(DocumentScope(), None, has_archived=False),
        K,
    )
    async with tenant_transaction(database.sessions, each.org_id) as session:
        rows = await gateway.list_hits_for_org(session, each.org_id, search)
    return {row["chunk_id"] for row in rows}


async def _filled(url: str) -> tuple[list[Asked], dict[str, int]]:
    """Write the passages in bulk; counts and the index of vectors come last."""
    words, asked = Words(), []
    connection = await asyncpg.connect(url)
    try:
        definition = await connection.fetchval(
            "select pg_get_indexdef($1::regclass)", _HNSW
        )
        await connection.execute(f"drop index {_HNSW}")
        await connection.execute("alter table knowledge_chunks disable trigger user")
        before = await _sizes(connection)
        for share in SHARES:
            made = await _fill(connection, words, round(CHUNKS * share))
            number = QUERIES // 2 if share == SHARES[0] else QUERIES // 38
            asked += made[:number]
        await connection.execute("truncate knowledge_terms, knowledge_stats")
        await connection.execute(_TERMS)
        await connection.execute(_STATS, ANALYSER_VERSION, MODEL, DIMENSIONS)
        await connection.execute("set maintenance_work_mem = '512MB'")
        await connection.execute(definition)
        await connection.execute("alter table knowledge_chunks enable trigger user")
        await connection.execute("vacuum analyze")
        after = await _sizes(connection)
    finally:
        await connection.close()
    return asked, {
        f"{name}_bytes_per_passage": round((after[name] - before[name]) / CHUNKS)
        for name in after
    }


async def _sizes(connection: asyncpg.Connection) -> dict[str, int]:
    return {
        name: await connection.fetchval(
            "select pg_total_relation_size($1::regclass)", f"knowledge_{name}"
        )
        for name in ("chunks", "terms", "embeddings")
    }


async def _fill(
    connection: asyncpg.Connection, words: Words, count: int
) -> list[Asked]:
    org_id, asked = uuid4(), []
    await connection.execute(_ORGANISATION, org_id)
    for start in range(0, count, 1_000):
        document_id = uuid4()
        await connection.execute(_DOCUMENT, document_id, org_id)
        texts = [words.text() for _ in range(min(1_000, count - start))]
        vectors = [words.vector() for _ in texts]
        ids = [uuid4() for _ in texts]
        columns = zip(*_rows(texts), strict=True)
        positions = list(range(1, len(texts) + 1))
        await connection.execute(
            _CHUNKS,
            org_id,
            ids,
            [document_id] * len(ids),
            positions,
            texts,
            *columns,
            ANALYSER_VERSION,
        )
        told = list(map(_told, vectors))
        await connection.execute(_VECTORS, org_id, ids, told, MODEL, DIMENSIONS)
        asked += [
            Asked(org_id, words.question(text), words.near(vector, 0.2))
            for text, vector in list(zip(texts, vectors, strict=True))[:QUERIES]
        ]
    return asked


def _rows(texts: Sequence[str]) -> Iterator[tuple[int, str, str]]:
    for text in texts:
        ids = term_ids(terms(text))
        counts = count_terms(ids)
        array = f"{{{','.join(map(str, counts))}}}"
        yield len(ids), array, weighed_text(counts, len(ids), 320)


def _told(vector: Any) -> str:
    return f"[{','.join(f'{each:.5f}' for each in vector)}]"


async def _pace(database: Database, url: str) -> dict[str, float]:
    """Index documents of one passage each, as the job does."""
    connection, org_id = await asyncpg.connect(url), uuid4()
    await connection.execute(_ORGANISATION, org_id)
    await connection.close()
    words = Words()
    documents = [
        await make_read_document(database.sessions, org_id, words.text())
        for _ in range(INDEXED)
    ]
    started_at = time.perf_counter()
    for document in documents:
        await index(database.sessions, org_id, document.id)
    pages = [words.text() for _ in range(INDEXED * 2)]
    one_by_one_s = time.perf_counter() - started_at
    large = await make_read_document(database.sessions, org_id, *pages)
    started_at = time.perf_counter()
    await index(database.sessions, org_id, large.id)
    at_once_s = time.perf_counter() - started_at
    return {
        "small_documents_passages_per_s": round(INDEXED / one_by_one_s, 1),
        "large_document_passages_per_s": round(len(pages) / at_once_s, 1),
    }


async def _beir(database: Database) -> dict[str, Any] | str:
    """Measure a judged collection, where one is named."""
    if BEIR is None:
        return "skipped: BENCH_BEIR names no folder"
    folder = Path(BEIR)
    files = [
        folder / f"{name}" for name in ("corpus.jsonl", "queries.jsonl", "qrels.tsv")
    ]
    sources = [NamedLines(path.name, path.read_bytes().splitlines()) for path in files]
    return await evaluate(database.sessions, read_collection(*sources))


if __name__ == "__main__":
    print(asyncio.run(measure()))
