"""uvicorn's HTTP protocol with bounds on requests that do not become complete.

uvicorn has no time-out for a request that is being received, no limit on its head and
none on connections per address (its issue 157), so one client could hold memory and
file descriptors for ever. A request that is complete is never cut off here: answers,
event streams and long uploads take as long as they take.
"""

import asyncio
import resource
from collections.abc import Iterable
from ipaddress import ip_address, ip_network
from typing import Any, Final

import orjson
from starlette.types import ASGIApp, Receive, Scope, Send
from typing_extensions import override
from uvicorn.protocols.http.httptools_impl import (
    STATUS_LINE,
    HttpToolsProtocol,
    RequestResponseCycle,
)

from dossier.core.errors import AppError
from dossier.core.problems import (
    MEDIA_TYPE,
    ConnectionsExhaustedError,
    HeadTooLargeError,
    RequestTimeoutError,
    TooManyIncompleteRequestsError,
    headers_of,
    problem_of,
    problem_response,
)
from dossier.core.rate_limit import FREE_PATHS

HEAD_TIMEOUT_S: Final = 15.0
"""From the first byte (or the connection) to the end of the header fields."""
BODY_IDLE_S: Final = 60.0
"""Without a byte of the body; its whole length has no time limit."""
MAX_HEAD_BYTES: Final = 32 * 1024
MAX_INCOMPLETE_PER_ADDRESS: Final = 32
DESCRIPTOR_RESERVE: Final = 128
"""Descriptors that connections leave for the database, files, logs and probes."""
RETRY_AFTER_S: Final = 5


class BoundedHttpProtocol(HttpToolsProtocol):
    """One connection; `trusted_proxies` send the requests of many clients."""

    def __init__(
        self,
        *args: Any,
        trusted_proxies: tuple[str, ...] = (),
        head_timeout_s: float = HEAD_TIMEOUT_S,
        body_idle_s: float = BODY_IDLE_S,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self._head_timeout_s = head_timeout_s
        self._body_idle_s = body_idle_s
        self._networks = [ip_network(entry, strict=False) for entry in trusted_proxies]
        self._is_arriving = True  # a connection owes its first request
        self._has_head = False
        self._head_bytes = 0
        self._address: str | None = None
        """Whose request is incomplete now; `None`: nobody's that is counted."""
        self._timer: asyncio.TimerHandle | None = None
        self._opened_at_s = self.loop.time()

    @override
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn's
        super().connection_made(transport)
        self._start_timer(self._head_timeout_s)
        limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0] - DESCRIPTOR_RESERVE
        if len(self.connections) > limit:
            others = [c for c in self._bounded_connections() if c.is_idle()]
            oldest = min(others, key=lambda c: c._opened_at_s, default=None)  # noqa: SLF001 - of its own class
            if oldest is not None:
                oldest.transport.abort()
            else:
                self.app = _ProbesOnly(self.app)

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_timer()
        self._address = None
        super().connection_lost(exc)

    @override
    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.transport.is_closing():
            return
        if not self._is_arriving:
            if not self._is_answering():
                self._expect_request()  # bytes between requests stop uvicorn's timer
            return
        if self._has_head:
            self._start_timer(self._body_idle_s)
        else:
            self._head_bytes += len(data)
            if self._head_bytes > MAX_HEAD_BYTES:
                self._refuse(HeadTooLargeError(_HEAD_DETAIL))
                return
        self._count_incomplete()

    @override
    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._expect_request()

    @override
    def on_headers_complete(self) -> None:
        if self.transport.is_closing():
            return
        fields = sum(len(name) + len(value) + 4 for name, value in self.headers)
        if len(self.url) + fields > MAX_HEAD_BYTES:
            self._refuse(HeadTooLargeError(_HEAD_DETAIL))
            return
        super().on_headers_complete()
        self._has_head = True
        self._start_timer(self._body_idle_s)

    @override
    def on_body(self, body: bytes) -> None:
        if not self.transport.is_closing():
            super().on_body(body)

    @override
    def on_message_complete(self) -> None:
        if self.transport.is_closing():
            return
        super().on_message_complete()
        self._is_arriving = False
        self._address = None
        self._stop_timer()

    def is_idle(self) -> bool:
        """Return whether no complete request is being answered here."""
        return self._is_arriving or not self._is_answering()

    def _is_answering(self) -> bool:
        cycle: RequestResponseCycle | None = self.cycle  # uvicorn's type hides `None`
        return cycle is not None and not cycle.response_complete

    def _expect_request(self) -> None:
        if not self._is_arriving or self._has_head:
            self._is_arriving = True
            self._has_head = False
            self._head_bytes = 0
            self._start_timer(self._head_timeout_s)

    def _count_incomplete(self) -> None:
        """Refuse this request if its address already has too many such ones."""
        if self._address is not None or self.client is None:
            return
        address = self.client[0]
        if self._is_trusted(address):
            return
        others = [c for c in self._bounded_connections() if c._address == address]  # noqa: SLF001 - of its own class
        if len(others) >= MAX_INCOMPLETE_PER_ADDRESS:
            detail = (
                f"{len(others)} requests of {address} have not arrived yet; "
                "send each one whole before the next."
            )
            self._refuse(
                TooManyIncompleteRequestsError(detail, retry_after_s=RETRY_AFTER_S)
            )
            return
        self._address = address

    def _is_trusted(self, address: str) -> bool:
        parsed = ip_address(address)
        return any(parsed in network for network in self._networks)

    def _bounded_connections(self) -> Iterable["BoundedHttpProtocol"]:
        return (
            c
            for c in self.connections
            if isinstance(c, BoundedHttpProtocol) and c is not self
        )

    def _start_timer(self, delay_s: float) -> None:
        self._stop_timer()
        self._timer = self.loop.call_later(delay_s, self._refuse_late)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _refuse_late(self) -> None:
        if not self._has_head:
            detail = f"The header fields did not end in {self._head_timeout_s:g} s."
            self._refuse(RequestTimeoutError(detail))
        elif self.flow.read_paused or self.cycle.waiting_for_100_continue:
            self._start_timer(self._body_idle_s)  # it is the app that does not read
        else:
            detail = f"No byte of the body came for {self._body_idle_s:g} s."
            self._refuse(RequestTimeoutError(detail))

    def _refuse(self, error: AppError) -> None:
        """Answer with the problem, unless an answer has begun, and close."""
        self._stop_timer()
        if self.transport.is_closing():
            return
        is_answering = self._is_answering()
        if not (is_answering and self.cycle.response_started):
            body = orjson.dumps(problem_of(error))
            fields = headers_of(error) | {
                "content-type": MEDIA_TYPE,
                "content-length": str(len(body)),
                "connection": "close",
            }
            lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
            self.transport.write(
                STATUS_LINE[error.status] + lines.encode() + b"\r\n" + body
            )
        if is_answering:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        self.transport.close()


_HEAD_DETAIL: Final = (
    f"Request line and header fields may have {MAX_HEAD_BYTES} bytes together; "
    "send long values in the body."
)


class _ProbesOnly:
    """The app on a connection of the reserve: only health probes are answered."""

    def __init__(self, app: Any) -> None:
        self._app: ASGIApp = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] in FREE_PATHS:
            await self._app(scope, receive, send)
            return
        detail = "This process serves as many connections as it can."
        error = ConnectionsExhaustedError(detail, retry_after_s=RETRY_AFTER_S)
        response = problem_response(error, instance=scope["path"], request_id=None)
        response.headers["connection"] = "close"
        await response(scope, receive, send)
