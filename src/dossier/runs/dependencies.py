"""Runs over HTTP: the engine, the position asked for, the stream of events."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import Annotated, Literal, Self
from uuid import UUID

from fastapi import Depends, Header, Query, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from typing_extensions import override

from dossier.core.errors import Fault
from dossier.integrations.queue.lost import outlast
from dossier.runs.constants import FINISHED
from dossier.runs.exceptions import RunNotFoundError, StreamPositionInvalidError
from dossier.runs.models import Run
from dossier.runs.service import Follower, RunEngine

MEDIA_TYPE = "text/event-stream"
RETRY_MS = 1000
"""How soon a client comes back when its stream was cut."""
MAX_POSITION = 2**63 - 1
LAST_EVENT_ID = "Last-Event-ID"
STARTING_AFTER = "starting_after"
_NUMBER = re.compile(r"\d{1,19}", re.ASCII)
_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-cache, no-transform"),
    (b"x-accel-buffering", b"no"),
]
_FIRST = b"retry: %d\n\n" % RETRY_MS
_KEEP_ALIVE = b": keep-alive\n\n"

Disconnect = Literal["continue", "cancel"]
MayFollow = Callable[[], Awaitable[bool]]
"""Tells whether the reader still has the right to the run's events."""


async def get_run_engine(request: Request) -> RunEngine:
    """Return the engine of this process."""
    engine: RunEngine = request.app.state.run_engine
    return engine


Runs = Annotated[RunEngine, Depends(get_run_engine)]


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


def sse_response(
    engine: RunEngine,
    org_id: UUID,
    run: Run,
    starting_after: int = 0,
    *,
    on_disconnect: Disconnect | None = None,
    may_follow: MayFollow | None = None,
) -> Response:
    """Answer with a run's events after a number; 204 where nothing more will come.

    `may_follow` is asked again whenever rights to the run may have changed, and as
    often as a quiet stream says that it is alive: not everything is told.
    """
    last = run.stored_through if run.state in FINISHED else run.reserved_through
    if starting_after > last:
        name = getattr(starting_after, "given_as", STARTING_AFTER)
        raise _invalid(name, "No event of this run has such a number yet.")
    is_told = starting_after == last or run.log_pruned_at is not None
    if run.state in FINISHED and is_told:
        return Response(status_code=204)
    policy = on_disconnect or engine.settings.on_disconnect
    return EventStream(
        engine,
        (org_id, run.id),
        starting_after,
        cancels=policy == "cancel",
        may_follow=may_follow,
    )


class EventStream(Response):
    """Server-sent events of one run.

    Sends what has come together since the last time in one piece. Holds no database
    connection, and where the client reads slowly, no events either.
    """

    media_type = MEDIA_TYPE

    def __init__(
        self,
        engine: RunEngine,
        run: tuple[UUID, UUID],
        starting_after: int,
        *,
        cancels: bool,
        may_follow: MayFollow | None = None,
    ) -> None:
        self.status_code = 200
        self.background = None
        self.body = b""
        self.raw_headers = list(_HEADERS)
        self._engine = engine
        self._run = run
        self._starting_after = starting_after
        self._cancels = cancels
        self._has_left = False
        self._may_follow = may_follow
        self._access_changes = engine.access_changes
        self._clock = asyncio.get_running_loop().time
        self._asked_s = self._clock()
        self._asking: asyncio.Task[bool] | None = None

    @override
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Stream until the run's end, or until the client is gone."""
        await send(
            {
                "type": "http.response.start",
                "status": self.status_code,
                "headers": self.raw_headers,
            }
        )
        org_id, run_id = self._run
        with self._engine.following(org_id, run_id, self._starting_after) as follower:
            watch = asyncio.create_task(self._watch(receive, follower))
            try:
                with suppress(RunNotFoundError):  # deleted while it was read
                    await self._stream(follower, send)
            finally:
                watch.cancel()
                if self._asking is not None:
                    self._asking.cancel()
        if self._has_left:
            self._vanished()
        else:
            await send({"type": "http.response.body", "body": b""})

    async def _stream(self, follower: Follower, send: Send) -> None:
        clock = self._clock
        quiet_s = self._engine.settings.keep_alive_s / 2
        await _send(send, _FIRST)
        sent_s = clock()
        while not (self._has_left or follower.has_ended) and self._engine.is_open:
            events = await follower.next()
            if not await self._is_allowed(follower):
                return
            if events:
                await _send(send, b"".join([event.frame for event in events]))
                sent_s = clock()
            elif clock() - sent_s >= quiet_s:
                await _send(send, _KEEP_ALIVE)
                sent_s = clock()

    async def _is_allowed(self, follower: Follower) -> bool:
        if self._may_follow is None:
            return True
        changes = self._engine.access_changes
        if changes != self._access_changes:
            self._access_changes, self._asked_s = changes, self._clock()
            return await outlast(self._may_follow)
        return self._is_still_allowed(self._may_follow, follower)

    def _is_still_allowed(self, may_follow: MayFollow, follower: Follower) -> bool:
        """Ask from time to time; nobody waits for the answer if it is yes.

        Where none comes for as long again, nobody knows, and the stream ends.
        """
        asking, now_s = self._asking, self._clock()
        if asking is not None and asking.done():
            self._asking = None
            return asking.result()
        is_due = now_s - self._asked_s >= self._engine.settings.keep_alive_s
        if asking is not None:
            return not is_due
        if is_due:
            self._asked_s = now_s
            self._asking = asyncio.ensure_future(outlast(may_follow))
            self._asking.add_done_callback(partial(_answered, follower))
        return True

    async def _watch(self, receive: Receive, follower: Follower) -> None:
        with suppress(asyncio.CancelledError):
            while (await receive())["type"] != "http.disconnect":
                pass
            self._has_left = True
            follower.wake()

    def _vanished(self) -> None:
        org_id, run_id = self._run
        if self._cancels:
            self._engine.left(org_id, run_id)


def _answered(follower: Follower, asking: asyncio.Future[bool]) -> None:
    """Have the answer looked at; where nobody does any more, a failure is none."""
    if not asking.cancelled():
        asking.exception()
    follower.wake()


async def _send(send: Send, body: bytes) -> None:
    await send({"type": "http.response.body", "body": body, "more_body": True})


def _position(given: str | None, name: str) -> Position:
    if given is None:
        return Position()
    number = int(given) if _NUMBER.fullmatch(given) else MAX_POSITION + 1
    if number > MAX_POSITION:
        raise _invalid(name, "A position is the number of an event: 0, 1, 2, …")
    return Position.named(number, name)


def _invalid(name: str, detail: str) -> StreamPositionInvalidError:
    fault = Fault(name, detail, "position_invalid")
    return StreamPositionInvalidError(detail, faults=(fault,))
