"""Asks outside sources over HTTP: no redirects, no more than a size and a time."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

import httpx2

from dossier.core import clock
from dossier.integrations.capped import AnswerTooLongError, send_capped
from dossier.integrations.literature.exceptions import (
    SourceMalformedError,
    SourceRefusedError,
    SourceUnavailableError,
)
from dossier.integrations.literature.sources import Credentials, LiteratureSource
from dossier.integrations.literature.types import RawAnswer, SourceHit, SourceRequest
from dossier.integrations.llm.responses import retry_after_s

SOURCE_TIMEOUT_S = 20.0
MAX_SOURCE_BYTES = 4 * 1024 * 1024
MAX_RETRY_AFTER_S = 300
PAUSES_S = (1.0, 2.0)
"""Before the second and the third attempt, where the source asks for no longer one."""
LONGEST_PAUSE_S = 20
"""A source that asks for a longer pause is not asked again: its failure is stated."""
THROTTLED_PAUSE_S = 5.0
_LATER = frozenset({408, 425, 429})
_BUSY = frozenset({429, 503})
_NOTHING = 404
_THROTTLED: Final = re.compile(r"status: (?:red|black)", re.IGNORECASE)
"""In PubChem's `X-Throttling-Control`: near or over the limit of its load."""

Wait = Callable[[str, float], Awaitable[None]]
"""Returns when a host may be asked: by name of the source and its interval."""


class LiteratureClient:
    """One per process; `close` it at the end."""

    def __init__(
        self,
        credentials: Credentials,
        base_urls: Mapping[str, str] | None = None,
        *,
        timeout_s: float = SOURCE_TIMEOUT_S,
    ) -> None:
        self._credentials = credentials
        self._base_urls = base_urls or {}
        self._timeout_s = timeout_s
        self._http = httpx2.AsyncClient(timeout=timeout_s, follow_redirects=False)

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def search(
        self, source: LiteratureSource, query: str, limit: int, wait: Wait
    ) -> tuple[list[SourceHit], RawAnswer]:
        """Return what a source finds, the best first, with its last answer.

        `wait` is awaited before each request. Raises `SourceUnavailableError`,
        `SourceRefusedError` or `SourceMalformedError`, which name the source.
        """
        request = source.ask(query, limit, self._credentials)
        answer = await self._send(source, request, wait)
        if answer.status == _NOTHING:
            return [], answer
        found = source.read(answer.body)
        if isinstance(found, SourceRequest):
            answer = await self._send(source, found, wait)
            found = source.read_again(answer.body) if source.read_again else []
        return found[:limit], answer

    async def _send(
        self, source: LiteratureSource, request: SourceRequest, wait: Wait
    ) -> RawAnswer:
        response, url = await self._send_once(source, request, wait)
        for pause_s in PAUSES_S:
            asked_s = retry_after_s(response.headers.get("retry-after"), clock.now())
            if response.status_code not in _BUSY or (asked_s or 0) > LONGEST_PAUSE_S:
                break
            # Takes the turns of the pause, so that no other process asks in it.
            await wait(source.name, max(asked_s or 0, pause_s))
            response, url = await self._send_once(source, request, wait)
        _refuse(source, response)
        # The key stands in a header or a parameter: neither is stored.
        return RawAnswer(
            url=url,
            status=response.status_code,
            media_type=response.headers.get("content-type"),
            body=response.content,
        )

    async def _send_once(
        self, source: LiteratureSource, request: SourceRequest, wait: Wait
    ) -> tuple[httpx2.Response, str]:
        """Return the answer and the address, without its parameters."""
        await wait(source.name, source.interval_s)
        base = self._base_urls.get(source.name, source.base_url).rstrip("/")
        named = source.identify(self._credentials) if source.identify else {}
        built = self._http.build_request(
            "GET" if request.body is None else "POST",
            base + request.path,
            params={**request.query, **named},
            json=request.body,
            headers=dict(request.headers),
        )
        try:
            # The client's own limit is one of each read: a slow server could go on.
            async with asyncio.timeout(self._timeout_s):
                response = await send_capped(self._http, built, MAX_SOURCE_BYTES)
        except (httpx2.HTTPError, TimeoutError) as exc:
            detail = f"{source.name}: {type(exc).__name__}."
            raise SourceUnavailableError(detail) from exc
        except AnswerTooLongError as exc:
            detail = f"{source.name} answered with {exc}."
            raise SourceMalformedError(detail) from exc
        if _THROTTLED.search(response.headers.get("x-throttling-control", "")):
            await wait(source.name, THROTTLED_PAUSE_S)
        return response, base + request.path


def _refuse(source: LiteratureSource, response: httpx2.Response) -> None:
    name, status = source.name, response.status_code
    if status in _LATER or response.is_server_error:
        asked_s = retry_after_s(response.headers.get("retry-after"), clock.now())
        wait_s = None if asked_s is None else int(min(asked_s, MAX_RETRY_AFTER_S))
        detail = f"{name} answered {status}."
        raise SourceUnavailableError(detail, retry_after_s=wait_s)
    if response.is_redirect:
        detail = f"{name} leads elsewhere ({status}); redirects are not followed."
        raise SourceRefusedError(detail)
    code = source.unknown_code
    is_nothing = status == _NOTHING and code is not None and code in response.content
    if not response.is_success and not is_nothing:
        detail = f"{name} answered {status}."
        raise SourceRefusedError(detail)
