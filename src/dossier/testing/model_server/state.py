"""The state of a running server: its script, its pending faults, its calls."""

import time
from collections import Counter, defaultdict, deque
from dataclasses import dataclass, field
from typing import Self

from dossier.testing.model_server.conversation import JsonObject
from dossier.testing.model_server.script import PendingFaults, Script

KEPT = 100
"""Number of last calls that are kept with their bodies."""
CALL_COMPLETED = "completed"
DISCONNECTED = "disconnected"


@dataclass(slots=True)
class RecordedCall:
    """One request and its outcome."""

    number: int
    route: str
    body: JsonObject
    outcome: str = "open"
    tokens_sent: int = 0
    began_s: float = field(default_factory=time.monotonic)
    first_token_s: float | None = None
    """By the machine's monotonic clock, which all its processes share."""
    key: str | None = None
    """The credential of the request."""

    def shown(self) -> JsonObject:
        """Return the call as `GET /_calls` shows it."""
        return {
            "number": self.number,
            "route": self.route,
            "outcome": self.outcome,
            "tokens_sent": self.tokens_sent,
            "began_s": self.began_s,
            "first_token_s": self.first_token_s,
            "body": self.body,
        }


@dataclass(slots=True)
class Calls:
    """Counts of calls by route and outcome, and the last calls."""

    last: deque[RecordedCall] = field(default_factory=lambda: deque(maxlen=KEPT))
    by_route: defaultdict[str, Counter[str]] = field(
        default_factory=lambda: defaultdict(Counter)
    )
    tokens_sent: int = 0
    open: int = 0
    begun: int = 0

    def begin(
        self, route: str, body: JsonObject, key: str | None = None
    ) -> RecordedCall:
        """Record the beginning of a call."""
        self.begun += 1
        call = RecordedCall(self.begun, route, body, key=key)
        self.last.append(call)
        self.open += 1
        return call

    def end(self, call: RecordedCall, outcome: str) -> None:
        """Record the outcome of a call; only the first one counts."""
        if call.outcome != "open":
            return
        call.outcome = outcome
        self.open -= 1
        self.by_route[call.route][outcome] += 1
        self.tokens_sent += call.tokens_sent

    def count(self, route: str | None = None, outcome: str | None = None) -> int:
        """Return how many calls have ended, of a route or an outcome if given."""
        return sum(
            number
            for name, outcomes in self.by_route.items()
            for ended, number in outcomes.items()
            if route in (None, name) and outcome in (None, ended)
        )

    def shown(self) -> JsonObject:
        """Return all counts as `GET /_calls` shows them."""
        return {
            "total": self.begun,
            "open": self.open,
            "disconnected": self.count(outcome=DISCONNECTED),
            "tokens_sent": self.tokens_sent,
            "routes": {name: dict(counts) for name, counts in self.by_route.items()},
            "last": [call.shown() for call in self.last],
        }


@dataclass(slots=True)
class ServerState:
    """The script in force, its pending faults, and the calls."""

    first: Script
    script: Script
    pending: PendingFaults
    calls: Calls = field(default_factory=Calls)

    @classmethod
    def of(cls, script: Script) -> Self:
        """Start with a script."""
        return cls(script, script, PendingFaults.of(script))

    def play(self, script: Script) -> None:
        """Put another script in force, with all of its faults."""
        self.script = script
        self.pending = PendingFaults.of(script)

    def reset(self) -> None:
        """Delete all calls and put the first script in force."""
        self.calls = Calls()
        self.play(self.first)
