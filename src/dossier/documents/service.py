"""Use cases of documents; starts no transaction and commits none."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from dossier.activity.service import ActivityService
from dossier.core.clock import now
from dossier.core.database import Session
from dossier.core.pagination import PageParams, Slice
from dossier.core.reads import Row, TenantReader
from dossier.core.tenancy import Actor
from dossier.documents import gateway
from dossier.documents.constants import (
    DELETE_BLOB_TASK,
    INDEX_TASK,
    READ_TASK,
    REMOVERS,
    UPLOAD_ROLES,
    CitationKind,
    TextState,
)
from dossier.documents.exceptions import (
    DocumentArchivedError,
    DocumentCitedError,
    DocumentNotFoundError,
)
from dossier.documents.facts.types import PageText
from dossier.documents.models import Document, DocumentText
from dossier.documents.types import (
    DocumentFilter,
    Receipt,
    ReceivedFile,
    TextSlice,
)
from dossier.jobs.constants import JobGroup, JobState
from dossier.jobs.kinds import declare
from dossier.jobs.models import Job
from dossier.jobs.service import JobsService
from dossier.jobs.types import JobKind


async def record_failed_reading(session: Session, job: Job) -> None:
    """Record why a document has no text, once its job has failed for good."""
    if job.state is not JobState.FAILED or job.error is None:
        return
    org_id, document_id = job.org_id, UUID(job.args["document_id"])
    document = await gateway.get_document_for_org(session, org_id, document_id)
    if document is None or document.text_state != TextState.PENDING:
        return
    reason = job.error["code"]
    await gateway.mark_unreadable_for_org(
        session, org_id, document_id, reason=reason, detail=job.error["detail"]
    )
    await record_reading(session, Actor.system(org_id), document, reason)


async def record_reading(
    session: Session,
    actor: Actor,
    document: Document,
    reason: str | None,
    state: TextState = TextState.UNREADABLE,
) -> None:
    """Record in the activity log that a document was read, or why it was not."""
    details = {"filename": document.filename, "text_state": str(state)}
    if reason is not None:
        details["reason"] = str(reason)
    activity = ActivityService(session, actor)
    await activity.record("update", "document", document.id, details=details)


declare(JobKind(READ_TASK, JobGroup.READING, on_end=record_failed_reading))
declare(JobKind(DELETE_BLOB_TASK))


async def list_documents(
    reader: TenantReader, wanted: DocumentFilter, page: PageParams
) -> Slice[Row]:
    """Return one page of the organisation's documents, the newest first."""
    return await gateway.list_documents_for_org(reader, reader.org_id, wanted, page)


async def read_document(reader: TenantReader, document_id: UUID) -> Row:
    """Return what clients see of one document, or raise."""
    document = await gateway.read_document_for_org(reader, reader.org_id, document_id)
    if document is None:
        raise DocumentNotFoundError(document_id)
    return document


async def read_pages(
    reader: TenantReader, document_ids: Sequence[UUID]
) -> dict[UUID, tuple[PageText, ...]]:
    """Return the texts of documents, page by page, by document id."""
    rows = await gateway.read_pages_for_org(reader, reader.org_id, document_ids)
    pages: dict[UUID, list[PageText]] = {}
    for row in rows:
        number = row["position"] if row["label"].startswith("page ") else None
        pages.setdefault(row["document_id"], []).append(PageText(number, row["text"]))
    return {document_id: tuple(found) for document_id, found in pages.items()}


class DocumentsService:
    """The documents of one organisation."""

    def __init__(
        self, session: Session, actor: Actor, jobs: JobsService | None = None
    ) -> None:
        self._session = session
        self._actor = actor
        self._activity = ActivityService(session, actor)
        self._jobs = jobs or JobsService(session, actor)

    async def receive(self, received: ReceivedFile) -> Receipt:
        """Insert a document for a stored file and enqueue its reading.

        The same bytes are one document; an archived one is listed and searched again.
        """
        self._actor.require(*UPLOAD_ROLES)
        values = self._values(received)
        while (document := await gateway.add_document(self._session, values)) is None:
            known = await gateway.get_document_by_sha256_for_org(
                self._session, self._actor.org_id, received.sha256
            )
            if known is None:  # deleted since the insertion conflicted with it
                continue
            if known.archived_at is not None:
                await self._set_archived(known, None)
                await self.request_indexing([known.id])
            return Receipt(known, None)
        await self._record("create", document, sha256=document.sha256)
        return Receipt(document, await self._read(document))

    async def receive_text(
        self, received: ReceivedFile, label: str, text: str
    ) -> Document | None:
        """Insert a document with a given text; `None` where it exists already.

        Nothing is stored or recorded in the activity log: for measuring alone.
        """
        document = await gateway.add_document(self._session, self._values(received))
        if document is None:
            return None
        org_id, document_id = self._actor.org_id, document.id
        part = {"position": 1, "label": label, "text": text, "has_text_layer": True}
        row = {"org_id": org_id, "document_id": document_id, **part}
        await gateway.add_texts(self._session, [row])
        await gateway.mark_read_for_org(
            self._session, org_id, document_id, page_count=1, encoding=None
        )
        return document

    async def get_document(self, document_id: UUID) -> Document:
        """Return one document of the organisation."""
        document = await gateway.get_document_for_org(
            self._session, self._actor.org_id, document_id
        )
        if document is None:
            raise DocumentNotFoundError(document_id)
        return document

    async def newest(self, limit: int) -> Sequence[Document]:
        """Return the newest documents that are not archived."""
        return await gateway.list_newest_for_org(
            self._session, self._actor.org_id, limit
        )

    async def texts_of(self, document_id: UUID) -> Sequence[DocumentText]:
        """Return the whole text in reading order; empty where none was read."""
        return await gateway.list_texts_for_org(
            self._session, self._actor.org_id, document_id, after=0, limit=None
        )

    async def page_of_text(
        self, document_id: UUID, after: int, limit: int
    ) -> TextSlice:
        """Return the parts after a position."""
        await self.get_document(document_id)
        parts = await gateway.list_texts_for_org(
            self._session,
            self._actor.org_id,
            document_id,
            after=after,
            limit=limit + 1,
        )
        has_more = len(parts) > limit
        shown = parts[:limit]
        return TextSlice(shown, str(shown[-1].position) if has_more else None)

    async def view_content(self, document_id: UUID) -> Document:
        """Return a document for download, and record that it was viewed."""
        document = await self.get_document(document_id)
        await self._record("view", document)
        return document

    async def request_reading(self, document_id: UUID) -> Job:
        """Enqueue another reading of the text, whatever the last one found."""
        self._actor.require(*UPLOAD_ROLES)
        document = await self.get_document(document_id)
        await gateway.mark_pending_for_org(
            self._session, self._actor.org_id, document_id
        )
        await self._record("update", document, text_state="pending")
        return await self._read(document)

    async def get_evidence(self, document_id: UUID) -> Document:
        """Return a document that may count as evidence: one that is not archived."""
        document = await self.get_document(document_id)
        if document.archived_at is not None:
            raise DocumentArchivedError(document_id, document.filename)
        return document

    async def remove_document(self, document_id: UUID) -> None:
        """Delete a document with its texts and bytes, or raise where it is cited."""
        self._actor.require(*REMOVERS)
        document = await self._held(document_id)
        citations = await gateway.list_citations_for_org(
            self._session, self._actor.org_id, document_id
        )
        if citations:
            raise DocumentCitedError(
                document.filename,
                (
                    f"{each.kind.replace('_', ' ')} {each.number}"
                    f" of product {each.product_id}"
                    for each in citations
                ),
            )
        await gateway.delete_document_for_org(
            self._session, self._actor.org_id, document.id
        )
        await self._jobs.enqueue(DELETE_BLOB_TASK, blob_key=document.blob_key)
        await self._record("delete", document, sha256=document.sha256)

    async def archive_document(self, document_id: UUID) -> None:
        """Archive a document, cited or not: neither listed, searched nor evidence."""
        self._actor.require(*REMOVERS)
        document = await self._held(document_id)
        if document.archived_at is None:
            await self._set_archived(document, now())

    async def restore_document(self, document_id: UUID) -> Document:
        """Undo archiving: the document is listed, searched and evidence again."""
        self._actor.require(*REMOVERS)
        document = await self._held(document_id)
        if document.archived_at is not None:
            await self._set_archived(document, None)
            await self.request_indexing([document.id])
        return document

    async def _held(self, document_id: UUID) -> Document:
        document = await self.hold_document(document_id)
        if document is None:
            raise DocumentNotFoundError(document_id)
        return document

    async def cite(
        self,
        document_ids: Iterable[UUID],
        kind: CitationKind,
        citing_id: UUID,
        *,
        product_id: UUID,
        number: int,
    ) -> None:
        """Record that a version cites documents, which can then not be deleted."""
        rows: list[dict[str, object]] = [
            {
                "org_id": self._actor.org_id,
                "document_id": document_id,
                "kind": kind,
                "citing_id": citing_id,
                "product_id": product_id,
                "number": number,
            }
            for document_id in set(document_ids)
        ]
        if rows:
            await gateway.add_citations(self._session, rows)

    async def hold_document(self, document_id: UUID) -> Document | None:
        """Return a document as it is now, locked until the transaction ends."""
        return await gateway.lock_document_for_org(
            self._session, self._actor.org_id, document_id
        )

    async def request_indexing(self, document_ids: Iterable[UUID]) -> None:
        """Enqueue the indexing of documents whose text or links have changed.

        The rows are written first, and so locked: a job that is indexing one of them
        either sees the change or has ended when the new job is enqueued.
        """
        changed = await gateway.mark_changed_for_org(
            self._session, self._actor.org_id, list(document_ids)
        )
        for document_id in sorted(changed):
            await self._jobs.enqueue(
                INDEX_TASK,
                dedupe_key=f"{INDEX_TASK}:{document_id}",
                document_id=document_id,
            )

    async def _set_archived(self, document: Document, at: datetime | None) -> None:
        await gateway.set_archived_for_org(
            self._session, self._actor.org_id, document.id, at
        )
        document.archived_at = at
        word = "archived" if at else "active"
        await self._record("update", document, archive_state=word)

    async def _read(self, document: Document) -> Job:
        return await self._jobs.enqueue(
            READ_TASK,
            dedupe_key=f"{READ_TASK}:{document.id}",
            document_id=document.id,
        )

    async def _record(self, action: str, document: Document, **details: str) -> None:
        await self._activity.record(
            action,
            "document",
            document.id,
            details={"filename": document.filename, **details},
        )

    def _values(self, received: ReceivedFile) -> dict[str, object]:
        return {
            "org_id": self._actor.org_id,
            "uploaded_by": self._actor.user_id,
            "sha256": received.sha256,
            "filename": received.filename,
            "media_type": received.media_type,
            "is_misnamed": received.is_misnamed,
            "size_bytes": received.size_bytes,
            "blob_key": received.blob_key,
        }
