"""Bytes to and from model servers: one session per process, time-outs, size caps."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from typing import Any, ClassVar
from weakref import WeakKeyDictionary

import aiohttp
import orjson

import dossier
from dossier.core import clock
from dossier.integrations.llm import faults
from dossier.integrations.llm.backoff import retry_after_s
from dossier.integrations.llm.gathering import Gathering
from dossier.integrations.llm.plan import CallLimits, ModelServer

_MAX_ERROR_BYTES = 64 * 1024
_MAX_BODY_BYTES = 64 * 1024 * 1024
_DRAIN_S = 0.05
_OK = 200
_HEADERS = {
    "User-Agent": f"dossier/{dossier.__version__}",
    "Accept-Encoding": "identity",  # compression would hold tokens back
    "Content-Type": "application/json",
}


class Transport:
    """The connections of one process, shared by all who talk to model servers."""

    _shared: ClassVar[WeakKeyDictionary[asyncio.AbstractEventLoop, "Transport"]] = (
        WeakKeyDictionary()
    )

    def __init__(self, max_concurrent: int) -> None:
        connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=30)
        self._session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            headers=_HEADERS,
            timeout=aiohttp.ClientTimeout(),
        )
        self.gathering = Gathering()
        self._seats = asyncio.Semaphore(max_concurrent)
        self._users = 0

    @classmethod
    def shared(cls, limits: CallLimits) -> "Transport":
        """Return the transport of this event loop; each caller closes it once."""
        loop = asyncio.get_running_loop()
        found = cls._shared.get(loop)
        if found is None:
            found = cls._shared[loop] = cls(limits.max_concurrent)
        found._users += 1
        return found

    async def close(self) -> None:
        """Close the connections when the last user is gone."""
        self._users -= 1
        if self._users == 0:
            self._shared.pop(asyncio.get_running_loop(), None)
            await self._session.close()

    @asynccontextmanager
    async def seat(self, patience_s: float) -> AsyncIterator[None]:
        """Hold one of the places of calls under way."""
        try:
            async with asyncio.timeout(patience_s):
                await self._seats.acquire()
        except TimeoutError:
            raise faults.no_seat() from None
        try:
            yield
        finally:
            self._seats.release()

    @asynccontextmanager
    async def request(
        self,
        server: ModelServer,
        path: str,
        headers: Mapping[str, str],
        body: Mapping[str, Any] | None,
        limits: CallLimits,
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """Open one exchange; leaving it in the middle closes its connection at once."""
        response = await self._send(server, path, headers, body, limits)
        try:
            if response.status != _OK:
                raise await _rejected(server.label, response, clock.now())
            yield response
        finally:
            response.close()

    async def _send(
        self,
        server: ModelServer,
        path: str,
        headers: Mapping[str, str],
        body: Mapping[str, Any] | None,
        limits: CallLimits,
    ) -> aiohttp.ClientResponse:
        """Wait for the head of the answer, in the time of a first token."""
        timeout = aiohttp.ClientTimeout(connect=limits.connect_timeout_s)
        patience_s = limits.first_token_timeout_s
        try:
            async with asyncio.timeout(patience_s):
                return await self._session.request(
                    "GET" if body is None else "POST",
                    server.base_url + path,
                    data=_encoded(body),
                    headers=headers,
                    timeout=timeout,
                    allow_redirects=False,
                )
        except aiohttp.ConnectionTimeoutError as error:
            raise faults.unreachable(server.label, "no connection in time") from error
        except TimeoutError as error:
            raise faults.silent(server.label, patience_s, has_begun=False) from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise faults.unreachable(server.label, type(error).__name__) from error

    async def fetch(
        self,
        server: ModelServer,
        path: str,
        headers: Mapping[str, str],
        body: Mapping[str, Any] | None,
        limits: CallLimits,
    ) -> Any:
        """Return the JSON of a whole answer."""
        async with self.request(server, path, headers, body, limits) as response:
            content = await _whole(server, response, limits)
        try:
            return orjson.loads(content)
        except orjson.JSONDecodeError as error:
            raise faults.malformed(server.label, "what is not JSON") from error


async def drain(response: aiohttp.ClientResponse) -> None:
    """Read the end mark of a finished stream, so that its connection can be reused."""
    with suppress(TimeoutError, aiohttp.ClientError):
        async with asyncio.timeout(_DRAIN_S):
            while await response.content.readany():
                pass


async def _whole(
    server: ModelServer, response: aiohttp.ClientResponse, limits: CallLimits
) -> bytes:
    """Read a body in the time and the size allowed."""
    pieces: list[bytes] = []
    size_bytes = 0
    try:
        async with asyncio.timeout(limits.first_token_timeout_s):
            async for piece in response.content.iter_any():
                size_bytes += len(piece)
                if size_bytes > _MAX_BODY_BYTES:
                    raise faults.malformed(server.label, "more than is taken")
                pieces.append(piece)
    except TimeoutError as error:
        patience_s = limits.first_token_timeout_s
        raise faults.silent(server.label, patience_s, has_begun=True) from error
    except (aiohttp.ClientError, OSError) as error:
        raise faults.cut(server.label, has_begun=False) from error
    return b"".join(pieces)


async def _rejected(
    label: str, response: aiohttp.ClientResponse, now: datetime
) -> faults.AttemptFailedError:
    """Name what another status than 200 means, with the little that is read of it."""
    body = b""
    with suppress(TimeoutError, aiohttp.ClientError, OSError):
        async with asyncio.timeout(1):
            body = await response.content.read(_MAX_ERROR_BYTES)
    wait_s = retry_after_s(response.headers.get("Retry-After"), now)
    return faults.rejected(label, response.status, body, wait_s)


def _encoded(body: Mapping[str, Any] | None) -> bytes | None:
    if body is None:
        return None
    try:
        return orjson.dumps(body)
    except orjson.JSONEncodeError:  # half of a surrogate pair, which JSON may escape
        return json.dumps(body).encode()
