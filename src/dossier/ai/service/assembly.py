"""The parts that a process has one of, put together from settings."""

from dataclasses import dataclass

import dossier
from dossier.ai.service.abilities import AbilitiesService, StoredProbe, planned_servers
from dossier.ai.service.ledger import Ledger
from dossier.ai.service.prices import ModelPrices
from dossier.core.database import SessionFactory
from dossier.core.settings import Settings
from dossier.integrations.llm.models import Recorder
from dossier.integrations.tracing.calls import TracedRecorder
from dossier.integrations.tracing.client import open_tracer
from dossier.integrations.tracing.models import Tracer


@dataclass(frozen=True, slots=True)
class ModelParts:
    """What every call of a model in this process goes through."""

    recorder: Recorder
    """The ledger, traced; clients of models take it."""
    abilities: AbilitiesService
    tracer: Tracer

    def close(self) -> None:
        """Send the traces that are left; may wait, so call it in a thread."""
        self.tracer.close()


def open_model_parts(sessions: SessionFactory, settings: Settings) -> ModelParts:
    """Return the ledger, the abilities and the tracer of one process."""
    probe = StoredProbe(sessions, planned_servers(settings.ai))
    tracer = open_tracer(settings.traces, dossier.__version__)
    ledger = Ledger(sessions, ModelPrices(settings.ai, probe))
    recorder: Recorder = (
        TracedRecorder(ledger, tracer) if settings.traces.endpoint else ledger
    )
    return ModelParts(recorder, AbilitiesService(probe), tracer)
