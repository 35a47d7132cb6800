"""Words of the run domain."""

from enum import StrEnum


class RunState(StrEnum):
    """How far a run has come."""

    PENDING = "pending"
    PROCESSING = "processing"
    WAITING = "waiting"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLING = "cancelling"
    CANCELLED = "cancelled"


class RunSignal(StrEnum):
    """What can happen to a run."""

    CLAIM = "claim"
    COMPLETE = "complete"
    FAIL = "fail"
    CANCEL = "cancel"
    CONFIRM_CANCEL = "confirm_cancel"


FINISHED = frozenset({RunState.COMPLETED, RunState.FAILED, RunState.CANCELLED})
"""Nothing happens to these any more."""
RUNNING = frozenset({RunState.PROCESSING, RunState.CANCELLING})
"""A process has, or had, these in hand."""

RESTARTED = "run.restarted"
FAILED_EVENT = "response.failed"
INCOMPLETE_EVENT = "response.incomplete"
"""Events that the engine itself writes."""

RESERVED_BLOCK = 500
"""Sequence numbers that a process may show before it asks for more."""
MAX_BATCH_EVENTS = 100
"""Events in one stored row."""
CHANNEL = "dossier_runs"
MAX_TOLD = 200
"""Runs of one notification: their ids fit into it."""


class Verb(StrEnum):
    """What is told to all processes; the ids of the runs follow."""

    EVENTS = "events"
    """More is stored of these."""
    ENDED = "ended"
    CANCEL = "cancel"
    DUE = "due"
    ACCESS = "access"
    READERS = "readers"
    """Who reads these?"""
    READ = "read"
    """These are read here."""


SIGNED = frozenset({Verb.EVENTS, Verb.READ})
"""Before the ids of the runs stands that of the process which tells it."""
