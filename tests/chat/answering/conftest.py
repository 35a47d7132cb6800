"""Chat as it runs: a database that commits, an engine, a scripted model server."""

import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import httpx2
import pytest
from fastapi import FastAPI
from starlette.datastructures import State
from tests.chat.answering.shelf import Paper, Shelf
from tests.conftest import TEMPLATE, KnownTokens, client_of, clone
from tests.factories.accounts import make_organisation, make_user

from dossier.ai.service import open_model_parts
from dossier.chat.answering.pipeline import AnswerParts, AnswerPipeline
from dossier.chat.answering.prompt import Window
from dossier.chat.constants import ANSWER_JOB
from dossier.chat.ports import SearcherOf
from dossier.chat.tasks.parts import Clients
from dossier.core.database import Engine, SessionFactory, make_engine, make_sessions
from dossier.core.models import new_id
from dossier.core.settings import Settings
from dossier.core.tenancy import Actor
from dossier.integrations.llm.models import ServerAbilities
from dossier.runs.service import RunEngine, RunKind
from dossier.testing.model_server import ScriptedModelServer

STABILITY = Paper(
    "stability.pdf",
    "The cream was kept at 40 °C for 3 months. Its viscosity fell by 4.8 %. "
    "The shelf life of the rose cream is 30 months.",
    page=3,
)
LABEL = Paper("label.pdf", "玫瑰霜的保存期限為三十個月。請置於陰涼乾燥處。", page=1)


WINDOW = Window(16_384, 256)


class Members(KnownTokens):
    """An authenticator to which members can be added."""

    def __init__(self, actors: dict[str, Actor]) -> None:
        super().__init__(actors)
        self.actors = actors


@dataclass
class Chat:
    """One process with one member's client."""

    org_id: UUID
    actor: Actor
    client: httpx2.AsyncClient
    engine: RunEngine
    app: FastAPI
    shelf: Shelf
    sessions: SessionFactory

    async def ask(self, message: str, **fields: Any) -> httpx2.Response:
        """Ask in a new room, unless one is named."""
        body = {"message": message, **fields}
        return await self.client.post("/api/v1/chat", json=body)

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


OpenChat = Callable[..., Awaitable[Chat]]


@pytest.fixture(scope="session")
async def chat_url(cluster_url: str, database_url: str) -> AsyncIterator[str]:
    del database_url  # only so that the template exists
    name = f"chat_{os.getpid()}"
    yield await clone(cluster_url, TEMPLATE, name)
    connection = await asyncpg.connect(cluster_url)
    await connection.execute(f"drop database {name} with (force)")
    await connection.close()


@pytest.fixture(scope="session")
async def chat_pool(chat_url: str) -> AsyncIterator[Engine]:
    pool = make_engine(chat_url)
    yield pool
    await pool.dispose()


@pytest.fixture(scope="session")
async def model_server() -> AsyncIterator[ScriptedModelServer]:
    async with ScriptedModelServer() as server:
        yield server


@pytest.fixture
def model(model_server: ScriptedModelServer) -> ScriptedModelServer:
    model_server.reset()
    return model_server


@pytest.fixture
def chat_settings(settings: Settings, chat_url: str, tmp_path: Path) -> Settings:
    runs = {"lease_s": 1, "batch_ms": 20, "max_duration_s": 20}
    changes = {
        "home": tmp_path,
        "database": settings.database.model_copy(update={"url": chat_url}),
        "runs": settings.runs.model_copy(update=runs),
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


@pytest.fixture
async def open_chat(
    chat_settings: Settings,
    chat_pool: Engine,
    built_apps: dict[str, FastAPI],
    model: ScriptedModelServer,
) -> AsyncIterator[OpenChat]:
    """Opens one more process on one organisation; all are closed at the end."""
    async with AsyncExitStack() as stack:
        app = _app(stack, chat_settings, built_apps)

        async def begin(
            *,
            has_model: bool = False,
            shelf: Shelf | None = None,
            searcher_of: SearcherOf | None = None,
            continues: bool = False,
            patience_s: float = 5,
            model_name: str | None = "scripted",
            fallback_url: str | None = None,
            window: Window = WINDOW,
            keep_alive_s: float | None = None,
        ) -> Chat:
            settings = chat_settings
            if keep_alive_s is not None:
                runs = settings.runs.model_copy(update={"keep_alive_s": keep_alive_s})
                settings = settings.model_copy(update={"runs": runs})
            if has_model:
                settings = with_model(
                    settings, model, patience_s, model_name, fallback_url
                )
            sessions = make_sessions(chat_pool)
            org_id = await make_organisation(sessions, id=new_id(), name="Rose Maison")
            user = await make_user(sessions, org_id, email=f"{new_id()}@example.com")
            actor = Actor(org_id=org_id, user_id=user.id, role="owner", name="Mei")
            shelf = shelf or Shelf()
            process = Process(
                settings,
                sessions,
                searcher_of or shelf.searcher_of,
                continues=continues,
                window=window,
            )
            engine = await process.start(stack)
            known = app.state.authenticator.actors
            if not known:  # the first process serves; any process could
                app.state.settings, app.state.run_engine = settings, engine
                app.state.sessions = sessions
            token = str(org_id)
            app.state.authenticator = Members({**known, token: actor})
            client = await stack.enter_async_context(client_of(app, token))
            return Chat(org_id, actor, client, engine, app, shelf, sessions)

        yield begin


@dataclass
class Process:
    """What runs answers; several share a database."""

    settings: Settings
    sessions: SessionFactory
    searcher_of: SearcherOf
    continues: bool
    window: Window

    async def start(self, stack: AsyncExitStack) -> RunEngine:
        settings, sessions = self.settings, self.sessions
        parts = open_model_parts(sessions, settings)
        clients = Clients(settings, parts)
        stack.push_async_callback(clients.close)
        pipeline = AnswerPipeline(
            AnswerParts(
                sessions=sessions,
                searcher_of=self.searcher_of,
                model=clients.chat(),
                abilities=self.abilities,
                window=self.window,
                cache_days=settings.chat.cache_days,
            )
        )
        url = settings.database.url
        assert url is not None
        kinds = {ANSWER_JOB: RunKind(pipeline, pipeline.on_end)}
        engine = RunEngine(sessions, url, kinds, settings.runs)
        return await stack.enter_async_context(engine)

    async def abilities(self) -> ServerAbilities:
        return ServerAbilities(reachable=True, continues_text=self.continues)


def _app(
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
    opened.shelf.put(opened.org_id, STABILITY, LABEL)
    return opened


@pytest.fixture
async def talking(open_chat: OpenChat) -> Chat:
    """Chat with the scripted model, with two papers."""
    opened = await open_chat(has_model=True)
    opened.shelf.put(opened.org_id, STABILITY, LABEL)
    return opened


@pytest.fixture
async def impatient(open_chat: OpenChat) -> Chat:
    """The same, with a model that may not be silent for long."""
    opened = await open_chat(has_model=True, patience_s=0.15)
    opened.shelf.put(opened.org_id, STABILITY, LABEL)
    return opened
