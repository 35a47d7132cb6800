"""Takes papers in as an upload would: stored first, then a row and a job to read it."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from dossier.cli.builder.errors import UnusableInputError
from dossier.cli.builder.facts import Facts
from dossier.cli.builder.folder import Paper, Refusal
from dossier.cli.builder.names import shown
from dossier.cli.builder.outcome import TakenPaper
from dossier.cli.builder.progress import Step
from dossier.cli.builder.workshop import Workshop
from dossier.documents.constants import ReceivedFile, TextState
from dossier.documents.models import Document
from dossier.documents.service import take_in as take_file_in
from dossier.documents.tasks import put_away
from dossier.integrations.parsing.exceptions import UnreadableReason
from dossier.integrations.parsing.kinds import SPREADSHEETS
from dossier.integrations.storage.exceptions import BlobMissingError
from dossier.jobs.models import Job

_PIECE_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class Stored:
    """A paper with its document, and the job that reads it where one runs."""

    paper: Paper
    document_id: UUID
    is_spreadsheet: bool
    is_known: bool
    is_misnamed: bool
    job_id: UUID | None


async def take_in(
    workshop: Workshop, papers: Sequence[Paper], step: Step
) -> tuple[list[Stored], list[Refusal]]:
    """Store every paper; one that cannot be read is named and the others go on."""
    stored: list[Stored] = []
    refused: list[Refusal] = []
    for paper in papers:
        try:
            stored.append(await _take_in(workshop, paper))
        except PaperRefusedError as exc:
            refused.append(Refusal(paper.name, str(exc)))
        step.advance(shown(paper.name))
    return stored, refused


async def read_papers(
    workshop: Workshop, stored: Sequence[Stored], step: Step
) -> list[TakenPaper]:
    """Wait until every paper was read, or could not be."""
    names = {entry.job_id: entry.paper.name for entry in stored if entry.job_id}
    problems: dict[UUID, str] = {}

    def on_end(job: Job) -> None:
        step.advance(shown(names[job.id]))
        if job.error:
            problems[job.id] = job.error["detail"]

    await workshop.watch.until_done(names.keys(), on_end)
    async with workshop.transaction() as session:
        documents = workshop.documents(session)
        return [
            _taken(entry, await documents.get_document(entry.document_id), problems)
            for entry in stored
        ]


def require_legible(
    root: Path, facts: Facts, taken: Sequence[TakenPaper], refused: Sequence[Refusal]
) -> None:
    """Go on only where some paper can be read, or its owner says what it shows.

    Raises:
        UnusableInputError: nothing can be made of any file; each is named.
    """
    stated = {entry.file for entry in facts.evidence}
    if any(not paper.is_illegible or paper.name in stated for paper in taken):
        return
    unread = [Refusal(paper.name, paper.unreadable or "") for paper in taken]
    reasons = "".join(
        f"\n  {entry.name}: {entry.reason}" for entry in (*unread, *refused)
    )
    kept = "files that were taken in stay stored; nothing else was changed"
    message = f"{root}: no file in this folder can be read; {kept}{reasons}"
    raise UnusableInputError(message)


class PaperRefusedError(Exception):
    """The file cannot be taken in; the message is the reason."""


async def _take_in(workshop: Workshop, paper: Paper) -> Stored:
    received = await _received(workshop, paper)
    async with workshop.transaction() as session:
        receipt = await workshop.documents(session).receive(received)
    document = receipt.document
    job = receipt.job or await _taken_again(workshop, document, received)
    return Stored(
        paper=paper,
        document_id=document.id,
        is_spreadsheet=received.media_type in SPREADSHEETS,
        is_known=receipt.duplicate,
        is_misnamed=received.is_misnamed,
        job_id=job.id if job else None,
    )


async def _taken_again(
    workshop: Workshop, document: Document, received: ReceivedFile
) -> Job | None:
    """Have a known paper read that never was; its bytes are there before."""
    await put_away(workshop.sessions, workshop.store, document, received.blob_key)
    if not _is_unread(document):
        return None
    async with workshop.transaction() as session:
        return await workshop.documents(session).request_reading(document.id)


def _is_unread(document: Document) -> bool:
    """Tell whether an earlier reading never came to the bytes."""
    was_missing = document.unreadable_reason == BlobMissingError.code()
    return was_missing or document.text_state == TextState.PENDING


async def _received(workshop: Workshop, paper: Paper) -> ReceivedFile:
    pieces = _pieces(paper.path, workshop.max_size_bytes)
    org_id = workshop.actor.org_id
    return await take_file_in(workshop.store, org_id, pieces, lambda: paper.path.name)


async def _pieces(path: Path, max_size_bytes: int) -> AsyncIterator[bytes]:
    """Yield a local file piece by piece, off the event loop."""
    left_bytes = max_size_bytes
    try:
        with await asyncio.to_thread(path.open, "rb") as file:
            while piece := await asyncio.to_thread(file.read, _PIECE_BYTES):
                left_bytes -= len(piece)
                if left_bytes < 0:
                    message = f"larger than {max_size_bytes // 1024**2} MiB"
                    raise PaperRefusedError(message)
                yield piece
    except OSError as exc:
        message = f"cannot be read: {exc.strerror}"
        raise PaperRefusedError(message) from exc


def _taken(entry: Stored, document: Document, problems: dict[UUID, str]) -> TakenPaper:
    problem = problems.get(entry.job_id) if entry.job_id else None
    reason = document.unreadable_detail or document.unreadable_reason or problem
    return TakenPaper(
        name=entry.paper.name,
        document_id=str(document.id),
        is_known=entry.is_known,
        truly=document.media_type if entry.is_misnamed else None,
        unreadable=None if document.text_state == TextState.READ else reason,
        is_illegible=_is_illegible(document),
        encoding=document.encoding,
    )


def _is_illegible(document: Document) -> bool:
    is_scan = document.unreadable_reason == UnreadableReason.NO_TEXT_LAYER
    return document.text_state != TextState.READ and not is_scan
