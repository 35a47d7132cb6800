"""Rate limiting in fixed windows, counted in this process.

A caller is a member whose token or API key was verified a moment ago, else an address:
an invented token gets no count of its own, and another key or log-in no new one.
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_address, ip_network

from starlette.types import Scope

from dossier.core.errors import RateLimitedError

MAX_COUNTERS = 50_000
PERIOD_S = 60
FREE_PATHS = frozenset({"/health", "/live", "/ready"})
"""Not counted: an orchestrator restarts a process whose probe is refused."""


@dataclass(slots=True)
class RateWindow:
    """The requests of one caller in a fixed window."""

    hits: int
    ends_at_s: float


class RateWindows:
    """The windows of all callers, `MAX_COUNTERS` at most."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._windows: dict[str, RateWindow] = {}

    def __len__(self) -> int:
        return len(self._windows)

    def hit(self, key: str) -> RateWindow:
        """Count one request, in the caller's window or a new one."""
        now_s = self._clock()
        window = self._windows.get(key)
        if window is None or window.ends_at_s <= now_s:
            if len(self._windows) >= MAX_COUNTERS:
                live = {k: v for k, v in self._windows.items() if v.ends_at_s > now_s}
                for oldest in list(live)[: max(0, len(live) - MAX_COUNTERS // 2)]:
                    del live[oldest]
                self._windows = live
            window = self._windows[key] = RateWindow(0, now_s + PERIOD_S)
        window.hits += 1
        return window


@dataclass(frozen=True, slots=True)
class RateState:
    """The count of one caller."""

    quota: int
    remaining: int
    reset_s: int
    reset_at_s: int
    is_allowed: bool

    def headers(self) -> list[tuple[bytes, bytes]]:
        """Return the structured fields, and the older `X-RateLimit-*` ones."""
        policy = f'"default";q={self.quota};w={PERIOD_S}'
        state = f'"default";r={self.remaining};t={self.reset_s}'
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
    """The quota of each caller; 0 switches it off."""

    def __init__(
        self, requests_per_minute: int, clock: Callable[[], float] = time.time
    ) -> None:
        self._clock = clock
        self._windows = RateWindows(clock)
        self._quota = requests_per_minute

    def check(self, path: str, caller: str) -> RateState | None:
        """Count a request; `None` where nothing is limited."""
        quota = self._quota
        if quota == 0 or path in FREE_PATHS:
            return None
        window = self._windows.hit(caller)
        return RateState(
            quota=quota,
            remaining=max(0, quota - window.hits),
            reset_s=max(1, math.ceil(window.ends_at_s - self._clock())),
            reset_at_s=math.ceil(window.ends_at_s),
            is_allowed=window.hits <= quota,
        )


class Proxies:
    """The proxies whose `X-Forwarded-For` is trusted."""

    def __init__(self, trusted: tuple[str, ...]) -> None:
        self._networks = [ip_network(entry, strict=False) for entry in trusted]

    def caller_address(self, scope: Scope) -> str:
        """Return the nearest address that is not one of our proxies."""
        peer = scope["client"][0] if scope.get("client") else "unknown"
        if not self._networks or not self._is_trusted(peer):
            return str(peer)
        fields = [v for name, v in scope["headers"] if name == b"x-forwarded-for"]
        hops = b",".join(fields).decode("latin-1").split(",")
        for hop in reversed([hop.strip() for hop in hops if hop.strip()]):
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
