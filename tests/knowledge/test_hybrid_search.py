"""From an uploaded document to a hit by meaning, by the embedder of the settings."""

from collections.abc import AsyncIterator
from uuid import UUID

import httpx2
import pytest
from fastapi import FastAPI
from tests.conftest import DrainJobs

from dossier.ai.service.assembly import open_model_services
from dossier.core.database import SessionFactory
from dossier.core.settings import Settings
from dossier.knowledge.service.assembly import Searchers, opened_searchers
from dossier.testing.model_server.script import FaultKind, ScriptedFault
from dossier.testing.model_server.server import ScriptedModelServer
from dossier.worker import known_handlers

URL = "/api/v1/search"
PAPER = b"The jar keeps for twenty months after it was opened."
MEANT = "How long is the period after opening?"


@pytest.fixture
async def server() -> AsyncIterator[ScriptedModelServer]:
    async with ScriptedModelServer() as server:
        yield server


@pytest.fixture
def hybrid(settings: Settings, server: ScriptedModelServer) -> Settings:
    ai = {
        "base_url": server.base_url,
        "model": "scripted",
        "embed_model": "scripted-embedding",
        "max_retries": 0,
    }
    return Settings.model_validate(settings.model_dump() | {"ai": ai})


@pytest.fixture
async def searchers(
    app: FastAPI, sessions: SessionFactory, hybrid: Settings
) -> AsyncIterator[Searchers]:
    """What the process searches with; it is on the app, as at its start."""
    recorder = open_model_services(sessions, hybrid).recorder
    async with opened_searchers(sessions, hybrid, recorder) as searchers:
        app.state.searchers = searchers
        yield searchers


@pytest.fixture
async def document(
    client: httpx2.AsyncClient,
    hybrid: Settings,
    searchers: Searchers,
    drain_jobs: DrainJobs,
) -> UUID:
    """A document that was uploaded, read, indexed and embedded."""
    answer = await client.post(
        "/api/v1/documents", files={"file": ("jar.txt", PAPER, "text/plain")}
    )
    await drain_jobs(known_handlers(hybrid, searchers.embedder()))
    return UUID(answer.json()["id"])


async def test_an_uploaded_document_is_found_by_meaning(
    client: httpx2.AsyncClient, document: UUID
) -> None:
    body = (await client.get(URL, params={"q": MEANT})).json()

    assert (body["mode"], body["why"]) == ("hybrid", None)
    assert body["items"][0]["document_id"] == str(document)
    assert body["items"][0]["parts"]["dense"] is not None


async def test_search_is_lexical_while_the_embedder_fails(
    client: httpx2.AsyncClient, document: UUID, server: ScriptedModelServer
) -> None:
    server.play(faults=(ScriptedFault(kind=FaultKind.SERVER_ERROR, on="embeddings"),))

    body = (await client.get(URL, params={"q": "twenty months"})).json()

    assert body["mode"] == "lexical"
    assert body["why"].startswith("the embedding model did not answer")
    assert [hit["document_id"] for hit in body["items"]] == [str(document)]


@pytest.mark.usefixtures("document")
async def test_embedding_calls_are_in_the_organisations_ledger(
    client: httpx2.AsyncClient, server: ScriptedModelServer
) -> None:
    calls = (await client.get("/api/v1/ai/calls")).json()["items"]

    assert {call["feature"] for call in calls} == {"knowledge.embed"}
    assert len(calls) == server.calls.count("/v1/embeddings")


async def test_each_process_has_one_client_of_a_kind(searchers: Searchers) -> None:
    assert searchers.embedder() is searchers.embedder()
