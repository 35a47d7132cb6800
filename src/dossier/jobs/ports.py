"""What a task is, and what it is given."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

from dossier.core.database import Session, SessionFactory
from dossier.core.tenancy import Actor


class TaskContext(Protocol):
    """One run of one job, as its task sees it."""

    @property
    def sessions(self) -> SessionFactory:
        """Opens the task's own short transactions."""
        ...

    @property
    def org_id(self) -> UUID:
        """The organisation that the job belongs to."""
        ...

    @property
    def job_id(self) -> UUID:
        """The job's id."""
        ...

    @property
    def actor(self) -> Actor:
        """Who asked for the job."""
        ...

    async def progress(
        self,
        done: int,
        total: int | None = None,
        unit: str | None = None,
        message: str | None = None,
    ) -> None:
        """Say how far it is; going further forgives earlier failures.

        Raises the cancellation when somebody asked to stop. It opens a transaction of
        its own, so it is not called inside one.
        """
        ...

    async def finish(self, session: Session, result_path: str | None = None) -> None:
        """Write the receipt in the task's own last transaction.

        A job with a receipt is never run again. Raises `JobSupersededError`, which
        undoes the transaction, when another run has taken the job over.
        """
        ...


class OnFailure(Protocol):
    """What else ends when a job has failed for good."""

    async def __call__(
        self,
        session: Session,
        org_id: UUID,
        args: Mapping[str, Any],
        problem: Mapping[str, Any],
        /,
    ) -> None:
        """Write it, in the transaction that fails the job; `args` are as stored."""
        ...


@dataclass(frozen=True, slots=True)
class Task:
    """A registered task and how patient its jobs are.

    `run` takes the context, then the job's arguments by name; outside parts are bound
    to it beforehand (`functools.partial`).
    """

    run: Callable[..., Awaitable[None]]
    max_failures: int | None = None
    """Failures in a row without progress; `None` takes the setting."""
    on_failure: OnFailure | None = None
    """Also called where no run of the task saw the end, as with a lost worker."""


@dataclass(frozen=True, slots=True)
class Periodic:
    """A job that is enqueued by the clock, once for each organisation that is due."""

    kind: str
    cron: str
    """Five fields, or six with seconds last."""
    due: Callable[[Session], Awaitable[Sequence[UUID]]]
    """Names the organisations, in a transaction across them."""
