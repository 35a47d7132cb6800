"""Chat as it runs: a database that commits, a worker, a scripted model server."""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import (
    AbstractAsyncContextManager,
    AsyncExitStack,
)
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import httpx2
import pytest
from fastapi import FastAPI
from starlette.datastructures import State
from tests.chat.answering.documents import InMemoryDocuments, StoredPassage
from tests.conftest import (
    TEMPLATE,
    KnownTokens,
    RunWorker,
    client_of,
    clone,
    running_worker,
)
from tests.factories.accounts import make_organisation, make_user

from dossier.accounts.constants import Role
from dossier.ai.service.assembly import open_model_services
from dossier.chat.answering.events import Replay, replay
from dossier.chat.answering.pipeline import (
    AnswerPipeline,
    SearcherOf,
    open_chat_client,
)
from dossier.chat.constants import ANSWER_JOB
from dossier.chat.types import ContextWindow
from dossier.core.database import make_engine, make_sessions, tenant_transaction
from dossier.core.models import new_id
from dossier.core.settings import Settings
from dossier.core.startup import Database
from dossier.core.tenancy import Actor
from dossier.integrations.llm.types import ServerAbilities
from dossier.jobs.context import JobContext
from dossier.jobs.event_log import JobEventLog
from dossier.jobs.events import surviving
from dossier.jobs.follower import RECHECK_S, JobFollower
from dossier.jobs.models import Job
from dossier.jobs.service import JobsService
from dossier.jobs.types import JobEvent
from dossier.testing.model_server.server import ScriptedModelServer

STABILITY = StoredPassage(
    "stability.pdf",
    "The cream was kept at 40 °C for 3 months. Its viscosity fell by 4.8 %. "
    "The shelf life of the rose cream is 30 months.",
    page=3,
)
LABEL = StoredPassage(
    "label.pdf", "玫瑰霜的保存期限為三十個月。請置於陰涼乾燥處。", page=1
)

WINDOW = ContextWindow(16_384, 256)
QUICK = {"flush_ms": 20, "max_duration_s": 20}
"""Settings of `jobs` with which nothing waits for long."""


Event = tuple[int, str, dict[str, Any]]
"""Sequence number, type and data."""


class Members(KnownTokens):
    """An authenticator to which members can be added."""

    def __init__(self, actors: dict[str, Actor]) -> None:
        super().__init__(actors)
        self.actors = actors


@dataclass(eq=False)
class Pipelines:
    """Answers with the pipeline of each job's organisation."""

    of: dict[UUID, AnswerPipeline] = field(default_factory=dict)

    async def __call__(
        self,
        ctx: JobContext,
        room_id: UUID,
        question_id: UUID,
        answer_id: UUID,
        engine: str,
        grounding: str,
        is_anew: bool,  # noqa: FBT001 - passed by name
    ) -> None:
        answer = self.of[ctx.org_id]
        await answer(ctx, room_id, question_id, answer_id, engine, grounding, is_anew)


@dataclass
class Chat:
    """One organisation with one member's client."""

    org_id: UUID
    actor: Actor
    client: httpx2.AsyncClient
    app: FastAPI
    documents: InMemoryDocuments
    database: Database

    @property
    def sessions(self) -> Any:
        return self.database.sessions

    async def ask(self, message: str, **fields: Any) -> httpx2.Response:
        """Ask in a new room, unless one is named."""
        body = {"message": message, **fields}
        return await self.client.post("/api/v1/chat", json=body)

    async def start(self, message: str, **fields: Any) -> dict[str, Any]:
        """Ask without waiting; return the run."""
        response = await self.client.post(
            "/api/v1/chat",
            json={"message": message, **fields},
            headers={"prefer": "respond-async"},
        )
        assert response.status_code == httpx2.codes.ACCEPTED, response.text
        run: dict[str, Any] = response.json()
        return run

    async def answer(self, message: str, **fields: Any) -> dict[str, Any]:
        """Ask, and return what was answered."""
        response = await self.ask(message, **fields)
        assert response.status_code == httpx2.codes.OK, response.text
        answered: dict[str, Any] = response.json()
        return answered

    async def get(self, path: str) -> dict[str, Any]:
        response = await self.client.get(f"/api/v1/chat{path}")
        assert response.status_code == httpx2.codes.OK, response.text
        found: dict[str, Any] = response.json()
        return found

    def speak_as(self, name: str, actor: Actor) -> httpx2.AsyncClient:
        """Return a client of somebody else."""
        known = self.app.state.authenticator.actors
        self.app.state.authenticator = Members({**known, name: actor})
        return client_of(self.app, name)

    async def job(self, run_id: str) -> Job:
        """Return the job of a run."""
        async with tenant_transaction(self.sessions, self.org_id) as session:
            jobs = JobsService(session, self.actor)
            return await jobs.get_job_of_kind(UUID(run_id), ANSWER_JOB)

    async def wait(self, run_id: str, timeout_s: float = 5) -> Job:
        """Return the job of a run at its end, or as it is when the time is over."""
        follower: JobFollower = self.app.state.job_follower
        await follower.wait(self.org_id, UUID(run_id), timeout_s)
        return await self.job(run_id)

    async def events(self, run_id: str) -> list[Event]:
        """Return the stored events that count."""
        job = await self.job(run_id)
        async with tenant_transaction(self.sessions, self.org_id) as session:
            events = await JobEventLog(session, job).events()
        return [(each.sequence_number, each.type, each.data) for each in events]


OpenChat = Callable[..., Awaitable[Chat]]


def replayed(events: Sequence[Event]) -> Replay:
    """Return the answer that events describe, as a client assembles it."""
    found = [JobEvent(number, kind, data) for number, kind, data in events]
    return replay(surviving(found))


@pytest.fixture(scope="session")
async def chat_database(cluster_url: str, database_url: str) -> AsyncIterator[Database]:
    del database_url  # only so that the template exists
    name = f"chat_{os.getpid()}"
    url = await clone(cluster_url, TEMPLATE, name)
    engine = make_engine(url)
    yield Database(url, engine, make_sessions(engine))
    await engine.dispose()
    connection = await asyncpg.connect(cluster_url)
    await connection.execute(f"drop database {name} with (force)")
    await connection.close()


@pytest.fixture(scope="session")
async def chat_worker(
    chat_database: Database, common_settings: Settings
) -> AsyncIterator[Pipelines]:
    """A worker for all tests: an organisation is answered by its own pipeline."""
    pipelines = Pipelines()
    handlers = {ANSWER_JOB: pipelines}
    async with running_worker(common_settings, chat_database, handlers, **QUICK):
        yield pipelines


@pytest.fixture(scope="session")
async def model_server() -> AsyncIterator[ScriptedModelServer]:
    async with ScriptedModelServer() as server:
        yield server


@pytest.fixture
def model(model_server: ScriptedModelServer) -> ScriptedModelServer:
    model_server.reset()
    return model_server


@pytest.fixture
def chat_settings(
    settings: Settings, chat_database: Database, tmp_path: Path
) -> Settings:
    url = {"url": chat_database.url}
    changes = {
        "home": tmp_path,
        "database": settings.database.model_copy(update=url),
        "jobs": settings.jobs.model_copy(update=QUICK),
    }
    return settings.model_copy(update=changes)


def with_model(
    settings: Settings,
    server: ScriptedModelServer,
    patience_s: float,
    name: str | None = "scripted",
    fallback_url: str | None = None,
) -> Settings:
    ai = {
        "fallback_base_url": fallback_url,
        "fallback_model": "spare",
        "base_url": server.base_url,
        "model": name,
        "first_token_timeout_s": patience_s,
        "idle_timeout_s": patience_s,
        "max_retries": 0,
        "breaker_failures": 1000,
    }
    return settings.model_copy(update={"ai": settings.ai.model_copy(update=ai)})


class ChatOrganisations:
    """Opens organisations that chat, over one database and one app."""

    def __init__(
        self,
        stack: AsyncExitStack,
        settings: Settings,
        database: Database,
        pipelines: Pipelines,
        model: ScriptedModelServer,
        app: FastAPI,
    ) -> None:
        self._stack = stack
        self._settings = settings
        self._database = database
        self._model = model
        self._app = app
        self.pipelines = pipelines

    async def open(
        self,
        *,
        has_model: bool = False,
        documents: InMemoryDocuments | None = None,
        searcher_of: SearcherOf | None = None,
        continues: bool = False,
        patience_s: float = 5,
        model_name: str | None = "scripted",
        fallback_url: str | None = None,
        window: ContextWindow = WINDOW,
        recheck_s: float = RECHECK_S,
    ) -> Chat:
        """Open one more organisation; what belongs to it is closed at the end."""
        settings, database, state = self._settings, self._database, self._app.state
        if has_model:
            settings = with_model(
                settings, self._model, patience_s, model_name, fallback_url
            )
        if not state.authenticator.actors:  # the first one's settings are the app's
            state.settings, state.sessions = settings, database.sessions
            state.job_follower = await self._stack.enter_async_context(
                JobFollower(database.sessions, database.url, recheck_s=recheck_s)
            )
        sessions = database.sessions
        org_id = await make_organisation(sessions, id=new_id(), name="Rose Maison")
        user = await make_user(
            sessions, org_id, email=f"{new_id()}@example.com", role=Role.OWNER
        )
        actor = Actor(org_id=org_id, user_id=user.id, role="owner", name="Mei")
        documents = documents or InMemoryDocuments()
        parts = open_model_services(sessions, settings)
        model = open_chat_client(settings, parts)
        if model is not None:
            self._stack.push_async_callback(model.close)

        async def abilities() -> ServerAbilities:
            return ServerAbilities(reachable=True, continues_text=continues)

        self.pipelines.of[org_id] = AnswerPipeline(
            sessions,
            searcher_of or documents.searcher_of,
            model,
            abilities=abilities,
            window=window,
            cache_days=settings.chat.cache_days,
        )
        token = str(org_id)
        state.authenticator = Members({**state.authenticator.actors, token: actor})
        client = await self._stack.enter_async_context(client_of(self._app, token))
        return Chat(org_id, actor, client, self._app, documents, database)


@pytest.fixture
async def open_chat(
    chat_settings: Settings,
    chat_database: Database,
    chat_worker: Pipelines,
    built_apps: dict[str, FastAPI],
    model: ScriptedModelServer,
) -> AsyncIterator[OpenChat]:
    """Opens one more organisation; all are closed at the end."""
    async with AsyncExitStack() as stack:
        app = chat_app(stack, chat_settings, built_apps)
        organisations = ChatOrganisations(
            stack, chat_settings, chat_database, chat_worker, model, app
        )
        yield organisations.open


def chat_app(
    stack: AsyncExitStack, settings: Settings, built_apps: dict[str, FastAPI]
) -> FastAPI:
    from dossier.main import create_app  # noqa: PLC0415 - half a second, only here

    app = built_apps.get("chat") or built_apps.setdefault("chat", create_app(settings))
    kept = app.state
    app.state = State(dict(kept._state))  # noqa: SLF001 - it has no way to be copied
    app.state.authenticator = Members({})
    stack.callback(setattr, app, "state", kept)
    return app


@pytest.fixture
async def chat(open_chat: OpenChat) -> Chat:
    """Chat without any model, with two papers."""
    opened = await open_chat()
    opened.documents.add(opened.org_id, STABILITY, LABEL)
    return opened


@pytest.fixture
async def talking(open_chat: OpenChat) -> Chat:
    """Chat with the scripted model, with two papers."""
    opened = await open_chat(has_model=True)
    opened.documents.add(opened.org_id, STABILITY, LABEL)
    return opened


@pytest.fixture
async def impatient(open_chat: OpenChat) -> Chat:
    """The same, with a model that may not be silent for long."""
    opened = await open_chat(has_model=True, patience_s=0.15)
    opened.documents.add(opened.org_id, STABILITY, LABEL)
    return opened


@dataclass(frozen=True, slots=True)
class Restarting:
    """Chat on a database of its own, whose worker the test starts and stops."""

    organisations: ChatOrganisations
    run_worker: RunWorker

    def working(self) -> AbstractAsyncContextManager[asyncio.Event]:
        """Run a worker until the block is left."""
        handlers = {ANSWER_JOB: self.organisations.pipelines}
        return self.run_worker(handlers, **QUICK)


@pytest.fixture
async def restarting(
    settings: Settings,
    worker_database: Database,
    run_worker: RunWorker,
    built_apps: dict[str, FastAPI],
    model: ScriptedModelServer,
) -> AsyncIterator[Restarting]:
    jobs = settings.jobs.model_copy(update=QUICK)
    changed = settings.model_copy(update={"jobs": jobs})
    async with AsyncExitStack() as stack:
        app = chat_app(stack, changed, built_apps)
        organisations = ChatOrganisations(
            stack, changed, worker_database, Pipelines(), model, app
        )
        yield Restarting(organisations, run_worker)


async def until_text(chat: Chat, run_id: str) -> str:
    """Return the text of a run once some of it is stored."""
    async with asyncio.timeout(5):
        while not (text := replayed(await chat.events(run_id)).text):  # noqa: ASYNC110 - a test
            await asyncio.sleep(0.01)
    return text
