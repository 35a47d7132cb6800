"""One call under way."""

from dataclasses import dataclass

from aiohttp import web

from dossier.testing.model_server.calls import Call
from dossier.testing.model_server.script import Fault, FaultKind, Script
from dossier.testing.model_server.wires.wire import Wire


@dataclass(frozen=True, slots=True)
class Exchange:
    """One call under way."""

    request: web.Request
    call: Call
    script: Script
    fault: Fault | None
    wire: Wire

    def meets(self, *kinds: FaultKind) -> bool:
        """Tell whether the call meets one of these faults."""
        return self.fault is not None and self.fault.kind in kinds
