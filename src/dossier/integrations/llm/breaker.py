"""A circuit breaker: a server that keeps failing is not called for a while."""

from collections.abc import Callable


class Breaker:
    """Opens after failures in a row; half-open, it lets one call through."""

    def __init__(
        self, failures: int, reset_s: float, monotonic: Callable[[], float]
    ) -> None:
        self._limit = failures
        self._reset_s = reset_s
        self._monotonic = monotonic
        self._failures = 0
        self._opened_at_s: float | None = None
        self._is_probing = False

    def admit(self) -> bool:
        """Return whether a call may be made; after the wait, only one at a time."""
        if self._opened_at_s is None:
            return True
        if self._is_probing or self.wait_s() > 0:
            return False
        self._is_probing = True
        return True

    @property
    def is_probing(self) -> bool:
        """Return whether the one call of the half-open state is under way."""
        return self._is_probing

    def wait_s(self) -> float:
        """Return how long the breaker stays open; 0 when it is not."""
        if self._opened_at_s is None:
            return 0
        return max(0, self._opened_at_s + self._reset_s - self._monotonic())

    def succeed(self) -> None:
        """Note that the server works."""
        self._failures = 0
        self._opened_at_s = None
        self._is_probing = False

    def fail(self) -> None:
        """Note a failure of the server's own making."""
        self._failures += 1
        if self._is_probing or self._failures >= self._limit:
            self._opened_at_s = self._monotonic()
        self._is_probing = False

    def abandon(self) -> None:
        """Note that a call ended without a sign of whether the server works."""
        self._is_probing = False
