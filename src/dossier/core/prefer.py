"""`Prefer: wait=N` (RFC 7240): hold the answer until the job is done, or N seconds.

The wait begins after the request's transaction has been committed and holds no
pooled connection: one listening connection serves all waits of the process.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from typing import Any, Protocol
from uuid import UUID

from fastapi import Request, Response, status
from fastapi.routing import APIRoute
from starlette.types import Receive, Scope, Send
from typing_extensions import override

from dossier.core.listening import Listener

MAX_WAIT_S = 60
APPLIED = "Preference-Applied"
_WAIT = re.compile(r"\bwait\s*=\s*\"?(\d{1,6})\"?", re.IGNORECASE)
_ASYNC = re.compile(r"\brespond-async\b", re.IGNORECASE)
_JOB = re.compile(r"/jobs/([0-9a-f-]{36})$")


class JobAnswer(Protocol):
    """Answers for a job that has come to its end; `main.py` sets it."""

    async def __call__(self, request: Request, job_id: UUID, /) -> Response | None:
        """Return the finished job, its problem if it failed, `None` if it runs."""
        ...


class JobWaiter:
    """Waits for ends of jobs that are announced on one channel."""

    def __init__(self, url: str, channel: str) -> None:
        self._channel = channel
        self._listener = Listener(url, on_return=self._wake_all)
        self._waits: dict[str, set[asyncio.Event]] = {}
        self._opening = asyncio.Lock()
        self._is_open = False

    async def wait(
        self,
        job_id: UUID,
        timeout_s: float,
        look: Callable[[], Awaitable[Response | None]],
    ) -> Response | None:
        """Look, and look again at each announcement, until there is an answer."""
        event = asyncio.Event()
        waits = self._waits.setdefault(str(job_id), set())
        waits.add(event)
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(timeout_s):
                    return await self._until_seen(event, look)
            return None
        finally:
            waits.discard(event)
            if not waits:
                self._waits.pop(str(job_id), None)

    async def close(self) -> None:
        """Give the listening connection back."""
        await self._listener.close()

    async def _until_seen(
        self, event: asyncio.Event, look: Callable[[], Awaitable[Response | None]]
    ) -> Response:
        await self._open()
        while True:
            event.clear()
            # Only after listening: an end in between would be missed.
            answer = await look()
            if answer is not None:
                return answer
            await event.wait()

    async def _open(self) -> None:
        async with self._opening:
            if not self._is_open:
                await self._listener.add(self._channel, self._wake)
                self._is_open = True

    def _wake(self, payload: str) -> None:
        for event in self._waits.get(payload, ()):
            event.set()

    def _wake_all(self) -> None:
        for waits in self._waits.values():
            for event in waits:
                event.set()


def wait_of(prefer: str) -> int | None:
    """Return the seconds that a `Prefer` field asks to wait, `None` for none."""
    if _ASYNC.search(prefer):
        return None
    found = _WAIT.search(prefer)
    return min(int(found[1]), MAX_WAIT_S) if found else None


def applied_of(prefer: str | None) -> str | None:
    """Return what `Preference-Applied` says of a `Prefer` field that is followed."""
    if prefer is None:
        return None
    if _ASYNC.search(prefer):
        return "respond-async"
    wait_s = wait_of(prefer)
    return None if wait_s is None else f"wait={wait_s}"


class PreferRoute(APIRoute):
    """A route whose 202 waits for its job when the client prefers so."""

    @override
    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handler = super().get_route_handler()

        async def handle(request: Request) -> Response:
            response = await handler(request)
            prefer = ",".join(request.headers.getlist("prefer"))
            if not prefer or response.status_code != status.HTTP_202_ACCEPTED:
                return response
            return _preferred(request, response, prefer)

        return handle


def _preferred(request: Request, response: Response, prefer: str) -> Response:
    job = _JOB.search(response.headers.get("location", ""))
    wait_s = wait_of(prefer)
    if job is None or wait_s is None:
        if _ASYNC.search(prefer):
            response.headers[APPLIED] = "respond-async"
        return response
    return WaitingResponse(request, response, UUID(job[1]), wait_s)


class WaitingResponse(Response):
    """Sends the job's end if it comes in time, else the 202 that it wraps.

    FastAPI calls a response after the function-scoped dependencies have ended, which
    is after the commit; the route's handler would still be inside the transaction.
    """

    def __init__(
        self, request: Request, pending: Response, job_id: UUID, wait_s: int
    ) -> None:
        super().__init__(status_code=pending.status_code)
        self._request = request
        self._pending = pending
        self._job_id = job_id
        self._wait_s = wait_s

    @override
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        state = self._request.app.state
        waiter: JobWaiter = state.job_waiter
        answer_for: JobAnswer = state.job_answer
        answer = await waiter.wait(
            self._job_id,
            self._wait_s,
            lambda: answer_for(self._request, self._job_id),
        )
        response = answer or self._pending
        if answer is not None:
            answer.headers["location"] = self._pending.headers["location"]
        response.headers[APPLIED] = f"wait={self._wait_s}"
        await response(scope, receive, send)
