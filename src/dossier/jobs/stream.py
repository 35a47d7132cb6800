"""A job's events over HTTP: server-sent events that resume where they were cut."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Annotated, Self

import orjson
from fastapi import Depends, Header, Query
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from typing_extensions import override

from dossier.core.errors import Fault
from dossier.core.reconnect import retry_until_connected
from dossier.jobs.constants import FINISHED
from dossier.jobs.event_log import MAX_SEQUENCE_NUMBER
from dossier.jobs.exceptions import StreamPositionInvalidError
from dossier.jobs.follower import JobFollower, Reader
from dossier.jobs.models import Job
from dossier.jobs.types import JobEvent

RETRY_MS = 1000
"""How soon a client comes back when its stream was cut."""
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
"""Tells whether the reader still has the right to the job's events."""


class Position(int):
    """The number of an event, and the name of the parameter that gave it."""

    given_as: str = STARTING_AFTER

    @classmethod
    def named(cls, number: int, name: str) -> Self:
        """Return a number that a parameter gave."""
        position = cls(number)
        position.given_as = name
        return position


async def get_starting_after(
    last_event_id: Annotated[
        str | None, Header(description="Sent by browsers that reconnect.")
    ] = None,
    starting_after: Annotated[
        str | None, Query(description="The number of the last event seen.")
    ] = None,
) -> int:
    """Return where a stream goes on; the larger of header and query counts.

    A browser repeats the query of the first request when it reconnects, so that its
    header is the newer one.
    """
    return max(
        _position(last_event_id, LAST_EVENT_ID),
        _position(starting_after, STARTING_AFTER),
    )


StartingAfter = Annotated[int, Depends(get_starting_after)]


def event_stream(
    follower: JobFollower,
    job: Job,
    starting_after: int = 0,
    *,
    may_follow: MayFollow | None = None,
) -> Response:
    """Answer with a job's events after a number; 204 where nothing more will come.

    `may_follow` is asked again whenever rights to the job may have changed, and as
    often as a quiet stream says that it is alive: not every change is notified.
    Raises `StreamPositionInvalidError` for a number that no event has, here or, where
    the job is under way, when the response is sent.
    """
    if job.state in FINISHED:
        _refuse_beyond(starting_after, job.last_seq)
        if starting_after == job.last_seq or job.log_pruned_at is not None:
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
        starting_after: int,
        may_follow: MayFollow | None,
    ) -> None:
        super().__init__(status_code=200, headers=_HEADERS)
        del self.headers["content-length"]
        self._follower = follower
        self._org_id, self._job_id = job.org_id, job.id
        self._cancels = job.on_disconnect == "cancel"
        self._starting_after = starting_after
        self._may_follow = may_follow
        self._asking: asyncio.Task[bool] | None = None
        self._asked_s = 0.0
        self._has_left = False

    @override
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Stream until the job's end, or until the client is gone."""
        if self._starting_after:
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
            self._starting_after,
            cancels=self._cancels,
        ) as reader:
            watch = asyncio.create_task(self._watch(receive, reader))
            try:
                await self._stream(reader, send)
            finally:
                watch.cancel()
                if self._asking is not None:
                    self._asking.cancel()
        if not self._has_left:
            await send({"type": "http.response.body", "body": b""})

    async def _stream(self, reader: Reader, send: Send) -> None:
        clock = asyncio.get_running_loop().time
        quiet_s = self._follower.keep_alive_s / 2
        self._asked_s = sent_s = clock()
        await _send(send, _FIRST)
        while self._follower.is_open and not self._has_left:
            events = await reader.next(max(0.0, sent_s + quiet_s - clock()))
            if not await self._is_allowed(reader):
                return
            if events:
                await _send(send, b"".join([_frame(event) for event in events]))
                sent_s = clock()
            elif reader.has_ended:
                return
            elif clock() - sent_s >= quiet_s:
                await _send(send, _KEEP_ALIVE)
                sent_s = clock()

    async def _is_allowed(self, reader: Reader) -> bool:
        if self._may_follow is None:
            reader.must_recheck = False
            return True
        if reader.must_recheck:
            reader.must_recheck = False
            self._asked_s = asyncio.get_running_loop().time()
            return await retry_until_connected(self._may_follow)
        return self._is_still_allowed(self._may_follow, reader)

    def _is_still_allowed(self, may_follow: MayFollow, reader: Reader) -> bool:
        """Ask from time to time, without holding events up for the answer.

        Where none comes for as long again, the stream ends.
        """
        asking, now_s = self._asking, asyncio.get_running_loop().time()
        if asking is not None and asking.done():
            self._asking = None
            return asking.result()
        is_due = now_s - self._asked_s >= self._follower.keep_alive_s
        if asking is not None:
            return not is_due
        if is_due:
            self._asked_s = now_s
            self._asking = asyncio.ensure_future(retry_until_connected(may_follow))
            self._asking.add_done_callback(lambda answer: _answered(reader, answer))
        return True

    async def _watch(self, receive: Receive, reader: Reader) -> None:
        with suppress(asyncio.CancelledError):
            while (await receive())["type"] != "http.disconnect":
                pass
            self._has_left = True
            reader.wake()


def _answered(reader: Reader, answer: asyncio.Future[bool]) -> None:
    """Have the answer looked at; where nobody does any more, a failure is none."""
    if not answer.cancelled():
        answer.exception()
    reader.wake()


def _frame(event: JobEvent) -> bytes:
    data = orjson.dumps(event.data)
    return b"id: %d\nevent: %b\ndata: %b\n\n" % (
        event.sequence_number,
        event.type.encode(),
        data,
    )


async def _send(send: Send, body: bytes) -> None:
    await send({"type": "http.response.body", "body": body, "more_body": True})


def _position(given: str | None, name: str) -> Position:
    if given is None:
        return Position()
    number = int(given) if _NUMBER.fullmatch(given) else MAX_SEQUENCE_NUMBER + 1
    if number > MAX_SEQUENCE_NUMBER:
        raise _invalid(name, "A position is the number of an event: 0, 1, 2, …")
    return Position.named(number, name)


def _refuse_beyond(starting_after: int, last: int) -> None:
    if starting_after > last:
        name = getattr(starting_after, "given_as", STARTING_AFTER)
        raise _invalid(name, "No event of this run has such a number yet.")


def _invalid(name: str, detail: str) -> StreamPositionInvalidError:
    fault = Fault(name, detail, "position_invalid")
    return StreamPositionInvalidError(detail, faults=(fault,))
