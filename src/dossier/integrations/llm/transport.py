"""HTTP below the official clients: the one module that knows OpenAI's wire format."""

import re
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import httpx2
import orjson
from typing_extensions import override

from dossier.integrations.llm.failures import malformed
from dossier.integrations.llm.responses import is_retry_pointless, read_body, refusal_in
from dossier.integrations.llm.thinking import ThinkingSplitter
from dossier.integrations.llm.usage import sound_counts

_MAX_ERROR_BYTES, _MAX_EVENT_BYTES, _MAX_BODY_BYTES = 2**16, 2**20, 2**26
_SYSTEM = re.compile(r"(?i)system\W{0,3}role|role\W{0,3}system")
_LIMITS = ("max_tokens", "max_completion_tokens")
_PARAMETERS = (*_LIMITS, "stream_options", "temperature", "encoding_format")
_UNFIT = (ValueError, LookupError, TypeError, AttributeError)
_USAGE = re.compile(rb'"usage"\s*:\s*(?!null)\S')


class LenientTransport(httpx2.AsyncBaseTransport):
    """Adapts requests and answers of a server that deviates from the wire."""

    def __init__(self, label: str, inner: httpx2.AsyncBaseTransport) -> None:
        self.label, self._inner = label, inner
        self._refused: set[str] = set()
        self.thinks = False  # an answer's thoughts have no opening tag

    @override
    async def aclose(self) -> None:
        await self._inner.aclose()

    @override
    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        body = orjson.loads(request.content) if request.content else {}
        while True:
            left_out = set(self._refused)
            if left_out:
                content = orjson.dumps(_without(body, left_out))
                request.headers["Content-Length"] = str(len(content))
                request.stream = httpx2.ByteStream(content)
            response = await self._inner.handle_async_request(request)
            if response.status_code < httpx2.codes.BAD_REQUEST:
                break
            content = await read_body(response, _MAX_ERROR_BYTES)
            is_openai = not request.url.path.endswith("/messages")
            refused = _refused_part(response, content, body) if is_openai else None
            if refused is None or refused in left_out:
                if is_retry_pointless(response, content):
                    response.headers["x-should-retry"] = "false"
                return response
            self._refused.add(refused)
        streams = bool(body.get("stream"))
        if not streams or "json" in response.headers.get("content-type", ""):
            content = await read_body(response, _MAX_BODY_BYTES)
            response.stream = httpx2.ByteStream(_tidied(content, is_event=streams))
        if streams and request.url.path.endswith("/chat/completions"):
            response.stream = LenientEventStream(self, response.stream)
        return response


class LenientEventStream(httpx2.AsyncByteStream):
    """A stream of OpenAI's events without what the client cannot read."""

    def __init__(self, server: LenientTransport, stream: Any) -> None:
        self._label, self._stream, thinks = server.label, stream, server.thinks
        self._thinking, self._is_counted = ThinkingSplitter(begins_inside=thinks), False

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
        yield self._line(tail)

    def _line(self, line: bytes) -> bytes:
        """Return a line in the form that the client reads; most stay as they are."""
        data = line.removeprefix(b"data:").strip()
        if not line.startswith(b"data:") or not data or data.startswith(b":"):
            return b"" if line.strip() else b"\n"  # other fields have no meaning here
        if self._thinking.is_done and not _USAGE.search(data):
            return line + b"\n"
        with suppress(*_UNFIT):  # the client says what is wrong with it
            event = orjson.loads(data)
            choice = (event.get("choices") or [{}])[0]
            # Some servers repeat the sum so far in each event; the client would add
            # it up: the usage stays at the end alone.
            is_end, usage = choice.get("finish_reason"), event.pop("usage", None)
            if usage and not self._is_counted and (is_end or not event.get("choices")):
                event["usage"], self._is_counted = sound_counts(usage), True
            delta = choice.get("delta") or {}
            thought, answer = self._thinking.feed(delta.get("content") or "")
            answer += self._thinking.flush() if is_end else ""
            thoughts = {"reasoning_content": thought} if thought else {}
            choice["delta"] = delta | {"content": answer} | thoughts
            line = b"data: " + orjson.dumps(event)
        return line + b"\n"


def _refused_part(response: Any, content: bytes, body: dict[str, Any]) -> str | None:
    """Return which part of a request the server says that it does not know."""
    reason = refusal_in(content) if response.status_code in {400, 422} else ""
    named = (name for name in _PARAMETERS if name in body and name in reason)
    return next(named, "system" if _SYSTEM.search(reason) else None)


def _without(body: dict[str, Any], refused: set[str]) -> dict[str, Any]:
    """Return a request without refused parts, or with what says the same."""
    kept = {name: value for name, value in body.items() if name not in refused}
    for name, other in (_LIMITS, _LIMITS[::-1]):
        if name in body and name in refused and other not in refused:
            kept[other] = body[name]
    turns = body.get("messages") or []
    system = [turn for turn in turns if turn["role"] == "system"]
    if "system" in refused and system and len(system) < len(turns):
        first, *others = [turn for turn in turns if turn not in system]
        texts = [turn["content"] for turn in (*system, first)]
        kept["messages"] = [first | {"content": "\n\n".join(texts)}, *others]
    return kept


def _tidied(content: bytes, *, is_event: bool) -> bytes:
    """Return a whole answer with sound counts, its vectors in order; or as an event."""
    with suppress(*_UNFIT):
        answer = orjson.loads(content)
        rows = answer.get("data") or ()
        if answer.get("usage") and ("choices" in answer or rows):
            answer["usage"] = sound_counts(answer["usage"])
        if rows and "embedding" in rows[0]:
            indexed = {row.get("index", at): row for at, row in enumerate(rows)}
            answer["data"] = [indexed[at] for at in range(len(indexed))]
        if is_event and "choices" in answer:
            answer["choices"][0]["delta"] = answer["choices"][0].pop("message")
        content = orjson.dumps(answer)
    return b"data: " + content + b"\n\n" if is_event else content
