"""The registry of kinds; each kind is one module beside this one."""

from dossier.jobs.constants import JobGroup
from dossier.jobs.kinds import declare
from dossier.jobs.types import JobKind
from dossier.workflows.constants import JOB_PREFIX, MAX_FAILURES, MAX_RUN_S
from dossier.workflows.events import append_error
from dossier.workflows.exceptions import WorkflowKindUnknownError
from dossier.workflows.types import WorkflowKind

KINDS: dict[str, WorkflowKind] = {}


def register(kind: WorkflowKind) -> WorkflowKind:
    """Add a kind, and the kind of job that runs it."""
    declare(
        JobKind(
            JOB_PREFIX + kind.name,
            group=JobGroup.WORKFLOWS,
            listed=False,
            streams=True,
            max_failures=MAX_FAILURES,
            max_duration_s=MAX_RUN_S,
            on_end=append_error,
        )
    )
    KINDS[kind.name] = kind
    return kind


def workflow_kind(name: str) -> WorkflowKind:
    """Return a kind, or raise `WorkflowKindUnknownError`."""
    try:
        return KINDS[name]
    except KeyError:
        known = ", ".join(sorted(KINDS))
        detail = f"{name!r} is no kind of workflow; known: {known}."
        raise WorkflowKindUnknownError(detail) from None
