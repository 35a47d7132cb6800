"""Value objects of jobs: kinds, filters of a list, events, periodic jobs."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from dossier.core.database import Session
from dossier.jobs.constants import JobGroup, JobState
from dossier.jobs.models import Job

OnEnd = Callable[[Session, Job], Awaitable[None]]
"""Called in the transaction of every terminal change; see `JobKind.on_end`."""


@dataclass(frozen=True, slots=True)
class JobKind:
    """The name, group and options of a kind of job; see `kinds.declare`."""

    name: str
    """`domain.verb_object`, as in `reports.render`."""
    group: JobGroup = JobGroup.OTHER
    """Which of a worker's queues takes it."""
    listed: bool = True
    """False: absent from `/jobs`, where it is 404; its domain has its own routes."""
    streams: bool = False
    """Only jobs of these kinds write events."""
    max_failures: int | None = None
    """Failures in a row without progress before the job fails; `None`: the setting, and
    1 for a kind that streams, because text that was shown is not generated again."""
    max_duration_s: float | None = None
    """Of one attempt, for a kind that streams; `None`: the setting."""
    on_end: OnEnd | None = None
    """Runs in the transaction of every terminal change: the handler's own end, a
    failure, a cancel of a pending job, too many lost workers, the sweep. In a worker or
    a web process, after `job.state` and `job.error` are set, with the row locked.
    `job.last_seq` is 0 unless the handler's end has stored the last event already.
    It must be safe to call twice."""


@dataclass(frozen=True, slots=True)
class JobFilters:
    """Conditions of a list of jobs; `None` means any."""

    state: JobState | None = None
    kind: str | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None


@dataclass(frozen=True, slots=True)
class JobEvent:
    """One event of a job's log."""

    sequence_number: int
    """1, 2, 3 … without gaps."""
    type: str
    data: dict[str, Any]
    """As sent to readers: it repeats `type` and `sequence_number`."""


@dataclass(frozen=True, slots=True)
class Periodic:
    """A job that is enqueued by the clock, once for each organisation that is due."""

    kind: str
    cron: str
    """Five fields, or six with seconds last."""
    due: Callable[[Session], Awaitable[Sequence[UUID]]]
    """Names the organisations, in a transaction across them."""
