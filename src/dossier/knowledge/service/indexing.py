"""Reading what a document is indexed by, and replacing its passages."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any
from uuid import UUID

import orjson

from dossier.core.database import Session
from dossier.core.models import new_id
from dossier.core.tenancy import Actor
from dossier.documents.constants import TextState
from dossier.documents.service import DocumentsService
from dossier.jobs.constants import JobGroup
from dossier.jobs.kinds import declare
from dossier.jobs.service import JobsService
from dossier.jobs.types import JobKind
from dossier.knowledge.constants import (
    CATCH_UP_TASK,
    EMBED_TASK,
    INDEX_TASK,
    REWEIGH_TASK,
)
from dossier.knowledge.gateway import chunks as gateway
from dossier.knowledge.gateway import indexing as writing
from dossier.knowledge.models import Chunk
from dossier.knowledge.rules.analyser import ANALYSER_VERSION
from dossier.knowledge.rules.chunking import Part
from dossier.knowledge.rules.preparing import Prepared, Served, context_head
from dossier.knowledge.rules.weights import has_drifted
from dossier.sources.constants import PUSH_DOCUMENT_TASK

for _name in (INDEX_TASK, REWEIGH_TASK, CATCH_UP_TASK):
    declare(JobKind(_name, JobGroup.INDEXING))
declare(JobKind(EMBED_TASK))  # it waits for a model server most of the time

_CATCH_UP = 500
"""Documents that are enqueued at once; the clock comes again."""


@dataclass(frozen=True, slots=True)
class Source:
    """What a document's passages are made of, as it was when it was read."""

    document_id: UUID
    revision: int
    head: str
    parts: Sequence[Part]
    average_terms: float | None
    """Average length that the organisation's weights are made with."""


@dataclass(frozen=True, slots=True)
class Weighed:
    """Passages with their weights, ready to be written."""

    passages: Sequence[Prepared]
    rows: Sequence[dict[str, Any]]
    average_terms: float | None


@dataclass(frozen=True, slots=True)
class ChunkPage:
    """Some passages, and where the next ones begin."""

    items: Sequence[Chunk]
    next_cursor: str | None


def weighed(passages: Sequence[Prepared], average_terms: float | None) -> Weighed:
    """Weigh passages; the first ones of an organisation say what the average is."""
    if not passages:
        return Weighed((), (), average_terms)
    average = average_terms or fmean(each.length_terms for each in passages) or 1.0
    rows = [_row(each, each.sparse(average)) for each in passages]
    return Weighed(passages, rows, average)


class IndexingService:
    """The passages of one organisation's documents."""

    def __init__(self, session: Session, actor: Actor) -> None:
        self._session = session
        self._actor = actor
        self._documents = DocumentsService(session, actor)

    async def read(self, document_id: UUID) -> Source | None:
        """Return what a document is indexed by; `None` while it is being read.

        A document without a text, or an archived one, has no parts.
        """
        row = await self._row(document_id)
        if row is not None and row["text_state"] == TextState.PENDING:
            # Whoever is just now settling its text may rest on this very job.
            await self._documents.hold_document(document_id)
            row = await self._row(document_id)
        if row is None or row["text_state"] == TextState.PENDING:
            return None
        served = (Served(tuple(n), item) for n, item in orjson.loads(row["served"]))
        return Source(
            document_id=document_id,
            revision=row["revision"],
            head=context_head(row["filename"], served),
            parts=_parts(row),
            average_terms=row["average_terms"],
        )

    async def replace(self, source: Source, found: Weighed) -> bool:
        """Make these the document's passages; `False` where it changed meanwhile.

        The document is held before the sums, here as in its deletion, so that two
        never wait for each other.
        """
        held = await writing.hold_for_org(
            self._session, self._actor.org_id, source.document_id
        )
        if held is None or held["revision"] != source.revision:
            return False
        if not await self._agree(found.average_terms, held):
            return False
        await self._write(source.document_id, found)
        await writing.settle_indexed_for_org(
            self._session,
            self._actor.org_id,
            source.document_id,
            revision=source.revision,
            analyser_version=ANALYSER_VERSION,
            chunk_count=len(found.passages),
        )
        return True

    async def follow_up(self, *, embeds: bool) -> None:
        """Have vectors made, and weights mended where the average has moved."""
        jobs = JobsService(self._session, self._actor)
        if embeds:
            await jobs.enqueue(EMBED_TASK, dedupe_key=EMBED_TASK)
        sums = await writing.get_sums_for_org(self._session, self._actor.org_id)
        if sums is None or not sums["chunk_count"] or sums["average_terms"] is None:
            return
        average = sums["total_terms"] / sums["chunk_count"]
        if has_drifted(sums["average_terms"], average):
            await jobs.enqueue(REWEIGH_TASK, dedupe_key=REWEIGH_TASK)

    async def give_away(self, document_id: UUID) -> None:
        """Have the central service given the document as it is now."""
        await JobsService(self._session, self._actor).enqueue(
            PUSH_DOCUMENT_TASK,
            dedupe_key=f"{PUSH_DOCUMENT_TASK}:{document_id}",
            document_id=document_id,
        )

    async def pin_average(self) -> float:
        """Pin today's average length, which the next weights are made with."""
        stats = await gateway.lock_stats_for_org(self._session, self._actor.org_id)
        average = stats.total_terms / max(stats.chunk_count, 1) or 1.0
        await gateway.set_stats_for_org(
            self._session, self._actor.org_id, average_terms=average
        )
        return average

    async def catch_up(self) -> int:
        """Enqueue documents that are not indexed as they are now; count them."""
        stale = await gateway.list_stale_documents_for_org(
            self._session, self._actor.org_id, ANALYSER_VERSION, _CATCH_UP
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

    async def _row(self, document_id: UUID) -> Any:
        return await writing.get_source_for_org(
            self._session, self._actor.org_id, document_id
        )

    async def _agree(self, average_terms: float | None, held: Any) -> bool:
        """Tell whether weights were made with the pinned average; pin the first."""
        if held["average_terms"] is not None:
            agrees: bool = held["average_terms"] == average_terms
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

    async def _write(self, document_id: UUID, found: Weighed) -> None:
        session, org_id = self._session, self._actor.org_id
        kept = await writing.list_kept_for_org(session, org_id, document_id)
        difference = _differ(kept, found)
        if difference.gone:
            await writing.delete_chunks_for_org(session, org_id, difference.gone)
        await writing.update_chunks_for_org(
            session, org_id, document_id, difference.changed
        )
        await writing.add_chunks(session, org_id, document_id, difference.added)


def _parts(row: Any) -> list[Part]:
    columns = (row[name] or () for name in ("positions", "labels", "texts"))
    return [Part(*each) for each in zip(*columns, strict=True)]


@dataclass(frozen=True, slots=True)
class _Difference:
    """What has to be written: rows by their ids."""

    added: dict[UUID, Any]
    changed: dict[UUID, Any]
    gone: list[UUID]


def _differ(kept: Sequence[Any], found: Weighed) -> _Difference:
    """Compare by content: a passage that only moves keeps its id and its vectors."""
    by_content: dict[str, list[Any]] = defaultdict(list)
    for row in reversed(kept):
        by_content[row["content_sha256"]].append(row)
    difference = _Difference({}, {}, [])
    for passage, row in zip(found.passages, found.rows, strict=True):
        known = by_content[passage.content_sha256]
        old = known.pop() if known else None
        if old is None:
            difference.added[new_id()] = row
        elif not _is_same(old, passage):
            difference.changed[old["id"]] = row
    difference.gone.extend(row["id"] for rows in by_content.values() for row in rows)
    return difference


def _is_same(old: Any, passage: Prepared) -> bool:
    stored = (old["analyser_version"], old["position"], orjson.loads(old["places"]))
    return stored == (ANALYSER_VERSION, passage.position, passage.places)


def _row(passage: Prepared, sparse: str) -> dict[str, Any]:
    return {
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
        "sparse": sparse,
    }
