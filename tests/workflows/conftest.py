"""Workflows as they run: a database that commits, a worker, a scripted model server."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import httpx2
import pytest
from fastapi import FastAPI
from starlette.datastructures import State
from tests.chat.answering.documents import InMemoryDocuments, StoredPassage
from tests.conftest import ORG_ID, KnownTokens, RunWorker, client_of

from dossier.ai.service.assembly import open_model_services
from dossier.chat.answering.pipeline import open_chat_client
from dossier.core.clock import now
from dossier.core.database import tenant_transaction
from dossier.core.settings import Settings, SourcesSettings
from dossier.core.startup import Database
from dossier.core.tenancy import Actor
from dossier.documents.service import DocumentsService
from dossier.jobs.attempts import JobHandler
from dossier.jobs.event_log import JobEventLog
from dossier.jobs.events import surviving
from dossier.jobs.follower import JobFollower
from dossier.jobs.service import JobsService
from dossier.jobs.types import JobEvent
from dossier.products.service.products import ProductsService
from dossier.sources.literature import opened_literature
from dossier.testing.model_server.server import ScriptedModelServer
from dossier.workflows.constants import JOB_PREFIX
from dossier.workflows.kinds import KINDS
from dossier.workflows.schemas import WorkflowInputs
from dossier.workflows.service import WorkflowsService
from dossier.workflows.tasks import WorkflowHandler
from dossier.workflows.types import WorkflowServices

CREAM = StoredPassage(
    "stability.pdf",
    "The cream was kept at 40 °C for 3 months. "
    "The shelf life of the rose cream is 30 months.",
    page=3,
)


@dataclass
class Runs:
    """One organisation that runs workflows, with a client of its owner."""

    client: httpx2.AsyncClient
    actor: Actor
    database: Database
    settings: Settings
    documents: InMemoryDocuments
    follower: JobFollower
    run_worker: RunWorker
    app: FastAPI
    clock: list[datetime]
    sources: SourcesSettings

    def handlers(self, services: WorkflowServices) -> dict[str, JobHandler]:
        """Return the handlers of all kinds that are registered."""
        handler = WorkflowHandler(
            services, clock=lambda: self.clock[0] if self.clock else now()
        )
        return {JOB_PREFIX + name: handler for name in KINDS}

    @asynccontextmanager
    async def working(
        self, model_server: ScriptedModelServer | None = None, **options: object
    ) -> AsyncIterator[asyncio.Event]:
        """Run a worker until the block is left."""
        settings = self.settings
        if model_server is not None:
            ai = {
                "base_url": model_server.base_url,
                "model": "scripted",
                "max_retries": 0,
            }
            settings = settings.model_copy(
                update={"ai": settings.ai.model_copy(update=ai)}
            )
        self.app.state.settings = settings
        parts = open_model_services(self.database.sessions, settings)
        model = open_chat_client(settings, parts)
        try:
            async with opened_literature(
                self.database.sessions, self.sources
            ) as literature:
                services = WorkflowServices(
                    self.database.sessions,
                    model,
                    self.documents.searcher_of,
                    literature,
                )
                handlers = self.handlers(services)
                async with self.run_worker(handlers, flush_ms=10, **options) as stop:
                    yield stop
        finally:
            if model is not None:
                await model.close()

    async def start(
        self, kind: str, inputs: WorkflowInputs, *, has_model: bool = True
    ) -> UUID:
        """Start a run through the service."""
        async with tenant_transaction(self.database.sessions, ORG_ID) as session:
            job = await self._service(session, has_model=has_model).start(kind, inputs)
            return job.id

    async def ended(self, run_id: UUID, timeout_s: float = 10) -> dict[str, Any]:
        """Wait for the end of a run, and return it."""
        await self.follower.wait(ORG_ID, run_id, timeout_s)
        return await self.view(run_id)

    async def until(self, run_id: UUID, status: str) -> dict[str, Any]:
        """Wait until a run is in a state, and return it."""
        async with asyncio.timeout(10):
            while (run := await self.view(run_id))["status"] != status:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        return run

    async def view(self, run_id: UUID) -> dict[str, Any]:
        """Return a run as clients see it."""
        async with tenant_transaction(self.database.sessions, ORG_ID) as session:
            return await self._service(session).view(run_id)

    async def act(self, action: Callable[[WorkflowsService], Awaitable[Any]]) -> Any:
        """Call the service in a transaction of its own."""
        async with tenant_transaction(self.database.sessions, ORG_ID) as session:
            return await action(self._service(session))

    async def events(self, run_id: UUID) -> list[JobEvent]:
        """Return the stored events that count."""
        async with tenant_transaction(self.database.sessions, ORG_ID) as session:
            jobs = JobsService(session, self.actor)
            run = await self._service(session).view(run_id)
            job = await jobs.get_job_of_kind(run_id, run["job_kind"])
            return surviving(await JobEventLog(session, job).events())

    def _service(self, session: Any, *, has_model: bool = True) -> WorkflowsService:
        jobs = JobsService(session, self.actor)
        documents = DocumentsService(session, self.actor)
        products = ProductsService(session, self.actor, documents)
        return WorkflowsService(
            session, self.actor, jobs, products, has_model=has_model
        )


@pytest.fixture(scope="session")
async def model_server() -> AsyncIterator[ScriptedModelServer]:
    async with ScriptedModelServer() as server:
        yield server


@pytest.fixture
def model(model_server: ScriptedModelServer) -> ScriptedModelServer:
    model_server.reset()
    return model_server


@pytest.fixture
async def runs(
    settings: Settings,
    worker_database: Database,
    follower: JobFollower,
    run_worker: RunWorker,
    built_apps: dict[str, FastAPI],
    actor: Actor,
) -> AsyncIterator[Runs]:
    from dossier.main import create_app  # noqa: PLC0415 - half a second, only here

    changed = settings.model_copy(
        update={
            "database": settings.database.model_copy(
                update={"url": worker_database.url}
            )
        }
    )
    app = built_apps.get("workflows") or built_apps.setdefault(
        "workflows", create_app(changed)
    )
    kept = app.state
    app.state = State(dict(kept._state))  # noqa: SLF001 - it has no way to be copied
    app.state.settings, app.state.sessions = changed, worker_database.sessions
    app.state.job_follower = follower
    app.state.authenticator = KnownTokens({"owner": actor})
    documents = InMemoryDocuments()
    documents.add(ORG_ID, CREAM)
    async with AsyncExitStack() as stack:
        stack.callback(setattr, app, "state", kept)
        client = await stack.enter_async_context(client_of(app, "owner"))
        yield Runs(
            client,
            actor,
            worker_database,
            changed,
            documents,
            follower,
            run_worker,
            app,
            [],
            SourcesSettings(),
        )
