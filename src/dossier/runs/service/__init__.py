"""Runs: work that outlives the connection, and its events."""

from dossier.runs.ports import Holder
from dossier.runs.rules.events import RunEvent, surviving
from dossier.runs.rules.responses import cancelled_data, failed_data, response_data
from dossier.runs.service.context import Executor, OnEnd, RunContext, RunKind
from dossier.runs.service.engine import RunEngine
from dossier.runs.service.follower import Follower
from dossier.runs.service.runs import RunsService, add_run
from dossier.runs.service.settling import Quick

__all__ = [
    "Executor",
    "Follower",
    "Holder",
    "OnEnd",
    "Quick",
    "RunContext",
    "RunEngine",
    "RunEvent",
    "RunKind",
    "RunsService",
    "add_run",
    "cancelled_data",
    "failed_data",
    "response_data",
    "surviving",
]
