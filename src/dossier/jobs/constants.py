"""States, signals and channels of jobs."""

from enum import StrEnum


class JobState(StrEnum):
    """The state of a job."""

    PENDING = "pending"
    PROCESSING = "processing"
    WAITING = "waiting"
    DONE = "done"
    FAILED = "failed"
    CANCELLING = "cancelling"
    CANCELLED = "cancelled"


class JobSignal(StrEnum):
    """An event that changes the state of a job; see `rules.TRANSITIONS`."""

    START = "start"
    FINISH = "finish"
    FAIL = "fail"
    RETRY_LATER = "retry_later"
    CANCEL = "cancel"
    CONFIRM_CANCEL = "confirm_cancel"
    REDRIVE = "redrive"
    SUSPEND = "suspend"
    RESUME = "resume"
    RESTART = "restart"


class JobGroup(StrEnum):
    """Queues of a worker; each has its own cap, so that none starves another."""

    ANSWERS = "answers"
    READING = "reading"
    INDEXING = "indexing"
    WORKFLOWS = "workflows"
    OTHER = "other"


class StopReason(StrEnum):
    """Why a handler is stopped before its end."""

    CANCELLED = "cancelled"
    """A person asked for it, or no reader is left."""
    STOPPING = "stopping"
    """The worker process ends; another one goes on."""
    SUPERSEDED = "superseded"
    """Another attempt has the job, or it was deleted."""


FINISHED = frozenset({JobState.DONE, JobState.FAILED, JobState.CANCELLED})
"""Terminal states; only `retry` leaves them."""
LIVE = frozenset({JobState.PENDING, JobState.PROCESSING, JobState.WAITING})
"""A job in one of these holds its deduplication key."""
RUNNING = frozenset({JobState.PROCESSING, JobState.CANCELLING})
"""A worker runs these, or was lost while it did."""
JOB_ROLES = ("owner", "admin", "editor", "assessor")
"""Roles that may cancel and retry."""

JOB_RETRY_AFTER_S = 1
"""Sent as `Retry-After` with a 202."""

RUN_RESTARTED = "run.restarted"
"""Event `{kept_through}`: what came after that number no longer counts."""
DELTA_SUFFIX = ".delta"
"""Events of such a type carry a piece of text in `delta`."""
EVENTS_CHANNEL = "dossier_jobs"
"""Carries ids of jobs that have new events, have ended or are gone."""
ACCESS_CHANNEL = "dossier_job_access"
"""Carries ids of jobs whose followers may have lost the right to follow."""
MAX_NOTIFIED = 200
"""Ids in one notification: 33 bytes each, of at most 8,000."""
