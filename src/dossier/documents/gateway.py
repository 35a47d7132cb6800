"""Every query on documents and their texts."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, bindparam, delete, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from dossier.core.clock import now
from dossier.core.database import Session, conflict_on
from dossier.core.models import new_id
from dossier.core.pagination import PageParams, Slice
from dossier.core.reads import ORG_ID, Row, TenantPage, TenantReader, TenantSelect
from dossier.documents.constants import WITH_TEXT, TextState
from dossier.documents.exceptions import DocumentNotFoundError
from dossier.documents.models import Document, DocumentCitation, DocumentText
from dossier.documents.schemas import DocumentResponse
from dossier.documents.types import DocumentFilter

_DOCUMENTS = select(
    *(getattr(Document, name) for name in DocumentResponse.model_fields)
).where(Document.org_id == ORG_ID)
_ONE = TenantSelect(_DOCUMENTS.where(Document.id == bindparam("document_id")))
_PAGES = TenantSelect(
    select(
        DocumentText.document_id,
        DocumentText.position,
        DocumentText.label,
        DocumentText.text,
    )
    .where(
        DocumentText.org_id == ORG_ID,
        DocumentText.document_id.in_(bindparam("document_ids", expanding=True)),
    )
    .order_by(DocumentText.document_id, DocumentText.position)
)
_CONDITIONS: Final[Mapping[str, ColumnElement[bool]]] = {
    "q": Document.filename.ilike(bindparam("q"), escape="/"),
    "sha256": Document.sha256 == bindparam("sha256"),
    "text_state": Document.text_state == bindparam("text_state"),
}
_CITED_KEY = "fk_document_citations_org_id_document_id_documents"
_INSERT_ROWS = 500
"""Rows a statement; the wire protocol counts its parameters in 16 bits."""


async def get_document_for_org(
    session: Session, org_id: UUID, document_id: UUID
) -> Document | None:
    """Return one document, or `None` if it is not this organisation's."""
    query = select(Document).where(
        Document.org_id == org_id, Document.id == document_id
    )
    return (await session.scalars(query)).one_or_none()


async def get_document_by_sha256_for_org(
    session: Session, org_id: UUID, sha256: str
) -> Document | None:
    """Return the document with exactly these bytes."""
    query = select(Document).where(Document.org_id == org_id, Document.sha256 == sha256)
    return (await session.scalars(query)).one_or_none()


async def list_newest_for_org(
    session: Session, org_id: UUID, limit: int
) -> Sequence[Document]:
    """Return the newest documents that are not archived."""
    query = (
        select(Document)
        .where(Document.org_id == org_id, Document.archived_at.is_(None))
        .order_by(Document.created_at.desc(), Document.id.desc())
        .limit(limit)
    )
    return (await session.scalars(query)).all()


async def read_document_for_org(
    reader: TenantReader, org_id: UUID, document_id: UUID
) -> Row | None:
    """Return what clients see of one document."""
    return await reader.row(_ONE, org_id, document_id=document_id)


async def list_documents_for_org(
    reader: TenantReader, org_id: UUID, wanted: DocumentFilter, page: PageParams
) -> Slice[Row]:
    """Return one page of documents, the newest first."""
    pattern = None
    if wanted.q is not None:
        pattern = "%" + re.sub("([/%_])", r"/\1", wanted.q) + "%"
    values = {
        "q": pattern,
        "sha256": wanted.sha256,
        "text_state": wanted.text_state,
    }
    values = {name: value for name, value in values.items() if value is not None}
    listed = _list_statement(frozenset(values), is_archived=wanted.archived)
    return await reader.page(listed, org_id, page, **values)


@cache
def _list_statement(wanted: frozenset[str], *, is_archived: bool) -> TenantPage:
    at = Document.archived_at
    return TenantPage(
        _DOCUMENTS.where(at.is_not(None) if is_archived else at.is_(None))
        .where(*(_CONDITIONS[name] for name in sorted(wanted)))
        .order_by(Document.created_at.desc(), Document.id.desc())
    )


async def lock_document_for_org(
    session: Session, org_id: UUID, document_id: UUID
) -> Document | None:
    """Return one document as it is now, held until the end of the transaction."""
    query = (
        select(Document)
        .where(Document.org_id == org_id, Document.id == document_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return (await session.scalars(query)).one_or_none()


async def set_archived_for_org(
    session: Session, org_id: UUID, document_id: UUID, at: datetime | None
) -> None:
    """Archive a document, or undo that with `None`."""
    await _update(
        session,
        org_id,
        document_id,
        archived_at=at,
        revision=Document.revision + 1,
    )


async def mark_changed_for_org(
    session: Session, org_id: UUID, document_ids: Sequence[UUID]
) -> Sequence[UUID]:
    """Increase the revision of documents; return those that can be indexed."""
    statement = (
        update(Document)
        .where(Document.org_id == org_id, Document.id.in_(sorted(document_ids)))
        .values(revision=Document.revision + 1)
        .returning(Document.id, Document.text_state, Document.archived_at)
    )
    return [
        row.id
        for row in await session.execute(statement)
        if row.text_state != TextState.PENDING and row.archived_at is None
    ]


async def delete_document_for_org(
    session: Session, org_id: UUID, document_id: UUID
) -> None:
    """Delete a document with the rows that refer to it."""
    await session.execute(
        delete(Document).where(Document.org_id == org_id, Document.id == document_id)
    )


async def add_citations(session: Session, rows: Sequence[dict[str, Any]]) -> None:
    """Insert citations of documents; one that exists is skipped."""
    with conflict_on(_CITED_KEY, DocumentNotFoundError("that was to be cited")):
        await session.execute(upsert(DocumentCitation).on_conflict_do_nothing(), rows)


async def list_citations_for_org(
    session: Session, org_id: UUID, document_id: UUID
) -> Sequence[DocumentCitation]:
    """Return what cites a document."""
    query = (
        select(DocumentCitation)
        .where(
            DocumentCitation.org_id == org_id,
            DocumentCitation.document_id == document_id,
        )
        .order_by(DocumentCitation.kind, DocumentCitation.product_id)
        .order_by(DocumentCitation.number)
    )
    return (await session.scalars(query)).all()


async def add_document(session: Session, values: dict[str, Any]) -> Document | None:
    """Insert a document; `None` where the organisation has these bytes already."""
    row = {"id": new_id(), "created_at": now(), "text_state": TextState.PENDING}
    statement = (
        upsert(Document)
        .values(**row, **values)
        .on_conflict_do_nothing(index_elements=["org_id", "sha256"])
        .returning(Document)
    )
    return (await session.scalars(statement)).one_or_none()


async def exchange_blob_for_org(
    session: Session, org_id: UUID, document_id: UUID, *, old_key: str, new_key: str
) -> None:
    """Replace the key of the bytes, unless it has been replaced meanwhile."""
    await session.execute(
        update(Document)
        .where(
            Document.org_id == org_id,
            Document.id == document_id,
            Document.blob_key == old_key,
        )
        .values(blob_key=new_key)
    )


async def mark_pending_for_org(
    session: Session, org_id: UUID, document_id: UUID
) -> None:
    """Mark a document as not read yet."""
    await _update(
        session,
        org_id,
        document_id,
        text_state=TextState.PENDING,
        unreadable_reason=None,
        unreadable_detail=None,
        reading_warnings=[],
    )


async def mark_read_for_org(
    session: Session,
    org_id: UUID,
    document_id: UUID,
    *,
    state: TextState = TextState.READ,
    page_count: int | None,
    encoding: str | None,
    warnings: Sequence[dict[str, Any]] = (),
    record: dict[str, Any] | None = None,
) -> None:
    """Mark a document as read, or as read partly with the first gap as the reason."""
    gap = next((each for each in warnings if each["is_gap"]), None)
    await _update(
        session,
        org_id,
        document_id,
        text_state=state,
        unreadable_reason=gap and gap["code"],
        unreadable_detail=gap and gap["message"]["en"],
        page_count=page_count,
        encoding=encoding,
        reading_warnings=list(warnings),
        record=record,
    )


async def mark_unreadable_for_org(
    session: Session,
    org_id: UUID,
    document_id: UUID,
    *,
    reason: str,
    detail: str,
    warnings: Sequence[dict[str, Any]] = (),
) -> None:
    """Mark a document as unreadable, with the reason."""
    await _update(
        session,
        org_id,
        document_id,
        text_state=TextState.UNREADABLE,
        unreadable_reason=reason,
        unreadable_detail=detail,
        reading_warnings=list(warnings),
        record=None,
    )


async def _update(
    session: Session, org_id: UUID, document_id: UUID, **values: Any
) -> None:
    await session.execute(
        update(Document)
        .where(Document.org_id == org_id, Document.id == document_id)
        .values(**values)
    )


async def delete_texts_for_org(
    session: Session, org_id: UUID, document_id: UUID
) -> bool:
    """Delete the text of an earlier reading; return whether there was any."""
    statement = (
        delete(DocumentText)
        .where(DocumentText.org_id == org_id, DocumentText.document_id == document_id)
        .returning(DocumentText.position)
    )
    return bool((await session.scalars(statement)).all())


async def add_texts(session: Session, rows: Sequence[dict[str, Any]]) -> None:
    """Insert the text of a document."""
    for start in range(0, len(rows), _INSERT_ROWS):
        await session.execute(insert(DocumentText), rows[start : start + _INSERT_ROWS])


async def list_texts_for_org(
    session: Session, org_id: UUID, document_id: UUID, *, after: int, limit: int | None
) -> Sequence[DocumentText]:
    """Return parts after a position, in reading order."""
    query = (
        select(DocumentText)
        .where(
            DocumentText.org_id == org_id,
            DocumentText.document_id == document_id,
            DocumentText.position > after,
        )
        .order_by(DocumentText.position)
        .limit(limit)
    )
    return (await session.scalars(query)).all()


async def read_pages_for_org(
    reader: TenantReader, org_id: UUID, document_ids: Sequence[UUID]
) -> list[Row]:
    """Return the parts of several documents, each in reading order."""
    return await reader.rows(_PAGES, org_id, document_ids=list(document_ids))


async def list_known_blob_keys_for_system(
    session: Session, keys: Sequence[str]
) -> set[str]:
    """Return those of the keys that some row names; needs a system transaction."""
    query = select(Document.blob_key).where(Document.blob_key.in_(keys))
    return set(await session.scalars(query))


async def list_without_record_for_system(
    session: Session, limit: int
) -> Sequence[tuple[UUID, UUID]]:
    """Return organisation and id of documents that were read without facts.

    Needs a system transaction.
    """
    query = (
        select(Document.org_id, Document.id)
        .where(Document.text_state.in_(WITH_TEXT), Document.record.is_(None))
        .order_by(Document.org_id, Document.id)
        .limit(limit)
    )
    return [(row.org_id, row.id) for row in await session.execute(query)]
