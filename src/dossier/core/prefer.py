"""`Prefer: wait=N` (RFC 7240): delay the response until the job ends, N s at most.

The wait begins after the request's transaction has been committed and holds no
connection: the follower of `jobs` serves all waits and streams of the process.
"""

import re
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any
from uuid import UUID

from fastapi import Request, Response, status
from fastapi.routing import APIRoute
from starlette.types import Receive, Scope, Send
from typing_extensions import override

MAX_PREFERRED_WAIT_S = 60
APPLIED = "Preference-Applied"
PREFER = "`respond-async` answers at once, `wait=N` after N s."
"""Describes the request's header in the OpenAPI document."""
_WAIT = re.compile(r"\bwait\s*=\s*\"?(\d{1,6})\"?", re.IGNORECASE)
_ASYNC = re.compile(r"\brespond-async\b", re.IGNORECASE)
_JOB = re.compile(r"/jobs/([0-9a-f-]{36})$")


JobAnswer = Callable[[Request, UUID, float], Awaitable[Response | None]]
"""Waits for a job for so many seconds; returns the finished job, its problem if it
failed, or `None` while it is still to be done. `main.py` sets it on `app.state`."""


def wait_of(prefer: str) -> int | None:
    """Return the seconds that a `Prefer` field asks to wait, `None` for none."""
    if _ASYNC.search(prefer):
        return None
    found = _WAIT.search(prefer)
    return min(int(found[1]), MAX_PREFERRED_WAIT_S) if found else None


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
            job = _JOB.search(response.headers.get("location", ""))
            wait_s = wait_of(prefer)
            if job is not None and wait_s is not None:
                return WaitingResponse(request, response, UUID(job[1]), wait_s)
            applied = applied_of(prefer)
            if applied is not None and wait_s is None:
                response.headers[APPLIED] = applied
            return response

        return handle


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
        answer_for: JobAnswer = self._request.app.state.job_answer
        answer = await answer_for(self._request, self._job_id, self._wait_s)
        response = answer or self._pending
        if answer is not None:
            answer.headers["location"] = self._pending.headers["location"]
        response.headers[APPLIED] = f"wait={self._wait_s}"
        await response(scope, receive, send)
