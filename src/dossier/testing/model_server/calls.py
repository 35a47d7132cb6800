"""What was asked of the server and how it ended; tests count by it."""

import time
from collections import Counter, defaultdict, deque
from dataclasses import dataclass, field

from dossier.testing.model_server.conversation import Json

KEPT = 100
"""Calls whose bodies are kept."""
COMPLETED = "completed"
DISCONNECTED = "disconnected"


@dataclass(slots=True)
class Call:
    """One request and what became of it."""

    number: int
    route: str
    body: Json
    outcome: str = "open"
    tokens_sent: int = 0
    began_s: float = field(default_factory=time.monotonic)
    first_token_s: float | None = None
    """By the machine's own clock, which its other processes read as well."""
    key: str | None = None
    """The credential that came with it, so that a test can tell two apart."""

    def shown(self) -> Json:
        """Return the call as `GET /_calls` tells it."""
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
    """Counts of calls by route and outcome, and the last ones whole."""

    last: deque[Call] = field(default_factory=lambda: deque(maxlen=KEPT))
    by_route: defaultdict[str, Counter[str]] = field(
        default_factory=lambda: defaultdict(Counter)
    )
    tokens_sent: int = 0
    open: int = 0
    begun: int = 0

    def begin(self, route: str, body: Json, key: str | None = None) -> Call:
        """Note a call that has come."""
        self.begun += 1
        call = Call(self.begun, route, body, key=key)
        self.last.append(call)
        self.open += 1
        return call

    def end(self, call: Call, outcome: str) -> None:
        """Note how a call ended; the first word counts."""
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

    def shown(self) -> Json:
        """Return all counts as `GET /_calls` tells them."""
        return {
            "total": self.begun,
            "open": self.open,
            "disconnected": self.count(outcome=DISCONNECTED),
            "tokens_sent": self.tokens_sent,
            "routes": {name: dict(counts) for name, counts in self.by_route.items()},
            "last": [call.shown() for call in self.last],
        }
