"""Download responses: ranges, digests, file names, conditional requests."""

import base64
import hashlib
import re
import unicodedata
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any, ClassVar
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Send
from typing_extensions import override

from dossier.core.errors import AppError
from dossier.core.logging import bound
from dossier.core.problems import PROBLEM_CONTENT, problem_response
from dossier.core.web import HEAD_KEY

CACHE_CONTROL = "private, no-cache"

# Characters that RFC 8187 leaves unescaped beside letters and digits.
_ATTR_CHARS = "!#$&+-.^_`|~"
# One range only: several may be answered by the whole (RFC 9110 §14.2), and no
# client of ours asks for several.
_ONE_RANGE = re.compile(r"bytes=[ \t]*(\d{0,18})-(\d{0,18})[ \t]*", re.ASCII)


class RangeNotSatisfiableError(AppError):
    """The range lies outside the content."""

    status: ClassVar[int] = 416
    title: ClassVar[str] = "Range not satisfiable"


_BINARY: dict[str, Any] = {"*/*": {}}
_HEADERS = {
    "ETag": {
        "description": "The SHA-256 of the bytes; send it back as `If-None-Match`.",
        "schema": {"type": "string"},
    },
    "Cache-Control": {
        "description": "A cache asks each time, and keeps it for this client alone.",
        "schema": {"type": "string", "const": CACHE_CONTROL},
    },
}
DOWNLOAD_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {"description": "The file.", "content": _BINARY, "headers": _HEADERS},
    206: {
        "description": "The part that `Range` asks for.",
        "content": _BINARY,
        "headers": _HEADERS
        | {"Content-Range": {"required": True, "schema": {"type": "string"}}},
    },
    304: {"description": "The client has these bytes already.", "headers": _HEADERS},
    416: {
        "description": "No byte is in the range.",
        "content": PROBLEM_CONTENT,
        "headers": {"Content-Range": {"schema": {"type": "string"}}},
    },
}
"""Declared by every route that answers with `download`."""


@dataclass(frozen=True, slots=True)
class Content:
    """Stored bytes and what a client may know about them.

    `read(start, end)` yields the bytes from `start` up to, not including, `end`.
    """

    read: Callable[[int, int], AsyncIterator[bytes]]
    size_bytes: int
    sha256: str
    filename: str
    media_type: str


def content_of(data: bytes, filename: str, media_type: str) -> Content:
    """Return bytes that are at hand as content."""

    async def read(start: int, end: int) -> AsyncIterator[bytes]:
        yield data[start:end]

    digest = hashlib.sha256(data).hexdigest()
    return Content(read, len(data), digest, filename, media_type)


def download(request: Request, content: Content) -> Response:
    """Answer with the content, a part of it, or "not modified".

    Starts no read until the answer is sent, so the request's transaction is over.
    """
    headers = _headers(content)
    asked = request.headers.get("if-none-match", "")
    known = {tag.strip().removeprefix("W/") for tag in asked.split(",")}
    if known & {headers["etag"], "*"}:
        kept = ("etag", "cache-control", "repr-digest")
        return Response(status_code=304, headers={key: headers[key] for key in kept})
    if HEAD_KEY in request.scope:  # nothing is read for it, and a range means nothing
        return Response(headers=headers | {"content-length": str(content.size_bytes)})
    part = None
    wanted = request.headers.get("range")
    if wanted and request.headers.get("if-range", headers["etag"]) == headers["etag"]:
        try:
            part = parse_range(wanted, content.size_bytes)
        except RangeNotSatisfiableError as error:
            response = problem_response(
                error, instance=request.url.path, request_id=bound().request_id
            )
            response.headers["content-range"] = f"bytes */{content.size_bytes}"
            return response
    if part is None:
        headers["content-digest"] = headers["repr-digest"]
        return _stream(content, 0, content.size_bytes, headers)
    start, end = part
    headers["content-range"] = f"bytes {start}-{end - 1}/{content.size_bytes}"
    return _stream(content, start, end, headers, status_code=206)


def content_disposition(filename: str) -> str:
    """Name a download for old and new clients (RFC 6266, RFC 8187)."""
    plain = unicodedata.normalize("NFKD", filename).encode("ascii", "replace").decode()
    safe = re.sub(r'[^ -~]|["\\%?/]', "_", plain)
    escaped = quote(filename, safe=_ATTR_CHARS)
    return f"attachment; filename=\"{safe}\"; filename*=UTF-8''{escaped}"


def parse_range(header: str, size_bytes: int) -> tuple[int, int] | None:
    """Return the half-open part that one byte range asks for.

    Returns:
        `None` where the header must be ignored: another unit, several ranges, or
        something malformed (RFC 9110 §14.2).

    Raises:
        RangeNotSatisfiableError: A well-formed range holds no byte of the content.
    """
    match = _ONE_RANGE.fullmatch(header)
    if match is None or not any(match.groups()):
        return None
    first, last = match.groups()
    if not first:
        return _satisfiable(max(size_bytes - int(last), 0), size_bytes, size_bytes)
    end = int(last) + 1 if last else size_bytes
    if end <= int(first) and last:
        return None
    return _satisfiable(int(first), min(end, size_bytes), size_bytes)


def _satisfiable(start: int, end: int, size_bytes: int) -> tuple[int, int]:
    if start >= end:
        reason = f"The content has {size_bytes} bytes; none lies in the range."
        raise RangeNotSatisfiableError(reason)
    return start, end


def _headers(content: Content) -> dict[str, str]:
    digest = base64.b64encode(bytes.fromhex(content.sha256)).decode()
    return {
        "accept-ranges": "bytes",
        "cache-control": CACHE_CONTROL,
        "content-disposition": content_disposition(content.filename),
        "content-type": content.media_type,
        "etag": f'"{content.sha256}"',
        # Of the whole; `content-digest` is of the bytes sent (RFC 9530), which we
        # know beforehand only when they are the whole.
        "repr-digest": f"sha-256=:{digest}:",
    }


def _stream(
    content: Content,
    start: int,
    end: int,
    headers: dict[str, str],
    status_code: int = 200,
) -> StreamingResponse:
    headers["content-length"] = str(end - start)
    return _EagerStream(
        content.read(start, end), status_code=status_code, headers=headers
    )


class _EagerStream(StreamingResponse):
    """Reads the first piece before the headers are sent.

    Missing bytes become a problem document instead of a download that breaks off.
    """

    @override
    async def stream_response(self, send: Send) -> None:
        pieces = aiter(self.body_iterator)
        first = await anext(pieces, b"")
        self.body_iterator = _with_first(first, pieces)
        await super().stream_response(send)


async def _with_first(
    first: str | bytes | memoryview, rest: AsyncIterator[str | bytes | memoryview]
) -> AsyncIterator[str | bytes | memoryview]:
    yield first
    async for piece in rest:
        yield piece
