"""Asks outside sources over HTTP: no redirects, no more than a size and a time."""

from collections.abc import Awaitable, Callable, Mapping

import httpx2

from dossier.integrations.capped import AnswerTooLongError, send_capped
from dossier.integrations.literature.exceptions import (
    SourceMalformedError,
    SourceRefusedError,
    SourceUnavailableError,
)
from dossier.integrations.literature.sources import Credentials, LiteratureSource
from dossier.integrations.literature.types import RawAnswer, SourceHit, SourceRequest

SOURCE_TIMEOUT_S = 20.0
MAX_SOURCE_BYTES = 4 * 1024 * 1024
MAX_RETRY_AFTER_S = 300
_LATER = frozenset({408, 425, 429})
_NOTHING = 404
"""PubChem's answer for a name that it does not know."""

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
        await wait(source.name, source.interval_s)
        base = self._base_urls.get(source.name, source.base_url).rstrip("/")
        built = self._http.build_request(
            "GET" if request.body is None else "POST",
            base + request.path,
            params=dict(request.query),
            json=request.body,
            headers=dict(request.headers),
        )
        try:
            response = await send_capped(self._http, built, MAX_SOURCE_BYTES)
        except httpx2.HTTPError as exc:
            detail = f"{source.name}: {type(exc).__name__}."
            raise SourceUnavailableError(detail) from exc
        except AnswerTooLongError as exc:
            detail = f"{source.name} answered with {exc}."
            raise SourceMalformedError(detail) from exc
        _refuse(source.name, response)
        # The key stands in a header or a parameter: neither is stored.
        return RawAnswer(
            url=base + request.path,
            status=response.status_code,
            media_type=response.headers.get("content-type"),
            body=response.content,
        )


def _refuse(name: str, response: httpx2.Response) -> None:
    status = response.status_code
    if status in _LATER or response.is_server_error:
        header = response.headers.get("retry-after", "")
        wait_s = min(int(header), MAX_RETRY_AFTER_S) if header.isdecimal() else None
        detail = f"{name} answered {status}."
        raise SourceUnavailableError(detail, retry_after_s=wait_s)
    if response.is_redirect:
        detail = f"{name} leads elsewhere ({status}); redirects are not followed."
        raise SourceRefusedError(detail)
    if not response.is_success and status != _NOTHING:
        detail = f"{name} answered {status}."
        raise SourceRefusedError(detail)
