"""What a process has one of for its calls of models, made from settings."""

from dataclasses import dataclass
from functools import lru_cache

import dossier
from dossier.ai.service.capabilities import (
    AbilitiesService,
    StoredProbe,
    planned_servers,
)
from dossier.ai.service.ledger import Ledger
from dossier.ai.service.prices import ModelPrices
from dossier.core.database import SessionFactory
from dossier.core.settings import Settings, TraceSettings
from dossier.integrations.llm.local import local_name
from dossier.integrations.llm.plan import model_plan
from dossier.integrations.llm.types import Purpose, Recorder
from dossier.integrations.tracing import client as tracing
from dossier.integrations.tracing.calls import TracedRecorder
from dossier.integrations.tracing.models import Tracer


@dataclass(frozen=True, slots=True)
class ModelServices:
    """Ledger, abilities and tracer of one process, for its calls of models."""

    recorder: Recorder
    """The ledger, traced; clients of models take it."""
    abilities: AbilitiesService
    tracer: Tracer
    """Sends what is left when the process ends."""


@lru_cache(maxsize=4)
def _tracer(traces: str) -> Tracer:
    """Return the tracer of a configuration; each has a thread, so one is kept."""
    settings = TraceSettings.model_validate_json(traces)
    return tracing.open_tracer(settings, dossier.__version__)


def open_tracer(settings: Settings) -> Tracer:
    """Return the tracer of the process: who asks twice gets the same one."""
    return _tracer(settings.traces.model_dump_json())


def open_model_services(sessions: SessionFactory, settings: Settings) -> ModelServices:
    """Return the ledger, the abilities and the tracer of a process."""
    probe = StoredProbe(sessions, planned_servers(settings.ai))
    tracer = open_tracer(settings)
    ledger = Ledger(sessions, ModelPrices(settings.ai, probe).price_of)
    recorder: Recorder = (
        TracedRecorder(ledger, tracer) if settings.traces.endpoint else ledger
    )
    return ModelServices(recorder, AbilitiesService(probe), tracer)


def embedder_name(settings: Settings) -> str | None:
    """Return the name that vectors are kept under; `None` where nothing embeds.

    A local model goes before a server's: no text leaves the machine.
    """
    local = settings.knowledge.local_embed_model
    if local is not None:
        return local_name(local)
    plan = model_plan(settings.ai)
    embedder = plan.embedder if plan else None
    return embedder.models[Purpose.EMBEDDING] if embedder else None
