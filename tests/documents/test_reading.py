from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from uuid import UUID

import httpx2
import pytest
from sqlalchemy import select
from tests.conftest import DrainJobs
from tests.factories.documents import (
    bomb_xlsx_bytes,
    make_document,
    make_stored_document,
    pdf_bytes,
)
from tests.factories.jobs import make_context, make_job
from typing_extensions import override

from dossier.core.database import SessionFactory, tenant_transaction
from dossier.core.models import new_id
from dossier.core.settings import Settings
from dossier.core.tenancy import Actor
from dossier.documents.constants import INDEX_TASK
from dossier.documents.service import DocumentsService, record_failed_reading
from dossier.documents.tasks import read_text
from dossier.integrations.parsing.documents import unreadable
from dossier.integrations.parsing.exceptions import (
    UnreadableFileError,
    UnreadableReason,
)
from dossier.integrations.parsing.messages import warning
from dossier.integrations.parsing.types import (
    ExtractedText,
    PageState,
    ReadState,
    TextPage,
)
from dossier.integrations.storage.client import open_store
from dossier.jobs.constants import JobState
from dossier.jobs.models import Job

READ = ExtractedText(
    "application/pdf",
    "pdf",
    ReadState.READ_PARTLY,
    [
        TextPage(1, 1, "page 1", "Aqua"),
        TextPage(2, 2, "page 2", "", PageState.UNREADABLE),
    ],
    [warning("page-is-a-picture", "page 2")],
)


def unread(reason: UnreadableReason, detail: str) -> ExtractedText:
    error = UnreadableFileError(reason, detail)
    return unreadable("application/pdf", "pdf", error)


@dataclass
class Scripted:
    """A reader that finds what the test says."""

    found: ExtractedText
    seen: bytes = b""

    async def read(self, path: Path, _filename: str) -> ExtractedText:
        self.seen = path.read_bytes()  # noqa: ASYNC240 - a few bytes
        return self.found


@pytest.fixture
async def document_id(
    sessions: SessionFactory, org_id: UUID, settings: Settings
) -> UUID:
    return (await make_stored_document(sessions, org_id, settings, b"Aqua 80 %")).id


class Read(Protocol):
    """Reads the document by a scripted reader."""

    async def __call__(self, reader: Scripted, /) -> None: ...


@pytest.fixture
async def read(
    sessions: SessionFactory, org_id: UUID, settings: Settings, document_id: UUID
) -> Read:
    async def run(reader: Scripted) -> None:
        context = await make_context(sessions, org_id)
        store = open_store(None, settings.home)
        await read_text(context, document_id, store=store, read_file=reader.read)

    return run


async def test_text_is_stored_part_by_part(
    client: httpx2.AsyncClient, read: Read, document_id: UUID
) -> None:
    reader = Scripted(READ)

    await read(reader)

    path = f"/api/v1/documents/{document_id}"
    document = (await client.get(path)).json()
    first = (await client.get(f"{path}/text", params={"limit": 1})).json()
    second = (
        await client.get(f"{path}/text", params={"cursor": first["next_cursor"]})
    ).json()
    assert reader.seen == b"Aqua 80 %"
    assert (document["text_state"], document["page_count"]) == ("read_partly", 2)
    assert document["unreadable_reason"] == "page-is-a-picture"
    assert document["reading_warnings"] == [
        {
            "code": "page-is-a-picture",
            "message": {
                "zh": "此頁為圖片，圖中文字未讀取",
                "en": "the page is a picture; the words in it were not read",
            },
            "place": "page 2",
            "is_gap": True,
        }
    ]
    assert first["items"] == [
        {"position": 1, "label": "page 1", "text": "Aqua", "has_text_layer": True}
    ]
    assert [part["has_text_layer"] for part in second["items"]] == [False]
    assert second["next_cursor"] is None


async def test_second_reading_replaces_the_text(
    client: httpx2.AsyncClient, read: Read, document_id: UUID
) -> None:
    await read(Scripted(READ))

    await read(Scripted(READ))

    text = (await client.get(f"/api/v1/documents/{document_id}/text")).json()
    assert [part["position"] for part in text["items"]] == [1, 2]


async def test_reading_of_a_deleted_document_is_no_failure(
    sessions: SessionFactory, org_id: UUID, settings: Settings
) -> None:
    context = await make_context(sessions, org_id)
    reader = Scripted(READ)

    await read_text(
        context,
        new_id(),
        store=open_store(None, settings.home),
        read_file=reader.read,
    )

    assert reader.seen == b""


async def test_whole_text_is_returned_in_reading_order(
    sessions: SessionFactory, org_id: UUID, read: Read, document_id: UUID
) -> None:
    await read(Scripted(READ))

    async with tenant_transaction(sessions, org_id) as session:
        documents = DocumentsService(session, Actor.system(org_id))
        parts = await documents.texts_of(document_id)

    assert [part.text for part in parts] == ["Aqua", ""]


async def test_unreadable_document_is_kept_with_the_reason(
    client: httpx2.AsyncClient, read: Read, document_id: UUID
) -> None:
    refusal = unread(UnreadableReason.ENCRYPTED, "asks for a password")

    await read(Scripted(refusal))

    path = f"/api/v1/documents/{document_id}"
    document = (await client.get(path)).json()
    content = await client.get(f"{path}/content")
    assert document["text_state"] == "unreadable"
    assert document["unreadable_reason"] == "encrypted"
    assert document["unreadable_detail"] == "asks for a password"
    assert content.content == b"Aqua 80 %"


async def test_unreadable_document_can_be_read_again(
    client: httpx2.AsyncClient, read: Read, document_id: UUID, drain_jobs: DrainJobs
) -> None:
    refusal = unread(UnreadableReason.TIMEOUT, "took too long")
    await drain_jobs()
    await read(Scripted(refusal))
    path = f"/api/v1/documents/{document_id}"

    response = await client.post(f"{path}/read")

    again = (await client.get(path)).json()
    assert response.status_code == 202
    assert response.headers["location"].startswith("/api/v1/jobs/")
    assert (again["text_state"], again["unreadable_reason"]) == ("pending", None)
    assert await drain_jobs() == 3  # indexing nothing, reading, indexing the text
    assert (await client.get(path)).json()["text_state"] == "read"


async def test_failed_reading_has_a_reason_and_can_be_repeated(
    client: httpx2.AsyncClient,
    settings: Settings,
    document_id: UUID,
    drain_jobs: DrainJobs,
) -> None:
    path = f"/api/v1/documents/{document_id}"
    (stored,) = settings.home.glob("blobs/documents/*/*/*")
    stored.rename(settings.home / "aside")

    await drain_jobs()
    failed = (await client.get(path)).json()
    (settings.home / "aside").rename(stored)
    await client.post(f"{path}/read")
    await drain_jobs()

    assert failed["text_state"] == "unreadable"
    assert failed["unreadable_reason"] == "blob_missing"
    assert failed["unreadable_detail"] == (
        "The bytes of this file are no longer in the storage."
    )
    assert (await client.get(path)).json()["text_state"] == "read"


async def test_document_whose_workers_died_is_unreadable_with_the_reason(
    client: httpx2.AsyncClient,
    sessions: SessionFactory,
    org_id: UUID,
    document_id: UUID,
    drain_jobs: DrainJobs,
) -> None:
    async with tenant_transaction(sessions, org_id) as session:
        (job,) = (await session.scalars(select(Job))).all()
        job.state, job.deaths = JobState.PROCESSING, 2

    await drain_jobs()

    document = (await client.get(f"/api/v1/documents/{document_id}")).json()
    assert document["text_state"] == "unreadable"
    assert document["unreadable_reason"] == "worker_lost"


@pytest.mark.parametrize("state", ["read", None])
async def test_late_failure_changes_no_document_that_was_read_or_deleted(
    *,
    client: httpx2.AsyncClient,
    sessions: SessionFactory,
    org_id: UUID,
    read: Read,
    document_id: UUID,
    state: str | None,
) -> None:
    await read(Scripted(READ))
    job = await make_job(
        sessions,
        org_id,
        args={"document_id": str(document_id if state else new_id())},
        state=JobState.FAILED,
        error={"code": "worker_lost", "detail": ""},
    )

    async with tenant_transaction(sessions, org_id) as session:
        await record_failed_reading(session, job)

    document = (await client.get(f"/api/v1/documents/{document_id}")).json()
    reading = (document["text_state"], document["unreadable_reason"])
    assert reading == ("read_partly", "page-is-a-picture")


@pytest.mark.parametrize(
    ("content", "filename", "reason"),
    [
        (b"", "empty.pdf", "empty"),
        (b"%PDF-1.7\nand nothing more", "broken.pdf", "corrupt"),
        (pdf_bytes(["secret"], password="rose"), "locked.pdf", "encrypted"),
        (bomb_xlsx_bytes(), "formula.xlsx", "zip_bomb"),
        (b"Cr\x81me;\xfe", "table.csv", "undecodable"),
    ],
    ids=["empty", "corrupt", "encrypted", "bomb", "undecodable"],
)
async def test_bad_files_are_stored_and_unreadable_with_the_reason(
    client: httpx2.AsyncClient,
    drain_jobs: DrainJobs,
    content: bytes,
    filename: str,
    reason: str,
) -> None:
    files = {"file": (filename, content)}
    uploaded = (await client.post("/api/v1/documents", files=files)).json()

    ran = await drain_jobs()

    document = (await client.get(f"/api/v1/documents/{uploaded['id']}")).json()
    assert ran == 1
    assert document["text_state"] == "unreadable"
    assert document["unreadable_reason"] == reason
    assert (document["filename"], document["size_bytes"]) == (filename, len(content))


@pytest.mark.parametrize("encoding", ["big5", "utf-16"])
async def test_table_in_another_encoding_is_read_and_its_encoding_named(
    client: httpx2.AsyncClient, drain_jobs: DrainJobs, encoding: str
) -> None:
    files = {"file": ("安定性.csv", "試驗,結果\n外觀,良好\n".encode(encoding))}
    document_id = (await client.post("/api/v1/documents", files=files)).json()["id"]

    await drain_jobs()

    document = (await client.get(f"/api/v1/documents/{document_id}")).json()
    text = (await client.get(f"/api/v1/documents/{document_id}/text")).json()
    assert document["encoding"] == encoding
    assert text["items"][0]["text"] == "試驗\t結果\n外觀\t良好"


async def test_pdf_is_read_from_upload_to_text(
    client: httpx2.AsyncClient, drain_jobs: DrainJobs
) -> None:
    files = {"file": ("stability.pdf", pdf_bytes(["Stability of the cream"]))}
    document_id = (await client.post("/api/v1/documents", files=files)).json()["id"]

    await drain_jobs()

    text = (await client.get(f"/api/v1/documents/{document_id}/text")).json()
    assert [part["text"] for part in text["items"]] == ["Stability of the cream"]


async def test_documents_are_listed_by_name_digest_and_state(
    client: httpx2.AsyncClient, sessions: SessionFactory, org_id: UUID
) -> None:
    rose = await make_document(sessions, org_id, b"1", filename="Rose_100%.pdf")
    await make_document(sessions, org_id, b"2", filename="lily.pdf")

    async def found(**params: str) -> list[str]:
        page = (await client.get("/api/v1/documents", params=params)).json()
        return [item["filename"] for item in page["items"]]

    assert await found() == ["lily.pdf", "Rose_100%.pdf"]
    assert await found(q="rose") == ["Rose_100%.pdf"]
    assert await found(q="_") == ["Rose_100%.pdf"]
    assert await found(sha256=rose.sha256) == ["Rose_100%.pdf"]
    assert await found(text_state="read") == []


@pytest.mark.parametrize(
    "params",
    [{"q": "\x00"}, {"offset": str(2**63)}, {"limit": "51"}, {"sha256": "F" * 64}],
    ids=["nul", "offset", "limit", "digest"],
)
async def test_invalid_filter_is_refused(
    client: httpx2.AsyncClient, params: dict[str, str]
) -> None:
    answer = await client.get("/api/v1/documents", params=params)

    assert answer.status_code == 422
    assert [fault["pointer"] for fault in answer.json()["errors"]] == [*params]


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", ""), ("GET", "/content"), ("GET", "/text"), ("POST", "/read")],
)
async def test_document_of_another_organisation_is_not_found(
    other_client: httpx2.AsyncClient, document_id: UUID, method: str, path: str
) -> None:
    url = f"/api/v1/documents/{document_id}{path}"

    response = await other_client.request(method, url)

    assert response.status_code == 404
    assert response.json()["type"] == "/problems/document-not-found"


async def test_document_deleted_while_it_is_read_stays_deleted(
    sessions: SessionFactory, org_id: UUID, document_id: UUID, read: Read
) -> None:
    class Deleting(Scripted):
        @override
        async def read(self, path: Path, filename: str) -> ExtractedText:
            async with tenant_transaction(sessions, org_id) as session:
                service = DocumentsService(session, Actor.system(org_id))
                await service.remove_document(document_id)
            return await super().read(path, filename)

    await read(Deleting(READ))

    async with tenant_transaction(sessions, org_id) as session:
        jobs = await session.scalars(select(Job).where(Job.kind == INDEX_TASK))
        assert jobs.all() == []
