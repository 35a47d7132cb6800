import asyncio
import base64
import re
import unicodedata
from collections.abc import AsyncIterator
from hashlib import sha256
from pathlib import Path
from uuid import UUID

import httpx2
import pytest
from fastapi import FastAPI
from sqlalchemy import func, select
from starlette.types import Message

from dossier.activity.models import ActivityEvent
from dossier.core.database import Session, SessionFactory, tenant_transaction
from dossier.core.settings import Settings
from dossier.documents.models import Document

PDF = b"%PDF-1.7\nnot much of one"
BOUNDARY = "----dossier"


def blobs(settings: Settings) -> list[Path]:
    return [path for path in (settings.home / "blobs").rglob("*") if path.is_file()]


def multipart_head(filename: str = "a.txt", name: str = "file") -> bytes:
    return (
        f"--{BOUNDARY}\r\nContent-Disposition: form-data; "
        f'name="{name}"; filename="{filename}"\r\n\r\n'
    ).encode()


MULTIPART = {"content-type": f"multipart/form-data; boundary={BOUNDARY}"}
END = f"\r\n--{BOUNDARY}--\r\n".encode()


async def upload(
    client: httpx2.AsyncClient, content: bytes, filename: str = "certificate.pdf"
) -> httpx2.Response:
    return await client.post("/api/v1/documents", files={"file": (filename, content)})


async def test_upload_is_stored_and_its_reading_enqueued(
    client: httpx2.AsyncClient, settings: Settings
) -> None:
    response = await upload(client, PDF)

    body = response.json()
    assert response.status_code == 201
    assert response.headers["location"] == f"/api/v1/documents/{body['id']}"
    assert body["sha256"] == sha256(PDF).hexdigest()
    assert body["size_bytes"] == len(PDF)
    assert body["media_type"] == "application/pdf"
    assert body["text_state"] == "pending"
    assert not body["duplicate"]
    assert body["job_id"] is not None
    [blob] = blobs(settings)
    assert await asyncio.to_thread(blob.read_bytes) == PDF


async def test_same_bytes_are_one_document(
    client: httpx2.AsyncClient, settings: Settings
) -> None:
    first = (await upload(client, PDF, "one.pdf")).json()

    response = await upload(client, PDF, "two.pdf")

    assert response.status_code == 200
    assert response.json() == {**first, "duplicate": True, "job_id": None}
    assert len(blobs(settings)) == 1


async def test_same_bytes_are_two_documents_in_two_organisations(
    client: httpx2.AsyncClient, other_client: httpx2.AsyncClient
) -> None:
    mine = await upload(client, PDF)

    theirs = await upload(other_client, PDF)

    assert theirs.status_code == 201
    assert theirs.json()["id"] != mine.json()["id"]


async def test_upload_is_recorded_in_the_activity_log(
    client: httpx2.AsyncClient, session: Session
) -> None:
    document_id = (await upload(client, PDF)).json()["id"]

    query = select(ActivityEvent.action).where(ActivityEvent.entity_id == document_id)
    assert (await session.scalars(query)).all() == ["create"]


@pytest.mark.parametrize(
    ("stated", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\mei\\安定性.pdf", "安定性.pdf"),
        ("a\u202efdp.exe", "afdp.exe"),
        ("..", "unnamed"),
    ],
)
async def test_uploaded_name_is_made_safe(
    client: httpx2.AsyncClient, settings: Settings, stated: str, kept: str
) -> None:
    fields = {"filename": stated}

    response = await client.post(
        "/api/v1/documents", data=fields, files={"file": ("x.pdf", PDF)}
    )

    assert response.json()["filename"] == kept
    name = re.compile(f"{sha256(PDF).hexdigest()}-[0-9a-f]{{32}}")
    assert all(name.fullmatch(path.name) for path in blobs(settings))


async def test_name_in_big5_is_decoded(client: httpx2.AsyncClient) -> None:
    head = multipart_head("NAME").replace(b"NAME", "玫瑰.txt".encode("cp950"))

    response = await client.post(
        "/api/v1/documents", content=head + b"rose" + END, headers=MULTIPART
    )

    assert response.json()["filename"] == "玫瑰.txt"


async def test_name_with_another_ending_than_its_content_is_noted(
    client: httpx2.AsyncClient,
) -> None:
    response = await upload(client, PDF, "formula.xlsx")

    body = response.json()
    assert body["media_type"] == "application/pdf"
    assert body["is_misnamed"]


class Tap:
    """A body that counts what is taken of it."""

    def __init__(self, size_bytes: int) -> None:
        self.size_bytes = size_bytes
        self.taken_bytes = 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield multipart_head()
        while self.taken_bytes < self.size_bytes:
            self.taken_bytes += 65536
            yield bytes(65536)
        yield END


async def receive_directly(app: FastAPI, headers: dict[str, str], tap: Tap) -> int:
    """Call the app as a server does: the body comes only as it is asked for."""
    pieces = aiter(tap)
    seen: list[int] = []

    async def receive() -> Message:
        try:
            body = await anext(pieces)
        except StopAsyncIteration:
            return {"type": "http.request", "body": b"", "more_body": False}
        return {"type": "http.request", "body": body, "more_body": True}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            seen.append(message["status"])

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": "/api/v1/documents",
        "raw_path": b"/api/v1/documents",
        "root_path": "",
        "query_string": b"",
        "server": ("localhost", 80),
        "client": ("127.0.0.1", 1),
        "headers": [(k.encode(), v.encode()) for k, v in headers.items()],
    }
    await app(scope, receive, send)
    return seen[0]


async def test_upload_without_a_login_is_refused_before_its_first_byte(
    app: FastAPI,
) -> None:
    tap = Tap(1 << 20)

    status = await receive_directly(app, MULTIPART, tap)

    assert status == 401
    assert tap.taken_bytes == 0


async def test_two_gigabytes_are_refused_by_their_stated_length(app: FastAPI) -> None:
    tap = Tap(2 << 30)
    headers = {"authorization": "Bearer mei", "content-length": str(2 << 30)}

    status = await receive_directly(app, headers | MULTIPART, tap)

    assert status == 413
    assert tap.taken_bytes == 0


async def test_endless_body_is_refused_at_the_limit_and_deleted(
    app: FastAPI, settings: Settings
) -> None:
    limit_bytes = 1 << 20
    app.state.settings = with_limit(settings, max_upload_mib=1)
    tap = Tap(2 << 30)

    status = await receive_directly(
        app, {"authorization": "Bearer mei"} | MULTIPART, tap
    )

    assert status == 413
    assert tap.taken_bytes <= 2 * limit_bytes
    assert blobs(settings) == []


async def test_file_above_the_limit_is_named(
    client: httpx2.AsyncClient, app: FastAPI, settings: Settings
) -> None:
    app.state.settings = with_limit(settings, max_upload_mib=1)
    files = {"file": ("scan.pdf", b"0" * (1 << 20) + b"0")}

    answer = await client.post("/api/v1/documents", files=files)

    assert answer.status_code == 413
    assert answer.json()["detail"] == "scan.pdf: at most 1 MiB are accepted."


def with_limit(settings: Settings, max_upload_mib: int) -> Settings:
    limits = settings.limits.model_copy(update={"max_upload_mib": max_upload_mib})
    return settings.model_copy(update={"limits": limits})


async def test_no_transaction_is_open_during_the_upload(
    app: FastAPI, sessions: SessionFactory
) -> None:
    opened: list[int] = []
    tap = Tap(1 << 18)

    def watching(**options: object) -> object:
        opened.append(tap.taken_bytes)
        return sessions(**options)

    app.state.sessions = watching

    status = await receive_directly(
        app, {"authorization": "Bearer mei"} | MULTIPART, tap
    )

    assert status == 201
    assert opened
    assert min(opened) >= tap.size_bytes


@pytest.mark.parametrize(
    ("body", "headers", "status", "slug"),
    [
        (b"x", {}, 415, "upload-not-multipart"),
        (b"x", {"content-type": "multipart/form-data"}, 415, "upload-not-multipart"),
        (b"no boundary at all", MULTIPART, 400, "upload-malformed"),
        (multipart_head() + b"cut off", MULTIPART, 400, "upload-malformed"),
        (
            b"x",
            {"content-type": f"multipart/form-data; boundary={'b' * 999}"},
            400,
            "upload-malformed",
        ),
        (END[2:], MULTIPART, 422, "upload-field"),
        (multipart_head(name="photo") + b"x" + END, MULTIPART, 422, "upload-field"),
        (
            multipart_head() + b"x\r\n" + multipart_head() + b"y" + END,
            MULTIPART,
            422,
            "upload-field",
        ),
        (
            multipart_head().replace(b'; filename="a.txt"', b"") + b"x" * 5000 + END,
            MULTIPART,
            422,
            "upload-field",
        ),
    ],
)
async def test_body_of_another_shape_is_refused_and_nothing_stored(
    client: httpx2.AsyncClient,
    settings: Settings,
    body: bytes,
    headers: dict[str, str],
    status: int,
    slug: str,
) -> None:
    response = await client.post("/api/v1/documents", content=body, headers=headers)

    assert response.status_code == status
    assert response.json()["type"] == f"/problems/{slug}"
    assert blobs(settings) == []


async def test_upload_that_is_cut_off_stores_no_document(
    client: httpx2.AsyncClient, sessions: SessionFactory, org_id: UUID
) -> None:
    await client.post(
        "/api/v1/documents", content=multipart_head() + b"half", headers=MULTIPART
    )

    async with tenant_transaction(sessions, org_id) as session:
        count = await session.scalar(select(func.count()).select_from(Document))
    assert count == 0


async def test_download_returns_the_bytes_with_digest_and_name(
    client: httpx2.AsyncClient,
) -> None:
    document_id = (await upload(client, PDF, "安定性 試驗.pdf")).json()["id"]

    response = await client.get(f"/api/v1/documents/{document_id}/content")

    digest = base64.b64encode(sha256(PDF).digest()).decode()
    assert response.content == PDF
    assert response.headers["content-digest"] == f"sha-256=:{digest}:"
    assert response.headers["content-type"] == "application/pdf"
    assert response.headers.get_list("x-content-type-options") == ["nosniff"]
    disposition = response.headers["content-disposition"]
    assert disposition.startswith("attachment;")
    name = unicodedata.normalize("NFC", "安定性 試驗.pdf").encode()
    assert "".join(f"%{byte:02X}" for byte in name[:9]) in disposition


async def test_head_request_returns_the_headers_of_a_download(
    client: httpx2.AsyncClient,
) -> None:
    document = (await upload(client, PDF)).json()
    url = f"/api/v1/documents/{document['id']}/content"
    own = {"x-request-id", "content-digest"}  # a digest of the bytes that are sent

    whole = await client.get(url)
    head = await client.head(url)
    part = await client.head(url, headers={"range": "bytes=0-3"})

    assert (head.status_code, head.content) == (200, b"")
    assert {k: v for k, v in head.headers.items() if k not in own} == {
        k: v for k, v in whole.headers.items() if k not in own
    }
    assert part.headers["content-length"] == str(len(PDF))


async def test_range_of_a_document_is_returned(
    client: httpx2.AsyncClient,
) -> None:
    document_id = (await upload(client, PDF)).json()["id"]
    path = f"/api/v1/documents/{document_id}/content"

    part = await client.get(path, headers={"range": "bytes=1-3"})
    beyond = await client.get(path, headers={"range": "bytes=9999-"})

    assert (part.status_code, part.content) == (206, b"PDF")
    assert part.headers["content-range"] == f"bytes 1-3/{len(PDF)}"
    assert beyond.status_code == 416


async def test_missing_bytes_are_a_problem_and_no_broken_download(
    client: httpx2.AsyncClient, settings: Settings
) -> None:
    document_id = (await upload(client, PDF)).json()["id"]
    [blob] = blobs(settings)
    await asyncio.to_thread(blob.unlink)

    response = await client.get(f"/api/v1/documents/{document_id}/content")

    assert response.status_code == 500
    assert response.json()["type"] == "/problems/blob-missing"


async def test_download_is_recorded_in_the_activity_log(
    client: httpx2.AsyncClient, session: Session
) -> None:
    document_id = (await upload(client, PDF)).json()["id"]

    await client.get(f"/api/v1/documents/{document_id}/content")

    query = select(ActivityEvent.action).where(ActivityEvent.entity_id == document_id)
    assert set(await session.scalars(query)) == {"create", "view"}


@pytest.mark.parametrize(
    ("body", "content_type", "detail"),
    [
        (b"no boundary", MULTIPART["content-type"], "The body is not framed"),
        (b"x", "multipart/form-data", "`Content-Type` names no boundary"),
        (b"x", f"multipart/form-data; boundary={'b' * 999}", "The boundary in"),
        (b"x", "text/plain", "Send the file as multipart/form-data"),
    ],
)
async def test_problem_of_a_body_is_explained_to_its_sender(
    client: httpx2.AsyncClient, body: bytes, content_type: str, detail: str
) -> None:
    headers = {"content-type": content_type}

    answer = await client.post("/api/v1/documents", content=body, headers=headers)

    assert answer.json()["detail"].startswith(detail)
