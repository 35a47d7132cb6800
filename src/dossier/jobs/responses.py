"""A job over HTTP: its events as a resumable stream, and its end for a waiting call."""

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from typing import Annotated, Any, NamedTuple
from uuid import UUID

import orjson
from fastapi import Depends, Header, Query, Request
from fastapi.responses import JSONResponse
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from typing_extensions import override

from dossier.core.database import tenant_transaction
from dossier.core.errors import Fault
from dossier.core.prefer import APPLIED, applied_of
from dossier.core.problems import MEDIA_TYPE
from dossier.core.reconnect import retry_until_connected
from dossier.core.web import get_actor, get_sessions
from dossier.jobs.constants import FINISHED
from dossier.jobs.event_log import MAX_SEQUENCE_NUMBER
from dossier.jobs.exceptions import StreamPositionInvalidError
from dossier.jobs.follower import JobFollower, Subscriber
from dossier.jobs.models import Job
from dossier.jobs.schemas import JobResponse
from dossier.jobs.service import JobsService

logger = logging.getLogger(__name__)

RETRY_MS = 1000
"""Pause of a client before it reconnects after its stream was cut."""
LAST_EVENT_ID = "Last-Event-ID"
STARTING_AFTER = "starting_after"
_NUMBER = re.compile(r"\d{1,19}", re.ASCII)
_HEADERS = {
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-cache, no-transform",
    "x-accel-buffering": "no",
}
_FIRST = b"retry: %d\n\n" % RETRY_MS
_KEEP_ALIVE = b": keep-alive\n\n"

MayFollow = Callable[[], Awaitable[bool]]
"""Returns whether the client still has the right to the job's events."""


class LogPosition(NamedTuple):
    """The number of an event, and the name of the parameter that gave it."""

    number: int = 0
    given_as: str = STARTING_AFTER


BEGINNING = LogPosition()


async def get_starting_after(
    last_event_id: Annotated[
        str | None, Header(description="Sent by browsers that reconnect.")
    ] = None,
    starting_after: Annotated[
        str | None, Query(description="The number of the last event seen.")
    ] = None,
) -> LogPosition:
    """Return where a stream goes on; the larger of header and query counts.

    A browser repeats the query of the first request when it reconnects, so that its
    header is the newer one.
    """
    return max(
        _position(last_event_id, LAST_EVENT_ID),
        _position(starting_after, STARTING_AFTER),
    )


StartingAfter = Annotated[LogPosition, Depends(get_starting_after)]


class AwaitedResponse(Response):
    """Sends what `respond` returns, once it does; stops when the client is gone.

    FastAPI calls it after the request's transaction, so that a wait holds none.
    """

    def __init__(
        self,
        request: Request,
        location: str,
        respond: Callable[[], Coroutine[Any, Any, Response]],
    ) -> None:
        super().__init__()
        self._prefer = request.headers.get("prefer")
        self._location = location
        self._respond = respond

    @override
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def disconnected() -> None:
            while (await receive())["type"] != "http.disconnect":
                pass

        waiting = asyncio.ensure_future(self._respond())
        watching = asyncio.ensure_future(disconnected())
        try:
            await asyncio.wait({waiting, watching}, return_when=asyncio.FIRST_COMPLETED)
            if not waiting.done():
                return  # the client is gone
            response = await waiting
        finally:
            waiting.cancel()
            watching.cancel()
            await asyncio.wait({waiting, watching})
        applied = applied_of(self._prefer)
        if applied is not None:
            response.headers[APPLIED] = applied
        response.headers["Location"] = self._location
        await response(scope, receive, send)


def problem_of_run(job: Job, path: str) -> Response:
    """Return the problem that a run ended in, as the answer to who waited for it."""
    problem = {**(job.error or {"status": 500}), "instance": path}
    headers = {"Cache-Control": "no-store"}
    if "retry_after" in problem:
        headers["Retry-After"] = str(problem["retry_after"])
    return JSONResponse(problem, problem["status"], headers, media_type=MEDIA_TYPE)


def event_stream(
    follower: JobFollower,
    job: Job,
    starting_after: LogPosition = BEGINNING,
    *,
    may_follow: MayFollow,
) -> Response:
    """Answer with a job's events after a number; 204 where nothing more will come.

    `may_follow` is called again whenever rights to the job may have changed, and every
    15 seconds: not every change is notified.
    Raises `StreamPositionInvalidError` for a number that no event has, here or, where
    the job is under way, when the response is sent.
    """
    if job.state in FINISHED:
        _refuse_beyond(starting_after, job.last_seq)
        if starting_after.number == job.last_seq or job.log_pruned_at is not None:
            return Response(status_code=204)
    return EventStream(follower, job, starting_after, may_follow)


class EventStream(Response):
    """Server-sent events of one job.

    FastAPI calls it after the request's transaction. It sends what came together in one
    piece, and holds neither a database connection nor a backlog for a slow client.
    """

    def __init__(
        self,
        follower: JobFollower,
        job: Job,
        starting_after: LogPosition,
        may_follow: MayFollow,
    ) -> None:
        super().__init__(status_code=200, headers=_HEADERS)
        del self.headers["content-length"]
        self._follower = follower
        self._org_id, self._job_id = job.org_id, job.id
        self._cancels = job.on_disconnect == "cancel"
        self._starting_after = starting_after
        self._may_follow = may_follow
        self._has_left = False
        self._is_refused = False
        # Cleared while a change of rights that was notified is being checked.
        self._may_send = asyncio.Event()
        self._may_send.set()

    @override
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Stream until the job's end, or until the client is gone."""
        if self._starting_after.number:
            last = await self._follower.last_number(self._org_id, self._job_id)
            _refuse_beyond(self._starting_after, last)
        await send(
            {
                "type": "http.response.start",
                "status": self.status_code,
                "headers": self.raw_headers,
            }
        )
        with self._follower.following(
            self._org_id,
            self._job_id,
            self._starting_after.number,
            cancels=self._cancels,
        ) as subscriber:
            watches = [
                asyncio.create_task(each)
                for each in (
                    self._watch_client(receive, subscriber),
                    self._watch_rights(subscriber),
                )
            ]
            try:
                await self._stream(subscriber, send)
            finally:
                for watch in watches:
                    watch.cancel()
        if not self._has_left:
            await send({"type": "http.response.body", "body": b""})

    def _is_open(self) -> bool:
        return self._follower.is_open and not (self._has_left or self._is_refused)

    async def _stream(self, subscriber: Subscriber, send: Send) -> None:
        clock = asyncio.get_running_loop().time
        sent_s = clock()
        await _send(send, _FIRST)
        while self._is_open():
            due_s = sent_s + self._follower.keep_alive_s
            events = await subscriber.next(max(0.0, due_s - clock()))
            await self._may_send.wait()
            if not self._is_open():
                return
            if events:
                frames = [
                    b"id: %d\nevent: %b\ndata: %b\n\n"
                    % (
                        event.sequence_number,
                        event.type.encode(),
                        orjson.dumps(event.data),
                    )
                    for event in events
                ]
                await _send(send, b"".join(frames))
                sent_s = clock()
            elif subscriber.has_ended:
                return
            elif clock() >= due_s:
                await _send(send, _KEEP_ALIVE)
                sent_s = clock()

    async def _watch_client(self, receive: Receive, subscriber: Subscriber) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        self._has_left = True
        self._may_send.set()
        subscriber.wake()

    async def _watch_rights(self, subscriber: Subscriber) -> None:
        """Check rights when a change is notified and from time to time.

        Events are held up only while a notified change is checked. The stream ends when
        the right is lost, or when it is not known for as long as between two checks.
        """
        recheck_s = self._follower.recheck_s
        while not self._is_refused:
            with suppress(TimeoutError):
                async with asyncio.timeout(recheck_s):
                    await subscriber.access_changed.wait()
            if subscriber.access_changed.is_set():
                subscriber.access_changed.clear()
                self._may_send.clear()
            try:
                async with asyncio.timeout(recheck_s):
                    may_follow = await retry_until_connected(
                        self._may_follow, lambda: not self._is_open()
                    )
            except TimeoutError:
                may_follow = False
            except Exception:
                logger.exception("jobs.stream.rights_unknown")
                may_follow = False
            self._is_refused = not may_follow
            self._may_send.set()
        subscriber.wake()


async def _send(send: Send, body: bytes) -> None:
    await send({"type": "http.response.body", "body": body, "more_body": True})


def _position(given: str | None, name: str) -> LogPosition:
    if given is None:
        return LogPosition()
    number = int(given) if _NUMBER.fullmatch(given) else MAX_SEQUENCE_NUMBER + 1
    if number > MAX_SEQUENCE_NUMBER:
        raise _invalid(name, "A position is the number of an event: 0, 1, 2, …")
    return LogPosition(number, name)


def _refuse_beyond(starting_after: LogPosition, last: int) -> None:
    if starting_after.number > last:
        raise _invalid(
            starting_after.given_as, "No event of this run has such a number yet."
        )


def _invalid(name: str, detail: str) -> StreamPositionInvalidError:
    fault = Fault(name, detail, "position_invalid")
    return StreamPositionInvalidError(detail, faults=(fault,))


async def answer_for_job(
    request: Request, job_id: UUID, wait_s: float
) -> Response | None:
    """Answer a creating call that waits; satisfies `JobAnswer` of `core/prefer.py`."""
    actor = await get_actor(request)
    follower: JobFollower = request.app.state.job_follower
    if not await follower.wait(actor.org_id, job_id, wait_s):
        return None
    sessions = await get_sessions(request)
    async with tenant_transaction(sessions, actor.org_id) as session:
        job = await JobsService(session, actor).get_job(job_id)
    if job.error is not None:
        return JSONResponse(job.error, job.error["status"], media_type=MEDIA_TYPE)
    return JSONResponse(JobResponse.model_validate(job).model_dump(mode="json"))
