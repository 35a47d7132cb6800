"""Papers for measuring: read, stored and indexed as documents are."""

from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from uuid import UUID

from dossier.accounts.constants import OrganisationKind
from dossier.accounts.service import OrganisationsService
from dossier.core.database import Session, SessionFactory, tenant_transaction
from dossier.core.tenancy import Actor
from dossier.documents.constants import ReceivedFile
from dossier.documents.service import DocumentsService
from dossier.knowledge.rules.chunking import passages_of
from dossier.knowledge.rules.collection import (
    Collection,
    NamedLines,
    Paper,
    read_collection,
)
from dossier.knowledge.rules.preparing import prepare
from dossier.knowledge.service.indexing import IndexingService, weighed

BATCH = 50


def read_folder(folder: Path) -> Collection:
    """Return a judged collection."""
    names = ("corpus.jsonl", "queries.jsonl", "qrels.tsv")
    return read_collection(*(_lines(folder / name) for name in names))


def _lines(path: Path) -> NamedLines:
    return NamedLines(path.name, path.read_bytes().splitlines())


async def open_organisation(sessions: SessionFactory) -> Actor:
    """Return who acts for a new organisation."""
    organisations = OrganisationsService(sessions)
    kind = OrganisationKind.BRAND
    organisation = await organisations.create_organisation("Evals", kind)
    return Actor.system(organisation.id)


async def index(
    sessions: SessionFactory, actor: Actor, papers: Sequence[Paper]
) -> dict[UUID, str]:
    """Store and index papers; return which document is which."""
    ids: dict[UUID, str] = {}
    for start in range(0, len(papers), BATCH):
        async with tenant_transaction(sessions, actor.org_id) as session:
            for paper in papers[start : start + BATCH]:
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
    digest = sha256(paper.id.encode()).hexdigest()
    return ReceivedFile(
        filename=f"{paper.title.replace('/', ' ')}.txt",
        media_type="text/plain",
        is_misnamed=False,
        blob_key=f"evals/{digest}",
        sha256=digest,
        size_bytes=len(paper.text.encode()),
    )
