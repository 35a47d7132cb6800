"""How often one caller may ask; counted in this process by the library `limits`.

A caller is an API key or a member whose credentials were verified a moment ago, else
an address: an invented token never gets a count of its own, and another log-in no new
one.
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_address, ip_network

from limits import RateLimitItem, RateLimitItemPerMinute
from limits.storage import Storage
from limits.strategies import FixedWindowRateLimiter
from starlette.types import Scope
from typing_extensions import override

from dossier.core.errors import RateLimitedError

MAX_COUNTERS = 50_000
PERIOD_S = 60
LOGIN_PATH = "/api/v1/auth/login"
FREE_PATHS = frozenset({"/health", "/live", "/ready"})
"""Probes are free: a busy orchestrator must never be told to come back later."""


class _PerMinute(RateLimitItemPerMinute):
    """A quota whose keys are made quickly: the library's own take 4 of 11 µs."""

    @override
    def key_for(self, *identifiers: bytes | str | float) -> str:
        return f"{self.namespace}/{identifiers[0]!s}"


class MemoryCounters(Storage):
    """Counters in a dictionary that is bounded and needs no thread.

    The library's own in-memory storage starts a thread to sweep all keys up to a
    hundred times a second.
    """

    STORAGE_SCHEME = ["dossier-memory"]  # noqa: RUF012 - the library's own declaration

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        super().__init__()
        self._clock = clock
        self._counters: dict[str, list[float]] = {}

    @property
    @override
    def base_exceptions(self) -> type[Exception]:
        return ValueError

    @override
    def incr(self, key: str, expiry: float, amount: int = 1) -> int:
        now_s = self._clock()
        counter = self._counters.get(key)
        if counter is None or counter[1] <= now_s:
            self._make_room(now_s)
            counter = self._counters[key] = [0, now_s + expiry]
        counter[0] += amount
        return int(counter[0])

    @override
    def get(self, key: str) -> int:
        counter = self._counters.get(key)
        return 0 if counter is None or counter[1] <= self._clock() else int(counter[0])

    @override
    def get_expiry(self, key: str) -> float:
        counter = self._counters.get(key)
        return self._clock() if counter is None else counter[1]

    @override
    def check(self) -> bool:
        return True

    @override
    def reset(self) -> int:
        count = len(self._counters)
        self._counters.clear()
        return count

    @override
    def clear(self, key: str) -> None:
        self._counters.pop(key, None)

    def _make_room(self, now_s: float) -> None:
        if len(self._counters) < MAX_COUNTERS:
            return
        live = {k: v for k, v in self._counters.items() if v[1] > now_s}
        oldest = list(live)[: max(0, len(live) - MAX_COUNTERS // 2)]
        for key in oldest:
            del live[key]
        self._counters = live


@dataclass(frozen=True, slots=True)
class RateState:
    """Where a caller stands in one policy."""

    policy: str
    quota: int
    remaining: int
    reset_s: int
    reset_at_s: int
    is_allowed: bool

    def headers(self) -> list[tuple[bytes, bytes]]:
        """Return the structured fields, and the older ones that clients know."""
        policy = f'"{self.policy}";q={self.quota};w={PERIOD_S}'
        state = f'"{self.policy}";r={self.remaining};t={self.reset_s}'
        return [
            (b"ratelimit-policy", policy.encode()),
            (b"ratelimit", state.encode()),
            (b"x-ratelimit-limit", b"%d" % self.quota),
            (b"x-ratelimit-remaining", b"%d" % self.remaining),
            (b"x-ratelimit-reset", b"%d" % self.reset_at_s),
        ]

    def refusal(self) -> RateLimitedError:
        """Return the error that says when to come back."""
        detail = f"{self.quota} requests in {PERIOD_S} seconds are allowed here."
        return RateLimitedError(detail, retry_after_s=self.reset_s)


class RateLimiter:
    """The policies: one for log-in attempts, one for everything else."""

    def __init__(
        self,
        *,
        requests_per_minute: int,
        logins_per_minute: int,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._clock = clock
        self._counters = MemoryCounters(clock)
        self._limiter = FixedWindowRateLimiter(self._counters)
        self._default = _policy(requests_per_minute, "default")
        self._login = _policy(logins_per_minute, "login")

    def check(self, path: str, caller: str) -> RateState | None:
        """Count a request; `None` where nothing is limited."""
        item = self._login if path == LOGIN_PATH else self._default
        if item is None or path in FREE_PATHS:
            return None
        is_allowed = self._limiter.hit(item, caller)
        reset_at_s, remaining = self._limiter.get_window_stats(item, caller)
        return RateState(
            policy=item.namespace,
            quota=item.amount,
            remaining=remaining,
            reset_s=max(1, math.ceil(reset_at_s - self._clock())),
            reset_at_s=math.ceil(reset_at_s),
            is_allowed=is_allowed,
        )


def _policy(per_minute: int, name: str) -> RateLimitItem | None:
    if per_minute == 0:
        return None
    return _PerMinute(per_minute, namespace=name)


class Proxies:
    """The addresses whose word about the caller's address is believed."""

    def __init__(self, trusted: tuple[str, ...]) -> None:
        self._networks = [ip_network(entry, strict=False) for entry in trusted]

    def caller_address(self, scope: Scope) -> str:
        """Return the nearest address that is not one of our proxies."""
        peer = scope["client"][0] if scope.get("client") else "unknown"
        if not self._networks or not self._is_trusted(peer):
            return str(peer)
        for hop in reversed(_forwarded_for(scope)):
            peer = hop
            if not self._is_trusted(hop):
                break
        return str(peer)

    def _is_trusted(self, address: str) -> bool:
        try:
            parsed = ip_address(address)
        except ValueError:
            return False
        return any(parsed in network for network in self._networks)


def _forwarded_for(scope: Scope) -> list[str]:
    fields = [value for name, value in scope["headers"] if name == b"x-forwarded-for"]
    hops = b",".join(fields).decode("latin-1").split(",")
    return [hop.strip() for hop in hops if hop.strip()]
