"""Measures retrieval on a judged collection, in an organisation created for it.

Documents are stored, indexed and searched as usual. The caller removes the
organisation, for example with its database.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from hashlib import sha256
from statistics import fmean
from time import perf_counter
from typing import Any, Final
from uuid import UUID

from dossier.accounts.constants import OrganisationKind
from dossier.accounts.service.organisations import OrganisationsService
from dossier.core.database import SessionFactory, tenant_transaction
from dossier.core.tenancy import Actor
from dossier.documents.service import DocumentsService
from dossier.documents.types import ReceivedFile
from dossier.knowledge.rules.chunking import passages_of
from dossier.knowledge.rules.evaluation import (
    Collection,
    CollectionDocument,
    ndcg,
    percentile,
    recall,
)
from dossier.knowledge.rules.preparing import prepare
from dossier.knowledge.service.indexing import IndexingService, weighed
from dossier.knowledge.service.search import SearchService
from dossier.knowledge.types import SearchQuery

EVALUATED_HITS: Final = 100
"""Hits of one search; a leg returns no more."""


async def evaluate(
    sessions: SessionFactory,
    collection: Collection,
    before_search: Callable[[], Awaitable[None]] | None = None,
) -> dict[str, Any]:
    """Return how well a collection's questions find their documents, and how fast.

    `before_search` is awaited between indexing and searching.
    """
    organisation = await OrganisationsService(sessions).create_organisation(
        "Retrieval", OrganisationKind.BRAND
    )
    actor = Actor.system(organisation.id)
    documents = await index_documents(sessions, actor, collection.documents)
    if before_search is not None:
        await before_search()
    search = SearchService(sessions, actor)
    return await judge_searches(search, collection, documents)


async def index_documents(
    sessions: SessionFactory, actor: Actor, documents: Sequence[CollectionDocument]
) -> dict[UUID, str]:
    """Store and index documents; return the collection's id of each."""
    ids: dict[UUID, str] = {}
    for document in documents:
        digest = sha256(document.id.encode()).hexdigest()
        file = ReceivedFile(
            filename=f"{document.title.replace('/', ' ')}.txt",  # names are indexed
            media_type="text/plain",
            is_misnamed=False,
            blob_key=f"measured/{digest}",
            sha256=digest,
            size_bytes=len(document.text.encode()),
        )
        async with tenant_transaction(sessions, actor.org_id) as session:
            store = DocumentsService(session, actor)
            stored = await store.receive_text(file, "text", document.text)
            if stored is None:
                message = f"two documents are {document.id}"
                raise RuntimeError(message)
            indexing = IndexingService(session, actor)
            source = await indexing.read(stored.id)
            if source is not None:
                passages = prepare(list(passages_of(source.parts)), source.head, 1)
                found = weighed(passages, source.average_terms)
                await indexing.replace(source, found)
        ids[stored.id] = document.id
    return ids


async def judge_searches(
    search: SearchService, collection: Collection, documents: Mapping[UUID, str]
) -> dict[str, Any]:
    """Return how well questions find documents that are indexed already."""
    ndcgs, recalls, deep_recalls, took_ms = [], [], [], []
    modes: set[str] = set()
    for id_, question in collection.questions.items():
        started_at = perf_counter()
        result = await search.search(SearchQuery(question, limit=EVALUATED_HITS))
        took_ms.append((perf_counter() - started_at) * 1000)
        modes.add(result.mode)
        # A document has the rank of its best passage.
        ranked = list(dict.fromkeys(documents[hit.document_id] for hit in result.hits))
        grades = collection.grades[id_]
        ndcgs.append(ndcg(ranked, grades, 10))
        recalls.append(recall(ranked, grades, 10))
        deep_recalls.append(recall(ranked, grades, 100))
    return {
        "documents": len(collection.documents),
        "queries": len(collection.questions),
        "ndcg@10": round(fmean(ndcgs), 4),
        "recall@10": round(fmean(recalls), 4),
        "recall@100": round(fmean(deep_recalls), 4),
        "p50_ms": round(percentile(took_ms, 50), 2),
        "p95_ms": round(percentile(took_ms, 95), 2),
        "mode": "hybrid" if "hybrid" in modes else "lexical",
    }
