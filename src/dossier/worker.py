"""Composition root of the worker: its handlers, its timers, its loops."""

import asyncio
import logging
import signal
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING

import dossier
from dossier.activity.tasks import seal_all
from dossier.ai.service.assembly import (
    embedder_name,
    open_model_services,
    open_tracer,
)
from dossier.ai.service.capabilities import (
    AbilitiesService,
    StoredProbe,
    planned_servers,
)
from dossier.ai.tasks import probe_servers, settle_lost, sweep_answers
from dossier.chat.answering.pipeline import AnswerPipeline, open_pipeline
from dossier.chat.constants import ANSWER_JOB, SUMMARISE_JOB
from dossier.core.database import make_sessions
from dossier.core.reconnect import is_lost
from dossier.core.settings import JobSettings, Settings
from dossier.core.startup import Database, configured_engine, opened_database
from dossier.documents.blobs import sweep_blobs
from dossier.documents.tasks import delete_blob, read_again, read_text
from dossier.integrations.llm.plan import model_plan
from dossier.integrations.llm.types import EmbeddingModel
from dossier.integrations.parsing.reader import SandboxedReader, limits_of
from dossier.integrations.pdf.client import PdfRenderer
from dossier.integrations.prices import listed_price
from dossier.integrations.queue.worker import EngineWorker, Queue, Timer
from dossier.integrations.storage.client import open_store
from dossier.jobs.attempts import AttemptLimits, Attempts, JobHandler
from dossier.jobs.buffer import EventBuffer
from dossier.jobs.constants import JobGroup
from dossier.jobs.kinds import names_in
from dossier.jobs.types import Periodic
from dossier.jobs.upkeep import (
    enqueue_due,
    prune_engine_log,
    prune_event_logs,
    sweep_lost,
)
from dossier.knowledge import tasks as knowledge
from dossier.knowledge.service.assembly import (
    Searchers,
    open_central,
    opened_searchers,
)
from dossier.knowledge.service.indexing import central_document, central_documents
from dossier.products.service.products import ProductsService
from dossier.reports.tasks import render
from dossier.sources.literature import LiteratureService, opened_literature
from dossier.sources.tasks import (
    create_base,
    enqueue_bases,
    enqueue_pushes,
    push_document,
)
from dossier.workflows.constants import JOB_PREFIX
from dossier.workflows.kinds.all import ALL_KINDS
from dossier.workflows.tasks import WorkflowHandler
from dossier.workflows.types import WorkflowServices

if TYPE_CHECKING:
    from dossier.integrations.llm.client import ChatClient

logger = logging.getLogger(__name__)

DRAIN_S = 25
"""How long jobs may still run after the signal to stop."""
WATCH_INTERVAL_S = 1.0
"""How soon a cancellation is found whose notification was lost."""


HANDLERS: dict[str, Callable[[Settings], JobHandler]] = {
    "documents.read_text": lambda settings: partial(
        read_text,
        store=open_store(settings.storage.url, settings.home),
        read_file=SandboxedReader(limits_of(settings.limits)).read,
    ),
    "documents.delete_blob": lambda settings: partial(
        delete_blob, store=open_store(settings.storage.url, settings.home)
    ),
    "knowledge.index_document": lambda settings: partial(
        knowledge.index_document,
        pushes_to_central=settings.knowledge.central_url is not None,
    ),
    "knowledge.reweigh": lambda _: knowledge.reweigh,
    "knowledge.catch_up": lambda _: knowledge.catch_up,
    "reports.render": lambda settings: partial(
        render,
        store=open_store(settings.storage.url, settings.home),
        renderer=PdfRenderer(
            settings.reports.font_dir, f"Dossier {dossier.__version__}"
        ),
    ),
    "sources.create_base": lambda settings: partial(
        create_base, service=open_central(settings.knowledge)
    ),
    "sources.push_document": lambda settings: partial(
        push_document,
        service=open_central(settings.knowledge),
        load_document=central_document,
    ),
}
"""Each kind of job with what makes its handler; a new one is one line."""


def periodic_jobs(settings: Settings) -> tuple[Periodic, ...]:
    """Return the jobs that the clock enqueues."""
    embeds_by = embedder_name(settings)
    behind = partial(knowledge.organisations_behind, embed_model=embeds_by)
    return (Periodic("knowledge.catch_up", "*/5 * * * *", behind),)


def make_handlers(settings: Settings) -> dict[str, JobHandler]:
    """Return the handlers with their clients of other systems bound."""
    return {kind: make(settings) for kind, make in HANDLERS.items()}


def make_timers(settings: Settings, database: Database) -> list[Timer]:
    """Return the timers; at each due time one of all workers runs the action."""
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
        Timer("documents.read_again", "*/2 * * * *", partial(read_again, sessions)),
        Timer("ai.probe", "27 * * * *", partial(probe_models, settings, database)),
        Timer(
            "ai.probe_again", "*/2 * * * *", partial(probe_again, settings, database)
        ),
        Timer(
            "ai.settle_lost",
            "*/5 * * * *",
            partial(settle_lost, sessions, settings.jobs.max_duration_s),
        ),
        Timer("ai.sweep_answers", "53 * * * *", partial(sweep_answers, sessions)),
        Timer(
            "jobs.prune_event_logs",
            "21 4 * * *",
            partial(prune_event_logs, sessions, settings.jobs.keep_log_days),
        ),
        *central_timers(settings, database),
        *(
            Timer(each.kind, each.cron, partial(enqueue_due, sessions, each))
            for each in periodic_jobs(settings)
        ),
    ]


def central_timers(settings: Settings, database: Database) -> list[Timer]:
    """Return the timers that fill a central service, where one is set."""
    if settings.knowledge.central_url is None:
        return []
    fill = partial(enqueue_bases, database.sessions, ProductsService.list_everywhere)
    give = partial(enqueue_pushes, database.sessions, central_documents)
    return [
        Timer("sources.fill_bases", "*/2 * * * *", fill),
        Timer("sources.fill_documents", "*/10 * * * *", give),
    ]


async def probe_models(settings: Settings, database: Database) -> None:
    """Probe the model servers, where the settings name any."""
    plan = model_plan(settings.ai)
    if plan is None:
        return
    from dossier.integrations.llm.probe import probe  # noqa: PLC0415 - the HTTP client

    servers = planned_servers(settings.ai)
    await probe_servers(database.sessions, servers, partial(probe, plan), listed_price)


async def probe_again(settings: Settings, database: Database) -> None:
    """Probe again servers that gave no answer at the last probe."""
    found = StoredProbe(database.sessions, planned_servers(settings.ai))
    abilities = await AbilitiesService(found).current()
    if abilities is not None and not abilities.reachable:
        await probe_models(settings, database)


@asynccontextmanager
async def probing(settings: Settings, database: Database) -> AsyncIterator[None]:
    """Probe once beside the caller, which neither waits for it nor fails with it."""

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


class Worker:
    """A worker: the engine's loops, the attempts, and their event buffer."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        handlers: Mapping[str, JobHandler],
        timers: Sequence[Timer],
    ) -> None:
        jobs = settings.jobs
        # Of its own: a handler that ends its job holds a connection and waits for it.
        self._buffer_engine = configured_engine(settings, database.url, pool_size=1)
        self._buffer = EventBuffer(
            make_sessions(self._buffer_engine), jobs.flush_ms / 1000
        )
        self._attempts = Attempts(
            database.sessions,
            handlers,
            self._buffer,
            AttemptLimits(
                max_failures=jobs.max_failures,
                max_deaths=jobs.max_deaths,
                max_duration_s=jobs.max_duration_s,
                disconnect_grace_s=jobs.disconnect_grace_s,
            ),
        )
        self._engine = EngineWorker(
            database.url,
            [self._queue(jobs, group, handlers) for group in JobGroup],
            timers,
            dequeue_timeout_s=jobs.dequeue_timeout_s,
        )

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set; then jobs that stream are given back, others end.

        What has not ended after `DRAIN_S` is given back too.
        """
        beside = [
            asyncio.create_task(each, name="worker")
            for each in (self._buffer.run(), self._watch(), self._drain(stop))
        ]
        try:
            await self._engine.run(stop)
        finally:
            for task in beside:
                task.cancel()
            await asyncio.wait(beside)
            await self._buffer_engine.dispose()

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(WATCH_INTERVAL_S)
            try:
                await self._attempts.stop_lost_jobs()
            except Exception as exc:
                if not is_lost(exc):
                    logger.exception("jobs.watch.failed")

    async def _drain(self, stop: asyncio.Event) -> None:
        await stop.wait()
        self._attempts.stop_streaming()
        await asyncio.sleep(DRAIN_S)
        self._attempts.stop_all()

    def _queue(
        self,
        settings: JobSettings,
        group: JobGroup,
        handlers: Mapping[str, JobHandler],
    ) -> Queue:
        caps = {
            JobGroup.ANSWERS: settings.max_answers,
            JobGroup.READING: settings.max_reading,
            JobGroup.INDEXING: settings.max_indexing,
            JobGroup.WORKFLOWS: settings.max_workflows,
            JobGroup.OTHER: settings.max_concurrent,
        }
        is_answers = group is JobGroup.ANSWERS
        return Queue(
            {name: self._attempts for name in names_in(group) if name in handlers},
            max_concurrent=caps[group],
            lease_s=settings.answers_lease_s if is_answers else settings.lease_s,
            batch_size=settings.batch_size,
        )


def make_worker(
    settings: Settings,
    database: Database,
    handlers: Mapping[str, JobHandler] | None = None,
    timers: list[Timer] | None = None,
) -> Worker:
    """Return a worker on a database that is open."""
    return Worker(
        settings,
        database,
        make_handlers(settings) if handlers is None else handlers,
        make_timers(settings, database) if timers is None else timers,
    )


def known_handlers(
    settings: Settings, embedder: EmbeddingModel | None
) -> dict[str, JobHandler]:
    """Return all handlers, with those of an embedder where a setting names one."""
    handlers = make_handlers(settings)
    if embedder is None:
        return handlers
    from dossier.integrations.llm.probe import (  # noqa: PLC0415 - the HTTP client
        probe_embedder,
    )

    return handlers | knowledge.embedding_tasks(
        embedder,
        probe_embedder,
        pushes_to_central=settings.knowledge.central_url is not None,
    )


@asynccontextmanager
async def running(worker: Worker) -> AsyncIterator[asyncio.Event]:
    """Run a worker beside the caller; leaving, or the event, lets its jobs end."""
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(worker.run(stop), name="worker")
        try:
            yield stop
        finally:
            stop.set()


@asynccontextmanager
async def working(
    settings: Settings, database: Database, kinds: Collection[str]
) -> AsyncIterator[None]:
    """Run jobs of some kinds beside the caller, over a pool of their own, no timers.

    Leaving waits for the jobs that run.
    """
    engine = configured_engine(settings, database.url)
    own = Database(database.url, engine, make_sessions(engine))
    handlers = {kind: HANDLERS[kind](settings) for kind in kinds}
    try:
        async with running(make_worker(settings, own, handlers, timers=[])):
            yield
    finally:
        await engine.dispose()


@asynccontextmanager
async def answering(
    settings: Settings, database: Database
) -> AsyncIterator[tuple[Searchers, AnswerPipeline]]:
    """Yield the searchers and the pipeline that answers questions."""
    sessions = database.sessions
    models = open_model_services(sessions, settings)
    async with (
        opened_searchers(sessions, settings, models.recorder) as searchers,
        open_pipeline(sessions, settings, models, searchers.searcher_of) as pipeline,
    ):
        yield searchers, pipeline


async def run_worker(settings: Settings, stop: asyncio.Event) -> None:
    """Open the database and work until `stop` is set."""
    async with (
        opened_database(settings) as database,
        answering(settings, database) as (searchers, pipeline),
        probing(settings, database),
        opened_literature(database.sessions, settings.sources) as literature,
    ):
        handlers = known_handlers(settings, searchers.embedder())
        handlers[ANSWER_JOB] = pipeline
        handlers[SUMMARISE_JOB] = pipeline.summarise
        handlers |= workflow_handlers(
            settings, database, searchers, pipeline.model, literature
        )
        logger.info("worker.started")
        await make_worker(settings, database, handlers).run(stop)
    logger.info("worker.stopped")


def workflow_handlers(
    settings: Settings,
    database: Database,
    searchers: Searchers,
    model: "ChatClient | None",
    literature: LiteratureService,
) -> dict[str, JobHandler]:
    """Return the handlers of all kinds of workflow."""
    services = WorkflowServices(
        database.sessions,
        model,
        searchers.searcher_of,
        literature,
        cache_days=settings.chat.cache_days,
    )
    handler = WorkflowHandler(services, tracer=open_tracer(settings))
    return {JOB_PREFIX + kind.name: handler for kind in ALL_KINDS}


def stop_on_signals(stop: asyncio.Event) -> None:
    """Let SIGTERM and SIGINT drain: no new jobs, the running ones end."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
