"""Measures retrieval on a judged collection, in an organisation made for it.

Documents, passages and searches take the ways that they always take. Whoever calls
this sees to it that the organisation does not outlive it.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from statistics import fmean
from time import perf_counter
from typing import Any, Final
from uuid import UUID

from dossier.accounts.constants import OrganisationKind
from dossier.accounts.service import OrganisationsService
from dossier.core.database import Session, SessionFactory, tenant_transaction
from dossier.core.tenancy import Actor
from dossier.documents.service import DocumentsService
from dossier.documents.types import ReceivedFile
from dossier.knowledge.rules.chunking import passages_of
from dossier.knowledge.rules.collection import Collection, Paper
from dossier.knowledge.rules.measures import ndcg, percentile, recall
from dossier.knowledge.rules.preparing import prepare
from dossier.knowledge.schemas.search import SearchQuery
from dossier.knowledge.service.indexing import IndexingService, weighed
from dossier.knowledge.service.search import SearchService

PASSAGES: Final = 100
"""How deep a search goes; a leg brings no more."""


@dataclass(slots=True)
class _Measured:
    """What the searches came to, one value each."""

    ndcg_at_10: list[float] = field(default_factory=list)
    recall_at_10: list[float] = field(default_factory=list)
    recall_at_100: list[float] = field(default_factory=list)
    took_ms: list[float] = field(default_factory=list)
    modes: set[str] = field(default_factory=set)

    def judge(self, ranked: Sequence[str], grades: Mapping[str, int]) -> None:
        """Take down how good a ranking is."""
        self.ndcg_at_10.append(ndcg(ranked, grades, 10))
        self.recall_at_10.append(recall(ranked, grades, 10))
        self.recall_at_100.append(recall(ranked, grades, 100))


async def evaluate(
    sessions: SessionFactory,
    collection: Collection,
    settled: Callable[[], Awaitable[None]] | None = None,
) -> dict[str, Any]:
    """Return how well a collection's questions find their documents, and how fast.

    `settled` is awaited between writing and searching.
    """
    organisation = await OrganisationsService(sessions).create_organisation(
        "Retrieval", OrganisationKind.BRAND
    )
    actor = Actor.system(organisation.id)
    papers = await index_papers(sessions, actor, collection.papers)
    if settled is not None:
        await settled()
    search = SearchService(sessions, actor)
    return await judge_searches(search, collection, papers)


async def judge_searches(
    search: SearchService, collection: Collection, papers: Mapping[UUID, str]
) -> dict[str, Any]:
    """Return how well questions find papers that are indexed already."""
    return _summary(collection, await _measure(search, collection, papers))


async def index_papers(
    sessions: SessionFactory, actor: Actor, papers: Sequence[Paper]
) -> dict[UUID, str]:
    """Store and index the papers; return which document is which."""
    ids: dict[UUID, str] = {}
    for paper in papers:
        async with tenant_transaction(sessions, actor.org_id) as session:
            ids[await _index_one(session, actor, paper)] = paper.id
    return ids


async def _index_one(session: Session, actor: Actor, paper: Paper) -> UUID:
    documents = DocumentsService(session, actor)
    document = await documents.receive_text(_received(paper), "text", paper.text)
    if document is None:
        message = f"two papers are {paper.id}"
        raise RuntimeError(message)
    indexing = IndexingService(session, actor)
    source = await indexing.read(document.id)
    if source is not None:
        passages = prepare(list(passages_of(source.parts)), source.head, 1)
        await indexing.replace(source, weighed(passages, source.average_terms))
    return document.id


def _received(paper: Paper) -> ReceivedFile:
    """Return a paper as a file that its title names: names are indexed."""
    digest = sha256(paper.id.encode()).hexdigest()
    return ReceivedFile(
        filename=f"{paper.title.replace('/', ' ')}.txt",
        media_type="text/plain",
        is_misnamed=False,
        blob_key=f"measured/{digest}",
        sha256=digest,
        size_bytes=len(paper.text.encode()),
    )


async def _measure(
    search: SearchService, collection: Collection, papers: Mapping[UUID, str]
) -> _Measured:
    measured = _Measured()
    for id_, question in collection.questions.items():
        started_at = perf_counter()
        result = await search.search(SearchQuery(question, limit=PASSAGES))
        measured.took_ms.append((perf_counter() - started_at) * 1000)
        measured.modes.add(result.mode)
        # A document stands where its best passage does.
        ranked = list(dict.fromkeys(papers[hit.document_id] for hit in result.hits))
        measured.judge(ranked, collection.grades[id_])
    return measured


def _summary(collection: Collection, measured: _Measured) -> dict[str, Any]:
    return {
        "documents": len(collection.papers),
        "queries": len(collection.questions),
        "ndcg@10": round(fmean(measured.ndcg_at_10), 4),
        "recall@10": round(fmean(measured.recall_at_10), 4),
        "recall@100": round(fmean(measured.recall_at_100), 4),
        "p50_ms": round(percentile(measured.took_ms, 50), 2),
        "p95_ms": round(percentile(measured.took_ms, 95), 2),
        "mode": "hybrid" if "hybrid" in measured.modes else "lexical",
    }
