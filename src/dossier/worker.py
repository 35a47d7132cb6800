"""Composition root of the worker: its tasks, its clock, its loop."""

import asyncio
import logging
import signal
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from functools import partial

import dossier
from dossier.activity.tasks import seal_all
from dossier.ai.service import (
    AbilitiesService,
    StoredProbe,
    embedder_name,
    planned_servers,
)
from dossier.ai.tasks import probe_servers, settle_lost, sweep_answers
from dossier.api import central_service, executing
from dossier.chat.tasks.parts import open_clients, window_of
from dossier.chat.tasks.summarise import summarise
from dossier.core.settings import Settings
from dossier.core.startup import Database, opened_database
from dossier.documents.tasks import delete_blob, give_up, read_text, sweep_blobs
from dossier.integrations.llm.plan import model_plan
from dossier.integrations.llm.types import EmbeddingModel
from dossier.integrations.parsing.reader import SandboxedReader, limits_of
from dossier.integrations.pdf.client import PdfRenderer
from dossier.integrations.prices.client import listed_price
from dossier.integrations.queue.worker import EngineOptions, EngineWorker, Timer
from dossier.integrations.storage.client import open_store
from dossier.jobs.ports import Periodic, Task
from dossier.jobs.tasks.attempt import Attempts
from dossier.jobs.tasks.upkeep import enqueue_due, prune_engine_log, sweep_lost
from dossier.knowledge import tasks as knowledge
from dossier.knowledge.service.assembly import Searchers
from dossier.knowledge.service.central import central_paper, central_papers
from dossier.products.service import ProductsService
from dossier.reports.tasks import render
from dossier.runs.service import RunEngine
from dossier.runs.tasks import prune_logs
from dossier.sources.constants import CENTRAL_PATIENCE
from dossier.sources.tasks import (
    create_base,
    fill_bases,
    fill_documents,
    push_document,
)

logger = logging.getLogger(__name__)


def summarising(settings: Settings) -> Task:
    """Return the task that writes running summaries."""
    clients_of = partial(open_clients, settings)
    return Task(partial(summarise, clients_of=clients_of, window=window_of(settings)))


TASKS: dict[str, Callable[[Settings], Task]] = {
    "documents.read_text": lambda settings: Task(
        partial(
            read_text,
            store=open_store(settings.storage.url, settings.home),
            reader=SandboxedReader(limits_of(settings.limits)),
        ),
        on_failure=give_up,
    ),
    "documents.delete_blob": lambda settings: Task(
        partial(delete_blob, store=open_store(settings.storage.url, settings.home))
    ),
    "chat.summarise": summarising,
    "knowledge.index_document": lambda settings: Task(
        partial(
            knowledge.index_document,
            is_given_away=settings.knowledge.central_url is not None,
        )
    ),
    "knowledge.reweigh": lambda _: Task(knowledge.reweigh),
    "knowledge.catch_up": lambda _: Task(knowledge.catch_up),
    "reports.render": lambda settings: Task(
        partial(
            render,
            store=open_store(settings.storage.url, settings.home),
            renderer=PdfRenderer(
                settings.reports.font_dir, f"Dossier {dossier.__version__}"
            ),
        )
    ),
    "sources.create_base": lambda settings: Task(
        partial(create_base, service=central_service(settings)),
        max_failures=CENTRAL_PATIENCE,
    ),
    "sources.push_document": lambda settings: Task(
        partial(push_document, service=central_service(settings), papers=central_paper),
        max_failures=CENTRAL_PATIENCE,
    ),
}
"""Each kind of job with what makes its task; a new one is one line."""


def periodic_jobs(settings: Settings) -> tuple[Periodic, ...]:
    """Return the jobs that the clock enqueues."""
    embeds_by = embedder_name(settings)
    behind = partial(knowledge.organisations_behind, embed_model=embeds_by)
    return (Periodic("knowledge.catch_up", "*/5 * * * *", behind),)


def make_tasks(settings: Settings) -> dict[str, Task]:
    """Return the tasks with their outside parts bound."""
    return {kind: make(settings) for kind, make in TASKS.items()}


def make_timers(settings: Settings, database: Database) -> list[Timer]:
    """Return what one of all workers does at each due time."""
    sessions = database.sessions
    every_s = settings.jobs.seal_interval_s
    return [
        Timer("activity.seal", f"* * * * * */{every_s}", partial(seal_all, sessions)),
        Timer("jobs.sweep_lost", "* * * * *", partial(sweep_lost, sessions)),
        Timer("jobs.prune_log", "17 * * * *", partial(prune_engine_log, sessions)),
        Timer(
            "documents.sweep_blobs",
            "41 3 * * *",
            partial(
                sweep_blobs, sessions, open_store(settings.storage.url, settings.home)
            ),
        ),
        Timer("ai.probe", "27 * * * *", partial(probe_models, settings, database)),
        Timer(
            "ai.probe_again", "*/2 * * * *", partial(probe_again, settings, database)
        ),
        Timer(
            "ai.settle_lost",
            "*/5 * * * *",
            partial(settle_lost, sessions, settings.runs.max_duration_s),
        ),
        Timer("ai.sweep_answers", "53 * * * *", partial(sweep_answers, sessions)),
        Timer(
            "runs.prune_logs",
            "11 4 * * *",
            partial(prune_logs, sessions, settings.runs.keep_log_days),
        ),
        *central_timers(settings, database),
        *(
            Timer(each.kind, each.cron, partial(enqueue_due, sessions, each))
            for each in periodic_jobs(settings)
        ),
    ]


def central_timers(settings: Settings, database: Database) -> list[Timer]:
    """Return what looks for missing bases and copies, where a service is set."""
    if settings.knowledge.central_url is None:
        return []
    fill = partial(fill_bases, database.sessions, ProductsService.list_everywhere)
    give = partial(fill_documents, database.sessions, central_papers)
    return [
        Timer("sources.fill_bases", "*/2 * * * *", fill),
        Timer("sources.fill_documents", "*/10 * * * *", give),
    ]


async def probe_models(settings: Settings, database: Database) -> None:
    """Find out what the model servers can do, where there are any."""
    plan = model_plan(settings.ai)
    if plan is None:
        return
    from dossier.integrations.llm.probe import probe  # noqa: PLC0415 - the HTTP client

    servers = planned_servers(settings.ai)
    await probe_servers(database.sessions, servers, partial(probe, plan), listed_price)


async def probe_again(settings: Settings, database: Database) -> None:
    """Ask servers once more that gave no answer when they were asked last."""
    found = StoredProbe(database.sessions, planned_servers(settings.ai))
    abilities = await AbilitiesService(found).current()
    if abilities is not None and not abilities.reachable:
        await probe_models(settings, database)


@asynccontextmanager
async def probing(settings: Settings, database: Database) -> AsyncIterator[None]:
    """Probe once beside the caller; whatever becomes of it, nothing waits for it."""

    async def attempt() -> None:
        try:
            await probe_models(settings, database)
        except Exception:
            logger.exception("ai.probe.failed")

    task = asyncio.create_task(attempt(), name="ai.probe")
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait({task})


def make_worker(
    settings: Settings,
    database: Database,
    tasks: Mapping[str, Task] | None = None,
    timers: list[Timer] | None = None,
) -> EngineWorker:
    """Return a worker on a database that is open."""
    known = make_tasks(settings) if tasks is None else tasks
    attempts = Attempts(
        database.sessions, known, max_failures=settings.jobs.max_failures
    )
    return EngineWorker(
        database.url,
        dict.fromkeys(known, attempts),
        make_timers(settings, database) if timers is None else timers,
        EngineOptions(
            lease_s=settings.jobs.lease_s,
            dequeue_timeout_s=settings.jobs.dequeue_timeout_s,
            batch_size=settings.jobs.batch_size,
            max_concurrent=settings.jobs.max_concurrent,
        ),
    )


def known_tasks(settings: Settings, embedder: EmbeddingModel | None) -> dict[str, Task]:
    """Return all tasks, with those of an embedder where a setting names one."""
    tasks = make_tasks(settings)
    if embedder is None:
        return tasks
    from dossier.integrations.llm.probe import (  # noqa: PLC0415 - the HTTP client
        probe_embedder,
    )

    return tasks | knowledge.embedding_tasks(
        embedder,
        probe_embedder,
        is_given_away=settings.knowledge.central_url is not None,
    )


@asynccontextmanager
async def working(
    settings: Settings, database: Database, searchers: Searchers
) -> AsyncIterator[None]:
    """Run a worker beside the caller; leaving waits for the jobs that run."""
    stop = asyncio.Event()
    tasks = known_tasks(settings, searchers.embedder())
    async with probing(settings, database), asyncio.TaskGroup() as group:
        worker = make_worker(settings, database, tasks)
        group.create_task(worker.run(stop), name="worker")
        try:
            yield
        finally:
            stop.set()


async def run_worker(settings: Settings, stop: asyncio.Event) -> None:
    """Open the database and work until `stop` is set."""
    async with (
        opened_database(settings) as database,
        # A worker process takes over the runs of a web process that died.
        executing(settings, database) as parts,
        RunEngine(database.sessions, database.url, parts.executors, settings.runs),
        probing(settings, database),
    ):
        tasks = known_tasks(settings, parts.searchers.embedder())
        logger.info("worker.started")
        await make_worker(settings, database, tasks).run(stop)
    logger.info("worker.stopped")


def stop_on_signals(stop: asyncio.Event) -> None:
    """Let SIGTERM and SIGINT drain: no new jobs, the running ones end."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
