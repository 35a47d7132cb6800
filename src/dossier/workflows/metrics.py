"""Durations, and so counts, of runs and steps in this process, ready for `/metrics`."""

from typing import Final

from prometheus_client import Histogram

_BUCKETS_S: Final = (0.1, 0.5, 1, 2, 5, 10, 30, 60, 120, 300, 900, 3600)

RUN_SECONDS: Final = Histogram(
    "dossier_workflow_run_seconds",
    "Time from the start of a run to its end, waits included.",
    ("kind", "outcome"),
    buckets=_BUCKETS_S,
)
STEP_SECONDS: Final = Histogram(
    "dossier_workflow_step_seconds",
    "Time of one step that was run, not replayed.",
    ("kind", "step", "outcome"),
    buckets=_BUCKETS_S,
)
