"""Names and limits of workflows."""

from enum import StrEnum
from typing import Final

JOB_PREFIX: Final = "workflow."
RUN_ROLES: Final = ("owner", "admin", "editor", "assessor")
"""Roles that may start, cancel, retry and decide."""
RUNS_PATH: Final = "/api/v1/workflows"

MAX_TOPIC_CHARACTERS: Final = 4_000
MAX_PARALLEL: Final = 4
"""Steps of one run at a time."""
MAX_RUN_S: Final = 24 * 3600.0
"""Longest attempt of one run; a wait for a person ends the attempt."""
MAX_FAILURES: Final = 3
"""Failures in a row, without a finished step, before a run fails."""

START: Final = "start"
CACHE_HIT: Final = "cache_hit"
PROGRESS: Final = "progress"
STEP_COMPLETE: Final = "step_complete"
COMPLETE: Final = "complete"
ERROR: Final = "error"


class RunStatus(StrEnum):
    """The state of a run; it is that of its job, in the words of this interface."""

    PENDING = "pending"
    PROCESSING = "processing"
    WAITING = "waiting"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLING = "cancelling"
    CANCELLED = "cancelled"


class ExportForm(StrEnum):
    """Forms of an exported result."""

    HTML = "html"
    MARKDOWN = "markdown"
    JSON = "json"
