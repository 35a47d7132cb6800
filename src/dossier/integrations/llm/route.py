"""From server to server: retries, rests and fallbacks of one call."""

import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from dossier.integrations.llm import faults
from dossier.integrations.llm.backoff import pause_s
from dossier.integrations.llm.breaker import Breaker
from dossier.integrations.llm.faults import AttemptFailedError
from dossier.integrations.llm.plan import CallLimits, ModelServer
from dossier.integrations.llm.timing import Timing

T = TypeVar("T")
_log = logging.getLogger(__name__)


class Breakers:
    """The breaker of each server, for all calls of one client."""

    def __init__(self, limits: CallLimits, timing: Timing) -> None:
        self._limits = limits
        self._timing = timing
        self._of: dict[str, Breaker] = {}

    def of(self, server: ModelServer) -> Breaker:
        """Return the breaker of a server."""
        found = self._of.get(server.base_url)
        if found is None:
            found = self._of[server.base_url] = Breaker(
                self._limits.breaker_failures,
                self._limits.breaker_reset_s,
                self._timing.monotonic,
            )
        return found


class Route:
    """Which server is asked next; the first failure is the one that is told."""

    def __init__(
        self,
        servers: Sequence[ModelServer],
        breakers: Breakers,
        limits: CallLimits,
        timing: Timing,
    ) -> None:
        self._servers = deque(servers)
        self._breakers = breakers
        self._max_attempts = limits.max_retries + 1
        self._timing = timing
        self._attempts = 0
        self._failures: list[AttemptFailedError] = []
        self._asked: Breaker | None = None
        self.is_done = False
        self.has_begun = False
        """A token was handed out: from now on every failure is final."""

    async def next(self) -> ModelServer:
        """Return the server to ask now; raises the first failure when none is left."""
        while self._servers:
            server = self._servers[0]
            if await self._may_ask(server):
                self._attempts += 1
                return server
            self._servers.popleft()
            self._attempts = 0
        raise self._failures[0]

    def fail(self, failed: AttemptFailedError) -> None:
        """Note a failure; raises it where nothing else may be tried."""
        self._failures.append(failed)
        if self._asked is not None:
            note = (
                self._asked.fail
                if failed.handling.blames_server
                else self._asked.succeed
            )
            note()
            self._asked = None
        if self.has_begun or failed.handling.is_final:
            raise failed
        _log.warning("a call to a model failed: %s", failed)

    def succeed(self) -> None:
        """Note that the answer is whole."""
        self.is_done = True
        if self._asked is not None:
            self._asked.succeed()
            self._asked = None

    def leave(self) -> None:
        """Give back the one try of a breaker that rested, if nothing came of it."""
        if self._asked is not None:
            self._asked.abandon()
            self._asked = None

    async def _may_ask(self, server: ModelServer) -> bool:
        if self._attempts and not await self._rests():
            return False
        breaker = self._breakers.of(server)
        if not breaker.admit():
            self._failures.append(faults.resting(server.label, breaker.wait_s()))
            return False
        self._asked = breaker
        return True

    async def _rests(self) -> bool:
        """Wait before the same server is asked again; false: it is not."""
        failed = self._failures[-1]
        if not failed.handling.is_retried or self._attempts >= self._max_attempts:
            return False
        asked_s = failed.handling.retry_after_s
        rest_s = pause_s(self._attempts, asked_s, self._timing.chance())
        if rest_s is None:
            return False
        await self._timing.sleep(rest_s)
        return True


async def routed(route: Route, ask: Callable[[ModelServer], Awaitable[T]]) -> T:
    """Ask one server after the other until one has answered."""
    try:
        while True:
            server = await route.next()
            try:
                answer = await ask(server)
            except AttemptFailedError as failed:
                route.fail(failed)
            else:
                route.succeed()
                return answer
    finally:
        route.leave()
