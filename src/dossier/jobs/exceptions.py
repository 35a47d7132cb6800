"""Errors of jobs."""

from dossier.core.errors import (
    AppError,
    ConflictError,
    InvalidError,
    NotFoundError,
    UnavailableError,
)


class JobNotFoundError(NotFoundError):
    """No such job in this organisation."""

    title = "Job not found"


class JobStateError(ConflictError):
    """The job's present state does not allow it."""

    title = "Not in this state of the job"


class JobAlreadyQueuedError(ConflictError):
    """Another job with the same deduplication key is still to be done."""

    title = "The same job is already queued"


class JobSupersededError(ConflictError):
    """Another attempt has the job, or it was deleted; nothing is written."""

    title = "The job was taken over by another attempt"


class WorkerLostError(AppError):
    """The worker ended, again and again, while it ran this job."""

    status = 500
    title = "The worker was lost"


class TaskUnknownError(AppError):
    """No task of this name is registered, or its arguments do not fit."""

    status = 500
    title = "The job names no known task"


class JobTookTooLongError(UnavailableError):
    """The job did not end in the time that one of its kind may take."""

    title = "The job took too long"


class StreamPositionInvalidError(InvalidError):
    """The event stream cannot be resumed from there."""

    title = "No such position in the stream"
