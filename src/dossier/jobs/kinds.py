"""The kinds of job that exist.

Each domain declares its own when its service module is imported; `api.py` imports all
of them, so that a web process and a worker know the same kinds.
"""

from dossier.jobs.constants import JobGroup
from dossier.jobs.exceptions import TaskUnknownError
from dossier.jobs.models import Job
from dossier.jobs.types import JobKind

_KINDS: dict[str, JobKind] = {}


def declare(kind: JobKind) -> JobKind:
    """Add a kind; two of one name are a mistake."""
    if kind.name in _KINDS:
        message = f"the job kind {kind.name!r} is declared twice"
        raise ValueError(message)
    _KINDS[kind.name] = kind
    return kind


def kind_of(name: str) -> JobKind:
    """Return a kind by its name, or raise `TaskUnknownError`."""
    try:
        return _KINDS[name]
    except KeyError:
        raise TaskUnknownError(name) from None


def kind_of_job(job: Job) -> JobKind:
    """Return a stored job's kind; one that is gone by now is an ordinary listed one."""
    return _KINDS.get(job.kind) or JobKind(job.kind)


def is_listed(name: str) -> bool:
    """Return whether `/jobs` shows jobs of this name."""
    return name not in _KINDS or _KINDS[name].listed


def unlisted_names() -> list[str]:
    """Return the names that `/jobs` does not show."""
    return sorted(name for name, kind in _KINDS.items() if not kind.listed)


def names_in(group: JobGroup) -> list[str]:
    """Return the names of one group."""
    return sorted(name for name, kind in _KINDS.items() if kind.group is group)
