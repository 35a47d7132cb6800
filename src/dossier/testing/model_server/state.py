"""What a running server remembers."""

from dataclasses import dataclass, field
from typing import Self

from dossier.testing.model_server.calls import Calls
from dossier.testing.model_server.script import PendingFaults, Script


@dataclass(slots=True)
class State:
    """The script in force, its faults that are still to come, and the counts."""

    first: Script
    script: Script
    pending: PendingFaults
    calls: Calls = field(default_factory=Calls)

    @classmethod
    def of(cls, script: Script) -> Self:
        """Start with a script."""
        return cls(script, script, PendingFaults.of(script))

    def play(self, script: Script) -> None:
        """Put another script in force; its faults start anew."""
        self.script = script
        self.pending = PendingFaults.of(script)

    def reset(self) -> None:
        """Forget all calls and go back to the first script."""
        self.calls = Calls()
        self.play(self.first)
