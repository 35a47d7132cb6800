"""What the use cases of runs need from the process that runs them."""

from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from dossier.runs.models import Run


@dataclass(frozen=True, slots=True)
class Holder:
    """A process that takes runs into hand, and for how long at a time."""

    id: UUID
    lease_s: float


class Launcher(Protocol):
    """Takes new runs into hand."""

    @property
    def holder(self) -> Holder:
        """The process, as runs name it."""
        ...

    def adopt(self, run: Run) -> None:
        """Begin a run that was created in this process's hand, after the commit."""
        ...
