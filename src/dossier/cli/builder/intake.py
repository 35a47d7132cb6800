"""Stores files as an upload would: bytes first, then a row and a job to read it."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from uuid import UUID

from dossier.cli.builder.context import BuildContext
from dossier.cli.builder.facts import StatedFacts
from dossier.cli.builder.terminal import StageProgress, display_name
from dossier.cli.builder.types import (
    FolderFile,
    ImportedDocument,
    RefusedFile,
    StoredFile,
    UnusableInputError,
)
from dossier.documents.blobs import discard_duplicate, store_upload
from dossier.documents.constants import WITH_TEXT, TextState
from dossier.documents.models import Document
from dossier.integrations.parsing.exceptions import UnreadableReason
from dossier.integrations.parsing.kinds import SPREADSHEETS
from dossier.integrations.storage.exceptions import BlobMissingError

_PIECE_BYTES = 256 * 1024


class FileRefusedError(Exception):
    """The file cannot be stored; the message is the reason."""


async def store_files(
    context: BuildContext, files: Sequence[FolderFile], step: StageProgress
) -> tuple[list[StoredFile], list[RefusedFile]]:
    """Store every file; one that cannot be read is refused and the others go on."""
    stored: list[StoredFile] = []
    refused: list[RefusedFile] = []
    for file in files:
        try:
            stored.append(await _store(context, file))
        except FileRefusedError as exc:
            refused.append(RefusedFile(file.name, str(exc)))
        step.advance(display_name(file.name))
    return stored, refused


async def read_documents(
    context: BuildContext, stored: Sequence[StoredFile], step: StageProgress
) -> list[ImportedDocument]:
    """Wait until every document was read, or could not be."""
    names = {entry.job_id: entry.file.name for entry in stored if entry.job_id}
    problems: dict[UUID, str] = {}

    async for job in context.ended_jobs(names):
        step.advance(display_name(names[job.id]))
        if job.error:
            problems[job.id] = job.error["detail"]
    async with context.transaction() as session:
        documents = context.documents(session)
        return [
            _imported(entry, await documents.get_document(entry.document_id), problems)
            for entry in stored
        ]


def require_legible(
    root: Path,
    facts: StatedFacts,
    imported: Sequence[ImportedDocument],
    refused: Sequence[RefusedFile],
) -> None:
    """Go on only where a document can be read, or its owner states what it shows.

    Raises:
        UnusableInputError: no file can be used; each is named.
    """
    stated = {entry.file for entry in facts.evidence}
    stated |= {entry.file for entry in facts.confirmed}
    if any(not entry.is_illegible or entry.name in stated for entry in imported):
        return
    unread = [RefusedFile(entry.name, entry.unreadable or "") for entry in imported]
    reasons = "".join(
        f"\n  {entry.name}: {entry.reason}" for entry in (*unread, *refused)
    )
    kept = "files that were taken in stay stored; nothing else was changed"
    message = f"{root}: no file in this folder can be read; {kept}{reasons}"
    raise UnusableInputError(message)


async def _store(context: BuildContext, file: FolderFile) -> StoredFile:
    received = await store_upload(
        context.store,
        context.actor.org_id,
        _pieces(file.path, context.max_size_bytes),
        lambda: file.path.name,
    )
    async with context.transaction() as session:
        receipt = await context.documents(session).receive(received)
    document, job = receipt.document, receipt.job
    if job is None:
        # A known document whose bytes were missing, or which was never read, is read
        # now; its bytes must be in the store before the job runs.
        await discard_duplicate(
            context.sessions, context.store, document, received.blob_key
        )
        was_missing = document.unreadable_reason == BlobMissingError.code()
        lacks_facts = document.text_state in WITH_TEXT and document.record is None
        if was_missing or lacks_facts or document.text_state == TextState.PENDING:
            async with context.transaction() as session:
                documents = context.documents(session)
                job = await documents.request_reading(document.id)
    return StoredFile(
        file=file,
        document_id=document.id,
        is_spreadsheet=received.media_type in SPREADSHEETS,
        is_duplicate=receipt.duplicate,
        is_misnamed=received.is_misnamed,
        job_id=job.id if job else None,
    )


async def _pieces(path: Path, max_size_bytes: int) -> AsyncIterator[bytes]:
    """Yield a local file piece by piece, off the event loop."""
    left_bytes = max_size_bytes
    try:
        with await asyncio.to_thread(path.open, "rb") as file:
            while piece := await asyncio.to_thread(file.read, _PIECE_BYTES):
                left_bytes -= len(piece)
                if left_bytes < 0:
                    message = f"larger than {max_size_bytes // 1024**2} MiB"
                    raise FileRefusedError(message)
                yield piece
    except OSError as exc:
        message = f"cannot be read: {exc.strerror}"
        raise FileRefusedError(message) from exc


def _imported(
    entry: StoredFile, document: Document, problems: dict[UUID, str]
) -> ImportedDocument:
    is_read = document.text_state in WITH_TEXT
    is_scan = document.unreadable_reason == UnreadableReason.NO_TEXT_LAYER
    problem = problems.get(entry.job_id) if entry.job_id else None
    reason = document.unreadable_detail or document.unreadable_reason or problem
    return ImportedDocument(
        name=entry.file.name,
        document_id=str(document.id),
        is_duplicate=entry.is_duplicate,
        actual_type=document.media_type if entry.is_misnamed else None,
        unreadable=None if is_read else reason,
        is_illegible=not is_read and not is_scan,
        encoding=document.encoding,
        is_read_partly=document.text_state == TextState.READ_PARTLY,
        warnings=tuple(document.reading_warnings),
    )
