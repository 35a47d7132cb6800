"""A real PostgreSQL, one transaction a test, the application's own role.

Every xdist worker has its own database, cloned from one migrated template. A test's
sessions share one connection inside one outer transaction, which is rolled back.
"""

import asyncio
import gc
import logging
import os
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import httpx2
import hypothesis
import pytest
from fastapi import FastAPI, Request
from sqlalchemy import make_url
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.datastructures import State
from tests.factories.accounts import make_organisation, make_user
from tests.processes import Forkers
from tests.readers import sharing_reader

from dossier.accounts.constants import Role
from dossier.ai.service.assembly import open_model_services
from dossier.core import migrate
from dossier.core.database import (
    DatabaseEngine,
    Session,
    SessionFactory,
    make_engine,
    make_sessions,
    tenant_transaction,
)
from dossier.core.embedded.cluster import embedded_postgres
from dossier.core.embedded.layout import system_account
from dossier.core.errors import UnauthenticatedError
from dossier.core.security import PrincipalCache
from dossier.core.settings import Settings
from dossier.core.startup import Database
from dossier.core.tenancy import Actor
from dossier.core.web import get_reader
from dossier.jobs.attempts import JobHandler
from dossier.jobs.follower import JobFollower
from dossier.knowledge.service.assembly import Searchers
from dossier.testing.source_server import SourceTwin, source_server

# Bytecode is kept, whatever the environment says: without it each test process compiles
# all tests anew, and each process that a test starts compiles the whole product.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# Tests are collected into half a million objects that stay: nobody need look at them
# again and again while they are made, nor afterwards.
gc.disable()

# The same examples in every run, and none fails because the machine is busy.
hypothesis.settings.register_profile("house", deadline=None, derandomize=True)
hypothesis.settings.load_profile("house")

# A run inside a run (`tests/core/test_new_domain.py`) uses the outer one's cluster.
CLUSTER = os.environ.get("DOSSIER_TEST_CLUSTER")
PREFIX = os.environ.get("DOSSIER_TEST_PREFIX", "dossier")
TEMPLATE = f"{PREFIX}_template"
MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of its own is made in it
MEMORY_NEEDED_BYTES = 4 * 2**30
ORG_ID = UUID("018f0000-0000-7000-8000-00000000000a")
OTHER_ORG_ID = UUID("018f0000-0000-7000-8000-00000000000b")
DrainJobs = Callable[..., Awaitable[int]]
RunWorker = Callable[..., AbstractAsyncContextManager[asyncio.Event]]
USER_ID = UUID("018f0000-0000-7000-8000-0000000000a1")
OTHER_USER_ID = UUID("018f0000-0000-7000-8000-0000000000b1")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the long tests: what is left for the end is small, and shared well.

    They stay beside each other, as most of them need the process that forks.
    """
    long = {
        item.path
        for item in items
        if item.get_closest_marker("process") or item.get_closest_marker("slow")
    }
    items.sort(key=lambda item: item.path not in long)


def pytest_collection_finish() -> None:
    """Collect garbage from here on, but leave alone what all tests share."""
    gc.freeze()
    gc.enable()


def named(url: str, database: str) -> str:
    """Return the URL of another database on the same server."""
    return make_url(url).set(database=database).render_as_string(hide_password=False)


async def clone(cluster_url: str, source: str, name: str) -> str:
    """Make a database from another one, anew."""
    connection = await asyncpg.connect(cluster_url)
    try:
        await connection.execute(f"drop database if exists {name} with (force)")
        # Copied as files: through the log it takes twice as long.
        await connection.execute(
            f"create database {name} template {source} strategy file_copy"
        )
    finally:
        await connection.close()
    return named(cluster_url, name)


@pytest.fixture(scope="module")
async def committing(
    cluster_url: str, database_url: str
) -> AsyncIterator[SessionFactory]:
    """Sessions of many connections, on a database of the module that really commits."""
    del database_url  # only so that the template exists
    engine = make_engine(await clone(cluster_url, TEMPLATE, f"racing_{os.getpid()}"))
    yield make_sessions(engine)
    await engine.dispose()


async def ensure_template(cluster_url: str) -> None:
    """Migrate the template once, whichever test process comes first."""
    connection = await asyncpg.connect(cluster_url)
    try:
        await connection.execute("select pg_advisory_lock(7)")
        query = "select 1 from pg_database where datname = $1"
        if not await connection.fetchval(query, TEMPLATE):
            source = "template1" if CLUSTER is None else "dossier_template"
            await connection.execute(
                f"create database {TEMPLATE}_draft template {source} strategy file_copy"
            )
            await migrate.upgrade(named(cluster_url, f"{TEMPLATE}_draft"))
            await connection.execute(
                f"alter database {TEMPLATE}_draft rename to {TEMPLATE}"
            )
    finally:
        await connection.close()


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


def lay_into_memory(home: Path) -> None:
    """Place the cluster in memory where there is room.

    Every clone is three hundred small files, and a disk takes its time over each.
    """
    if not MEMORY.is_dir() or shutil.disk_usage(MEMORY).free < MEMORY_NEEDED_BYTES:
        return
    base = Path(tempfile.mkdtemp(prefix="dossier-tests-", dir=MEMORY))
    if os.geteuid() == 0:
        account = system_account()
        os.chown(base, account.uid or 0, account.gid or 0)
    home.mkdir(parents=True, exist_ok=True)
    try:
        (home / "postgres").symlink_to(base)
    except FileExistsError:  # another test process was first
        base.rmdir()


@pytest.fixture(scope="session")
def cluster_url(shared_folder: Path) -> Iterator[str]:
    if CLUSTER is not None:
        yield CLUSTER
        return
    home = shared_folder / "home"
    lay_into_memory(home)
    with embedded_postgres(home, durable=False, keep=False) as url:
        yield url


@pytest.fixture(scope="session")
async def database_url(cluster_url: str) -> str:
    await ensure_template(cluster_url)
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    return await clone(cluster_url, TEMPLATE, f"{PREFIX}_{worker}")


@pytest.fixture
async def fresh_database(
    cluster_url: str, database_url: str, request: pytest.FixtureRequest
) -> AsyncIterator[str]:
    """A database of its own, for what must really commit."""
    del database_url  # only so that the template exists
    name = f"fresh_{os.getpid()}_{abs(hash(request.node.nodeid)) % 10**8}"
    yield await clone(cluster_url, TEMPLATE, name)
    connection = await asyncpg.connect(cluster_url)
    await connection.execute(f"drop database {name} with (force)")
    await connection.close()


@pytest.fixture(scope="session")
def forkers() -> Iterator[Forkers]:
    forkers = Forkers()
    yield forkers
    forkers.close()


@pytest.fixture(scope="session")
async def engine(database_url: str) -> AsyncIterator[DatabaseEngine]:
    engine = make_engine(database_url)
    yield engine
    await engine.dispose()


@pytest.fixture
async def connection(engine: DatabaseEngine) -> AsyncIterator[AsyncConnection]:
    async with engine.connect() as connection:
        transaction = await connection.begin()
        yield connection
        await transaction.rollback()


@pytest.fixture
async def sessions(connection: AsyncConnection) -> SessionFactory:
    return make_sessions(connection, join_transaction_mode="create_savepoint")


@pytest.fixture
async def org_id(sessions: SessionFactory) -> UUID:
    await make_organisation(sessions, id=ORG_ID, name="Rose Maison")
    return ORG_ID


@pytest.fixture
async def other_org_id(sessions: SessionFactory) -> UUID:
    await make_organisation(sessions, id=OTHER_ORG_ID, name="Lily House")
    return OTHER_ORG_ID


def owner_of(org_id: UUID, user_id: UUID) -> Actor:
    return Actor(
        org_id=org_id,
        user_id=user_id,
        role="owner",
        name="Mei",
        address="127.0.0.1",
        user_agent="tests",
        request_id="test-request",
    )


@pytest.fixture
async def actor(org_id: UUID) -> Actor:
    return owner_of(org_id, USER_ID)


@pytest.fixture
async def other_actor(other_org_id: UUID) -> Actor:
    return owner_of(other_org_id, OTHER_USER_ID)


@pytest.fixture
async def acting_members(
    sessions: SessionFactory, org_id: UUID, other_org_id: UUID
) -> None:
    """The owners as whom the clients act: changes of rights look them up."""
    for user_id, org in ((USER_ID, org_id), (OTHER_USER_ID, other_org_id)):
        await make_user(
            sessions, org, id=user_id, email=f"{user_id}@example.com", role=Role.OWNER
        )


@pytest.fixture
async def session(sessions: SessionFactory, org_id: UUID) -> AsyncIterator[Session]:
    async with tenant_transaction(sessions, org_id) as session:
        yield session


@pytest.fixture(scope="session")
def common_settings(database_url: str) -> Settings:
    """What tests have in common; to read and check it takes its time."""
    return Settings.model_validate(
        {
            "database": {"url": database_url, "migrate_on_start": False},
            "auth": {"mode": "password", "secret": "s" * 32},
            "jobs": {"child": False},
            "limits": {"requests_per_minute": 0, "wrong_passwords": 0},
        }
    )


@pytest.fixture
def settings(tmp_path: Path, common_settings: Settings) -> Settings:
    return common_settings.model_copy(update={"home": tmp_path})


class KnownTokens:
    """An authenticator that knows a few tokens; the real one has its own tests."""

    def __init__(self, actors: dict[str, Actor]) -> None:
        self._actors = actors

    async def __call__(self, request: Request, /) -> Actor:
        """Return the token's actor."""
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        if token not in self._actors:
            raise UnauthenticatedError
        return self._actors[token]


@pytest.fixture
async def drain_jobs(sessions: SessionFactory, settings: Settings) -> DrainJobs:
    """Run all queued jobs now, one after the other; return how many ran."""
    from tests.draining import drain  # noqa: PLC0415 - only here

    from dossier.jobs.attempts import Attempts  # noqa: PLC0415 - only here
    from dossier.worker import make_handlers  # noqa: PLC0415 - only here

    async def run(tasks: Mapping[str, JobHandler] | None = None) -> int:
        known = make_handlers(settings) if tasks is None else tasks
        return await drain(sessions, dict.fromkeys(known, Attempts(sessions, known)))

    return run


@pytest.fixture
async def worker_database(fresh_database: str) -> AsyncIterator[Database]:
    """A database of its own that really commits, with one organisation."""
    engine = make_engine(fresh_database)
    sessions = make_sessions(engine)
    await make_organisation(sessions, id=ORG_ID, name="Rose Maison")
    yield Database(fresh_database, engine, sessions)
    await engine.dispose()


@asynccontextmanager
async def running_worker(
    settings: Settings,
    database: Database,
    handlers: Mapping[str, JobHandler],
    **options: object,
) -> AsyncIterator[asyncio.Event]:
    """Run a worker in the test's loop until the block is left.

    Leases are short and the queue is looked at often, so that nothing waits for long;
    keyword arguments are settings of `jobs`.
    """
    from dossier.worker import make_worker, running  # noqa: PLC0415 - only here

    quick = {"lease_s": 1, "answers_lease_s": 1, "dequeue_timeout_s": 0.02}
    jobs = settings.jobs.model_copy(update=quick | options)
    changed = settings.model_copy(update={"jobs": jobs})
    async with running(make_worker(changed, database, handlers, timers=[])) as stop:
        yield stop


@pytest.fixture
def run_worker(worker_database: Database, settings: Settings) -> RunWorker:
    """Run a worker on a database that commits: `async with run_worker(handlers):`."""

    @asynccontextmanager
    async def run(
        handlers: Mapping[str, JobHandler], **options: object
    ) -> AsyncIterator[asyncio.Event]:
        worker = running_worker(settings, worker_database, handlers, **options)
        async with asyncio.timeout(30), worker as stop:
            yield stop

    return run


@pytest.fixture
async def follower(worker_database: Database) -> AsyncIterator[JobFollower]:
    """What a web process reads jobs with, on the worker's database."""
    async with JobFollower(worker_database.sessions, worker_database.url) as follower:
        yield follower


@pytest.fixture(scope="session")
async def running_twin() -> AsyncIterator[SourceTwin]:
    async with source_server() as running:
        yield running


@pytest.fixture
def twin(running_twin: SourceTwin) -> SourceTwin:
    """The offline twin of the outside sources, as it is after its start."""
    running_twin.reset()
    return running_twin


@pytest.fixture(scope="session")
def built_apps() -> Iterator[dict[str, FastAPI]]:
    """Apps by their settings: making the routes of one takes a fifth of a second."""
    apps: dict[str, FastAPI] = {}
    yield apps
    for app in apps.values():
        app.state.passwords.close()


@pytest.fixture
async def app(
    settings: Settings,
    sessions: SessionFactory,
    actor: Actor,
    other_actor: Actor,
    built_apps: dict[str, FastAPI],
) -> AsyncIterator[FastAPI]:
    """The app; what it remembers (its `state`) is each test's own."""
    from dossier.main import create_app  # noqa: PLC0415 - half a second, only here

    shape = settings.model_copy(update={"home": Path()}).model_dump_json()
    app = built_apps.get(shape) or built_apps.setdefault(shape, create_app(settings))
    kept = app.state
    app.state = State(dict(kept._state))  # noqa: SLF001 - it has no way to be copied
    app.state.settings = settings
    app.state.principals = PrincipalCache(settings.auth.principal_cache_s)
    app.state.sessions = sessions
    app.dependency_overrides[get_reader] = sharing_reader
    # Not at work: tests that wait, or stream, enter it.
    app.state.job_follower = JobFollower(sessions, str(settings.database.url))
    recorder = open_model_services(sessions, settings).recorder
    app.state.searchers = Searchers(sessions, settings, recorder)
    app.state.authenticator = KnownTokens({"mei": actor, "other": other_actor})
    yield app
    app.state = kept


@pytest.fixture(scope="session")
def document() -> dict[str, Any]:
    """The OpenAPI document; it takes half a second to make, and never changes."""
    from dossier.main import create_app  # noqa: PLC0415 - half a second, only here

    return create_app(Settings()).openapi()


def client_of(app: FastAPI, token: str | None) -> httpx2.AsyncClient:
    headers = {"authorization": f"Bearer {token}"} if token else {}
    return httpx2.AsyncClient(
        transport=httpx2.ASGITransport(app=app),
        base_url="http://localhost",
        headers=headers,
    )


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx2.AsyncClient]:
    async with client_of(app, "mei") as client:
        yield client


@pytest.fixture
async def other_client(app: FastAPI) -> AsyncIterator[httpx2.AsyncClient]:
    async with client_of(app, "other") as client:
        yield client


@pytest.fixture
async def anonymous_client(app: FastAPI) -> AsyncIterator[httpx2.AsyncClient]:
    async with client_of(app, None) as client:
        yield client


@pytest.fixture
def kept_logging() -> Iterator[None]:
    """Undo `configure_logging` after the test."""
    root, client = logging.getLogger(), logging.getLogger("httpx2")
    before = (root.handlers, root.level, client.level)
    yield
    root.handlers, level, client_level = before
    root.setLevel(level)
    client.setLevel(client_level)
    logging.captureWarnings(capture=False)
    logging.getLogger("uvicorn.access").disabled = False
