"""Words of the job domain."""

from enum import StrEnum


class JobState(StrEnum):
    """How far a job has come."""

    PENDING = "pending"
    PROCESSING = "processing"
    WAITING = "waiting"
    DONE = "done"
    FAILED = "failed"
    CANCELLING = "cancelling"
    CANCELLED = "cancelled"


class JobEvent(StrEnum):
    """What can happen to a job."""

    START = "start"
    FINISH = "finish"
    FAIL = "fail"
    RETRY_LATER = "retry_later"
    CANCEL = "cancel"
    CONFIRM_CANCEL = "confirm_cancel"
    REDRIVE = "redrive"


FINISHED = frozenset({JobState.DONE, JobState.FAILED, JobState.CANCELLED})
"""Nothing happens to these by itself any more."""
LIVE = frozenset({JobState.PENDING, JobState.PROCESSING, JobState.WAITING})
"""One of these takes a deduplication key."""
RUNNING = frozenset({JobState.PROCESSING, JobState.CANCELLING})
"""A worker has, or had, these in hand."""
CHANGERS = ("owner", "admin", "editor", "assessor")
"""Roles that may cancel and retry."""

RETRY_AFTER_S = 1
"""How soon a client may look again."""
