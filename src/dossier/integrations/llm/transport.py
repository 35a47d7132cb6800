"""HTTP to model servers that deviate: the one module that knows the wire format.

The official clients write and read the wire. This transport stands below them, one per
server, and turns what lesser servers do differently into what the clients understand.
"""

import re
from collections.abc import AsyncIterator
from collections.abc import Set as AbstractSet
from contextlib import suppress
from typing import Any

import httpx2
import orjson
from typing_extensions import override

from dossier.integrations.llm.failures import BodyCutError, is_pointless, malformed
from dossier.integrations.llm.thinking import ThinkingSplitter
from dossier.integrations.llm.usage import sound_counts

_MAX_ERROR_BYTES, _MAX_EVENT_BYTES, _MAX_BODY_BYTES = 2**16, 2**20, 2**26
_REFUSES = re.compile(rb"(?i)not support|unsupported|unrecogni|unknown|unexpected")
_SYSTEM = re.compile(rb"(?i)system\W{0,3}role|role\W{0,3}system")
_LIMITS = ("max_tokens", "max_completion_tokens")
_PARAMETERS = (*_LIMITS, "stream_options", "temperature", "encoding_format")
_UNFIT = (ValueError, LookupError, TypeError, AttributeError)
_USAGE = re.compile(rb'"usage"\s*:\s*(?!null)\S')


class LenientTransport(httpx2.AsyncBaseTransport):
    """Sends requests to one server, and remembers which parts of them it refuses."""

    def __init__(self, label: str, inner: httpx2.AsyncBaseTransport) -> None:
        self._label, self._inner = label, inner
        self._refused: set[str] = set()

    @override
    async def aclose(self) -> None:
        await self._inner.aclose()

    @override
    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        body = orjson.loads(request.content) if request.content else {}
        while True:
            if self._refused:
                content = orjson.dumps(_without(body, self._refused))
                request.headers["Content-Length"] = str(len(content))
                request.stream = httpx2.ByteStream(content)
            response = await self._inner.handle_async_request(request)
            if response.status_code < httpx2.codes.BAD_REQUEST:
                break
            content = await _read(response, _MAX_ERROR_BYTES)
            refused = _refused_part(response, content, body)
            if refused is None or refused in self._refused:
                if is_pointless(response, content):
                    response.headers["x-should-retry"] = "false"
                return response
            self._refused.add(refused)
        if not body.get("stream") or "json" in response.headers.get("content-type", ""):
            content = await _read(response, _MAX_BODY_BYTES)
            edit = _as_event if body.get("stream") else _tidied
            response.stream = httpx2.ByteStream(edit(content))
        if body.get("stream") and request.url.path.endswith("/chat/completions"):
            response.stream = EventStream(self._label, response.stream)
        return response


class EventStream(httpx2.AsyncByteStream):
    """A stream of OpenAI's events without what the client cannot read."""

    def __init__(self, label: str, stream: Any) -> None:
        self._label, self._stream = label, stream
        self._thinking = ThinkingSplitter()
        self._usage: dict[str, Any] | None = None

    @override
    async def aclose(self) -> None:
        await self._stream.aclose()

    @override
    async def __aiter__(self) -> AsyncIterator[bytes]:
        tail, size_bytes = b"", 0
        async for piece in self._stream:
            size_bytes += len(piece)
            *lines, tail = (tail + piece).split(b"\n")
            if size_bytes > _MAX_BODY_BYTES or len(tail) > _MAX_EVENT_BYTES:
                raise malformed(self._label, "more than is taken")
            yield b"".join(map(self._line, lines))
        yield self._line(tail) + self._usage_event()

    def _line(self, line: bytes) -> bytes:
        """Return a line as the client shall read it: most as they are."""
        data = line.removeprefix(b"data:").strip()
        if not line.startswith(b"data:") or not data or data.startswith(b":"):
            return b"" if line.strip() else b"\n"  # other fields have no meaning here
        if data == b"[DONE]":
            return self._usage_event() + line + b"\n"
        if self._thinking.is_done and not _USAGE.search(data):
            return line + b"\n"
        try:
            event = orjson.loads(data)
            self._tidy(event, (event.get("choices") or [{}])[0])
        except _UNFIT:
            return line + b"\n"  # the client says what is wrong with it
        return b"data: " + orjson.dumps(event) + b"\n"

    def _tidy(self, event: dict[str, Any], choice: dict[str, Any]) -> None:
        """Take thoughts out of the answer, and the usage out of all but the end.

        Some servers repeat the sum so far in each event; the client would add it up.
        """
        if usage := event.pop("usage", None):
            self._usage = sound_counts(usage)
        delta = choice.get("delta") or {}
        thought, answer = self._thinking.feed(delta.get("content") or "")
        if choice.get("finish_reason"):
            answer += self._thinking.flush()
        thoughts = {"reasoning_content": thought} if thought else {}
        choice["delta"] = delta | {"content": answer} | thoughts

    def _usage_event(self) -> bytes:
        usage, self._usage = self._usage, None
        event = orjson.dumps({"choices": [], "usage": usage})
        return b"data: " + event + b"\n\n" if usage else b""


async def _read(response: httpx2.Response, most_bytes: int) -> bytes:
    """Read a body, and no more of it than is taken."""
    stream: Any = response.stream
    content = bytearray()
    try:
        async for piece in stream:
            content += piece
            if len(content) > most_bytes:
                break
    except httpx2.TransportError as error:
        raise BodyCutError(str(error)) from error
    finally:
        await stream.aclose()
    response.stream = httpx2.ByteStream(bytes(content[:most_bytes]))
    return bytes(content[:most_bytes])


def _refused_part(
    response: httpx2.Response, content: bytes, body: dict[str, Any]
) -> str | None:
    """Return which part of a request the server says that it does not know."""
    if response.status_code not in {400, 422} or not _REFUSES.search(content):
        return None
    named = (name for name in _PARAMETERS if name in body and name.encode() in content)
    return next(named, "system" if _SYSTEM.search(content) else None)


def _without(body: dict[str, Any], refused: AbstractSet[str]) -> dict[str, Any]:
    """Return a request without refused parts, or with what says the same."""
    kept = {name: value for name, value in body.items() if name not in refused}
    for name, other in (_LIMITS, _LIMITS[::-1]):
        if name in body and name in refused and other not in refused:
            kept[other] = body[name]
    if "system" in refused and "messages" in body:
        system = [turn for turn in body["messages"] if turn["role"] == "system"]
        first, *others = [turn for turn in body["messages"] if turn not in system]
        texts = [turn["content"] for turn in (*system, first)]
        kept["messages"] = [first | {"content": "\n\n".join(texts)}, *others]
    return kept


def _as_event(content: bytes) -> bytes:
    """Return a whole answer, of a server that does not stream, as one event."""
    with suppress(*_UNFIT):
        answer = orjson.loads(content)
        answer["choices"][0]["delta"] = answer["choices"][0].pop("message")
        content = orjson.dumps(answer)
    return b"data: " + b" ".join(content.splitlines()) + b"\n\n"


def _tidied(content: bytes) -> bytes:
    """Return an answer with sound counts, its vectors in the order of their texts."""
    with suppress(*_UNFIT):
        answer = orjson.loads(content)
        rows = answer.get("data") or ()
        if answer.get("usage") and ("choices" in answer or rows):
            answer["usage"] = sound_counts(answer["usage"])
        if rows and "embedding" in rows[0]:
            indexed = {row.get("index", at): row for at, row in enumerate(rows)}
            answer["data"] = [indexed[at] for at in range(len(indexed))]
        content = orjson.dumps(answer)
    return content
