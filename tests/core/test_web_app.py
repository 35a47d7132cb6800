"""What `create_app` joins together."""

import subprocess
import sys
from collections.abc import AsyncIterator

import httpx2
import pytest
from fastapi import FastAPI

from dossier.core.loopback import is_loopback
from dossier.core.settings import Settings
from dossier.main import create_app

MIB = 1024 * 1024


async def megabytes(count: int) -> AsyncIterator[bytes]:
    for _ in range(count):
        yield bytes(MIB)


HEAVY = (
    "alembic docx lxml openpyxl pgqueuer pikepdf pypdfium2 rich typst"
    " anthropic genai_prices openai opentelemetry.sdk pydantic_ai"
    " sentence_transformers limits pydantic.v1.main"
)


@pytest.mark.slow  # an interpreter of its own, where nothing is imported yet
def test_a_web_process_imports_no_engine_reader_or_typesetter() -> None:
    code = (
        "import sys, dossier.main, dossier.core.startup;"
        f"print(' '.join(sys.modules.keys() & {set(HEAVY.split())}))"
    )

    finished = subprocess.run(  # noqa: S603 - our own interpreter and text
        [sys.executable, "-c", code], check=False, capture_output=True, text=True
    )

    assert (finished.returncode, finished.stdout.strip()) == (0, "")


async def test_only_uploads_may_be_larger_than_other_bodies(
    anonymous_client: httpx2.AsyncClient,
) -> None:
    json = {"content-type": "application/json"}

    login = await anonymous_client.post(
        "/api/v1/auth/login", content=megabytes(2), headers=json
    )
    upload = await anonymous_client.post("/api/v1/documents", content=megabytes(2))

    assert login.json()["code"] == "body_too_large"
    assert upload.json()["code"] == "unauthenticated"


async def test_invented_tokens_share_the_limit_of_their_address(
    settings: Settings, app: FastAPI
) -> None:
    limits = settings.limits.model_copy(update={"requests_per_minute": 1})
    limited = create_app(settings.model_copy(update={"limits": limits}))
    limited.state.sessions = app.state.sessions
    transport = httpx2.ASGITransport(app=limited)
    headers = {"authorization": "Bearer invented"}

    async with httpx2.AsyncClient(
        transport=transport, base_url="http://localhost"
    ) as client:
        answers = [
            await client.get("/info", headers=headers),
            await client.get("/info", headers=headers | {"authorization": "Bearer 2"}),
        ]

    assert [answer.status_code for answer in answers] == [200, 429]


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("localhost", True),
        ("127.0.0.1", True),
        ("127.1.2.3", True),
        ("::1", True),
        ("[::1]", True),
        ("0.0.0.0", False),  # noqa: S104 - what is refused
        ("dossier.example", False),
    ],
)
def test_loopback_addresses_are_recognised(host: str, expected: bool) -> None:  # noqa: FBT001 - a table
    assert is_loopback(host) is expected


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/health", 200),
        ("/docs", 200),
        ("/api/v1/users", 200),
        ("/nowhere", 404),
        ("/api/v1/auth/login", 405),
    ],
)
async def test_head_is_answered_as_get_without_a_body(
    client: httpx2.AsyncClient, path: str, status: int
) -> None:
    whole = await client.get(path)
    head = await client.head(path)

    assert (head.status_code, head.content) == (status, b"")
    assert whole.status_code == status
    assert head.headers["content-length"] == whole.headers["content-length"]


async def test_methods_of_a_path_name_head_beside_get(
    client: httpx2.AsyncClient,
) -> None:
    answer = await client.delete("/api/v1/users/me")

    assert answer.headers["allow"] == "GET, HEAD, PATCH"


async def test_answers_of_the_api_are_not_stored_by_caches(
    client: httpx2.AsyncClient, anonymous_client: httpx2.AsyncClient
) -> None:
    shown = await client.get("/api/v1/users/me")
    refused = await anonymous_client.get("/api/v1/users/me")

    assert shown.headers["cache-control"] == "no-store"
    assert refused.headers["cache-control"] == "no-store"
