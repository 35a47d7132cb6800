"""Errors of workflows."""

from datetime import datetime
from typing import Any, ClassVar

from dossier.core.errors import ConflictError, NotFoundError


class WorkflowKindUnknownError(NotFoundError):
    """No workflow of this kind."""

    title: ClassVar[str] = "Unknown kind of workflow"


class WorkflowNotFoundError(NotFoundError):
    """No such run in this organisation."""

    title: ClassVar[str] = "Workflow not found"


class WorkflowStepUnknownError(NotFoundError):
    """The run has no finished step of this name."""

    title: ClassVar[str] = "Unknown step"


class WorkflowNotFinishedError(ConflictError):
    """The run has no result, or is still under way."""

    title: ClassVar[str] = "The workflow has not finished"


class WorkflowNotWaitingError(ConflictError):
    """The run does not wait for anybody's decision."""

    title: ClassVar[str] = "The workflow does not wait"


class WorkflowRejectedError(ConflictError):
    """A person rejected what the run proposed."""

    title: ClassVar[str] = "Rejected"


class RunBudgetReachedError(Exception):
    """The next step would exceed the run's budget; the kind ends with what there is."""


class RunSuspended(Exception):  # noqa: N818 - no error: the attempt ends, the run waits
    """The run waits: for a person's decision, or until an instant."""

    def __init__(
        self, waiting_for: dict[str, Any] | None, until: datetime | None = None
    ) -> None:
        super().__init__(waiting_for)
        self.waiting_for = waiting_for
        self.until = until
