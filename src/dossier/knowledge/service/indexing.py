"""Indexing of documents: read the input, replace the passages, check the index."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from statistics import fmean
from typing import Any
from uuid import UUID

import orjson

from dossier.core.database import Session
from dossier.core.models import new_id
from dossier.core.tenancy import Actor
from dossier.documents.constants import INDEX_TASK, WITH_TEXT, TextState
from dossier.documents.service import DocumentsService
from dossier.integrations.rag.models import RemoteDocument
from dossier.jobs.constants import JobGroup
from dossier.jobs.kinds import declare
from dossier.jobs.service import JobsService
from dossier.jobs.types import JobKind
from dossier.knowledge.constants import (
    CATCH_UP_TASK,
    EMBED_TASK,
    REWEIGH_TASK,
)
from dossier.knowledge.gateway import indexing as gateway
from dossier.knowledge.gateway import system
from dossier.knowledge.rules.analyser import ANALYSER_VERSION
from dossier.knowledge.rules.chunking import Part
from dossier.knowledge.rules.preparing import (
    PreparedPassage,
    ServedItem,
    context_head,
)
from dossier.knowledge.rules.weights import has_drifted
from dossier.knowledge.types import (
    ChunkPage,
    IndexingInput,
    Orphans,
    WeighedPassages,
)
from dossier.products.service.products import ProductsService
from dossier.sources.constants import PUSH_DOCUMENT_TASK
from dossier.sources.types import CentralDocument, LinkedDocument

for _name in (INDEX_TASK, REWEIGH_TASK, CATCH_UP_TASK):
    declare(JobKind(_name, JobGroup.INDEXING))
declare(JobKind(EMBED_TASK))  # no indexing: it mostly waits for a model server

_MAX_ENQUEUED = 500
"""Documents that one catch-up job enqueues; it runs again every five minutes."""


def weighed(
    passages: Sequence[PreparedPassage], average_terms: float | None
) -> WeighedPassages:
    """Weigh passages; an organisation's first ones determine its average length."""
    if not passages:
        return WeighedPassages((), (), average_terms)
    average = average_terms or fmean(each.length_terms for each in passages) or 1.0
    rows = [
        {
            "position": passage.position,
            "page": passage.page,
            "label": passage.label,
            "kind": passage.kind,
            "text": passage.text,
            "context": passage.context,
            "places": orjson.dumps(passage.places).decode(),
            "language": passage.language,
            "content_sha256": passage.content_sha256,
            "analyser_version": ANALYSER_VERSION,
            "length_terms": passage.length_terms,
            "terms": "{" + ",".join(map(str, passage.counts)) + "}",
            "sparse": passage.sparse(average),
        }
        for passage in passages
    ]
    return WeighedPassages(passages, rows, average)


class IndexingService:
    """The passages of one organisation's documents."""

    def __init__(self, session: Session, actor: Actor) -> None:
        self._session = session
        self._actor = actor
        self._documents = DocumentsService(session, actor)

    async def read(self, document_id: UUID) -> IndexingInput | None:
        """Return what a document is indexed by; `None` while it is being read.

        A document without a text, or an archived one, has no parts.
        """
        session, org_id = self._session, self._actor.org_id
        row = await gateway.get_source_for_org(session, org_id, document_id)
        if row is not None and row["text_state"] == TextState.PENDING:
            # The transaction that stores the text may have enqueued this very job.
            await self._documents.hold_document(document_id)
            row = await gateway.get_source_for_org(session, org_id, document_id)
        if row is None or row["text_state"] == TextState.PENDING:
            return None
        served = (ServedItem(tuple(n), item) for n, item in orjson.loads(row["served"]))
        columns = (row[name] or () for name in ("positions", "labels", "texts"))
        return IndexingInput(
            document_id=document_id,
            revision=row["revision"],
            head=context_head(row["filename"], served),
            parts=[Part(*each) for each in zip(*columns, strict=True)],
            average_terms=row["average_terms"],
        )

    async def replace(self, source: IndexingInput, found: WeighedPassages) -> bool:
        """Store a document's passages; `False` where it changed meanwhile.

        The document is locked before the sums, here as in its deletion, so that the
        two cannot deadlock.
        """
        session, org_id = self._session, self._actor.org_id
        locked = await gateway.lock_document_for_org(
            session, org_id, source.document_id
        )
        if locked is None or locked["revision"] != source.revision:
            return False
        if not await self._uses_pinned_average(found.average_terms, locked):
            return False
        await self._write(source.document_id, found)
        await gateway.set_indexed_for_org(
            session,
            org_id,
            source.document_id,
            revision=source.revision,
            analyser_version=ANALYSER_VERSION,
            chunk_count=len(found.passages),
        )
        return True

    async def follow_up(self, *, embeds: bool) -> None:
        """Enqueue embedding, and new weights where the average length has changed."""
        jobs = JobsService(self._session, self._actor)
        if embeds:
            await jobs.enqueue(EMBED_TASK, dedupe_key=EMBED_TASK)
        sums = await gateway.get_sums_for_org(self._session, self._actor.org_id)
        if sums is None or not sums.chunk_count or sums.average_terms is None:
            return
        average = sums.total_terms / sums.chunk_count
        if has_drifted(sums.average_terms, average):
            await jobs.enqueue(REWEIGH_TASK, dedupe_key=REWEIGH_TASK)

    async def push_to_central(self, document_id: UUID) -> None:
        """Enqueue the push of the document as it is now to the central service."""
        await JobsService(self._session, self._actor).enqueue(
            PUSH_DOCUMENT_TASK,
            dedupe_key=f"{PUSH_DOCUMENT_TASK}:{document_id}",
            document_id=document_id,
        )

    async def pin_average(self) -> float:
        """Pin the current average length for the next weights, and return it."""
        stats = await gateway.lock_stats_for_org(self._session, self._actor.org_id)
        average = stats.total_terms / max(stats.chunk_count, 1) or 1.0
        await gateway.set_stats_for_org(
            self._session, self._actor.org_id, average_terms=average
        )
        return average

    async def catch_up(self) -> int:
        """Enqueue documents whose index is missing or out of date; return how many."""
        stale = await gateway.list_stale_documents_for_org(
            self._session, self._actor.org_id, ANALYSER_VERSION, _MAX_ENQUEUED
        )
        jobs = JobsService(self._session, self._actor)
        for document_id in stale:
            await jobs.enqueue(
                INDEX_TASK,
                dedupe_key=f"{INDEX_TASK}:{document_id}",
                priority=-1,
                document_id=document_id,
            )
        return len(stale)

    async def page_of_chunks(
        self, document_id: UUID, after: int, limit: int
    ) -> ChunkPage:
        """Return the passages of a document behind a position."""
        await self._documents.get_document(document_id)
        found = await gateway.list_chunks_for_org(
            self._session,
            self._actor.org_id,
            document_id,
            after=after,
            limit=limit + 1,
        )
        shown = found[:limit]
        more = len(found) > limit
        return ChunkPage(shown, str(shown[-1].position) if more else None)

    async def _uses_pinned_average(
        self, average_terms: float | None, locked: Any
    ) -> bool:
        """Return whether weights use the pinned average length; pin the first one."""
        if locked["average_terms"] is not None:
            agrees: bool = locked["average_terms"] == average_terms
            return agrees
        stats = await gateway.lock_stats_for_org(self._session, self._actor.org_id)
        if stats.average_terms is None and average_terms is not None:
            await gateway.set_stats_for_org(
                self._session,
                self._actor.org_id,
                average_terms=average_terms,
                analyser_version=ANALYSER_VERSION,
            )
            return True
        return stats.average_terms == average_terms

    async def _write(self, document_id: UUID, found: WeighedPassages) -> None:
        """Compare by content: a passage that only moves keeps its id and vectors."""
        session, org_id = self._session, self._actor.org_id
        stored = await gateway.list_stored_for_org(session, org_id, document_id)
        by_content: dict[str, list[Any]] = defaultdict(list)
        for each in reversed(stored):
            by_content[each["content_sha256"]].append(each)
        added: dict[UUID, Any] = {}
        changed: dict[UUID, Any] = {}
        for passage, row in zip(found.passages, found.rows, strict=True):
            same = by_content[passage.content_sha256]
            old = same.pop() if same else None
            if old is None:
                added[new_id()] = row
            else:
                place = old["position"], orjson.loads(old["places"])
                is_moved = place != (passage.position, passage.places)
                if is_moved or old["analyser_version"] != ANALYSER_VERSION:
                    changed[old["id"]] = row
        gone = [each["id"] for rows in by_content.values() for each in rows]
        if gone:
            await gateway.delete_chunks_for_org(session, org_id, gone)
        await gateway.update_chunks_for_org(session, org_id, document_id, changed)
        await gateway.add_chunks(session, org_id, document_id, added)


async def find_orphans(session: Session) -> list[Orphans]:
    """Return rows without their parent and wrong counts, in a system transaction."""
    return [Orphans(*found) for found in await system.list_orphans_for_system(session)]


async def central_document(
    session: Session, org_id: UUID, document_id: UUID
) -> CentralDocument | None:
    """Return a document with its products; `None` where it may not be pushed."""
    actor = Actor.system(org_id)
    documents = DocumentsService(session, actor)
    document = await documents.hold_document(document_id)
    if document is None or document.archived_at is not None:
        return None
    if document.text_state not in WITH_TEXT:
        return None
    texts = await documents.texts_of(document_id)
    products = ProductsService(session, actor, documents)
    links = await products.links_of_document(document_id)
    text = "\n\n".join(part.text for part in texts)
    return CentralDocument(
        RemoteDocument(str(document_id), document.filename, text),
        document.revision,
        frozenset(link.product_id for link in links),
    )


async def central_documents(session: Session) -> Collection[LinkedDocument]:
    """Return every document that may be pushed, across organisations."""
    return await system.list_linked_documents_for_system(session)
