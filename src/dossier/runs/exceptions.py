"""What can go wrong with runs."""

from dossier.core.errors import (
    AppError,
    ConflictError,
    NotFoundError,
    UnavailableError,
)
from dossier.jobs.exceptions import StreamPositionInvalidError

__all__ = [
    "RunAbandonedError",
    "RunNotFoundError",
    "RunSupersededError",
    "RunTookTooLongError",
    "RunUnfinishedError",
    "StreamPositionInvalidError",
]


class RunNotFoundError(NotFoundError):
    """No such run in this organisation."""

    title = "Run not found"


class RunSupersededError(ConflictError):
    """Another process has taken the run over; what this one did is undone."""

    title = "The run was taken over by another process"


class RunTookTooLongError(UnavailableError):
    """The run did not come to its end in the time that a run may take."""

    title = "The run took too long"


class RunAbandonedError(AppError):
    """The process ended, again and again, while it worked on this run."""

    status = 500
    title = "The run's process was lost"


class RunUnfinishedError(AppError):
    """The executor returned, or gave up, without an end of the run."""

    status = 500
    title = "The run came to no end"
