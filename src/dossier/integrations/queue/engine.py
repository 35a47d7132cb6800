"""The engine's statements, bound to our schema; one place names its settings."""

from pgqueuer.adapters.persistence.qb import (
    QueryBuilderEnvironment,
    QueryQueueBuilder,
    QuerySchedulerBuilder,
)
from pgqueuer.domain.settings import DBSettings
from pgqueuer.domain.types import Channel
from pgqueuer.ports.driver import Driver
from pgqueuer.queries import Queries

from dossier.integrations.queue.names import ENGINE_CHANNEL, SCHEMA


def engine_settings() -> DBSettings:
    """Name every object: the engine would take stray variables like `FUNCTION`."""
    return DBSettings(
        prefix="",
        db_schema=SCHEMA,
        channel=Channel(ENGINE_CHANNEL),
        function="fn_pgqueuer_changed",
        statistics_table="pgqueuer_statistics",
        queue_status_type="pgqueuer_status",
        queue_table="pgqueuer",
        queue_table_log="pgqueuer_log",
        trigger="tg_pgqueuer_changed",
        schedules_table="pgqueuer_schedules",
    )


def engine_queries(driver: Driver) -> Queries:
    """Return the engine's statements over a driver."""
    settings = engine_settings()
    return Queries(
        driver,
        QueryBuilderEnvironment(settings),
        QueryQueueBuilder(settings),
        QuerySchedulerBuilder(settings),
    )
