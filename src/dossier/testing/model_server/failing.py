"""Faults as they look from outside."""

import asyncio
from dataclasses import dataclass, replace

import orjson
from aiohttp import web

from dossier.testing.model_server.conversation import Frames, Json
from dossier.testing.model_server.script import Fault, FaultKind
from dossier.testing.model_server.wires.wire import Wire

IN_MID_STREAM = {
    FaultKind.CUT,
    FaultKind.SILENCE,
    FaultKind.STREAM_ERROR,
    FaultKind.MALFORMED,
}
"""What happens to a streamed answer after some tokens."""

_REFUSED: dict[FaultKind, tuple[int, str, str | None]] = {
    FaultKind.RATE_LIMITED: (429, "Rate limit reached.", "rate_limit_exceeded"),
    FaultKind.SERVER_ERROR: (500, "The server had an error.", None),
    FaultKind.OVERLOADED: (0, "Overloaded.", None),
    FaultKind.UNAUTHORISED: (401, "Incorrect API key provided.", "invalid_api_key"),
    FaultKind.CONTEXT_TOO_LONG: (
        400,
        "prompt is too long: maximum context length exceeded",
        "context_length_exceeded",
    ),
}


@dataclass(eq=False, kw_only=True)
class RefusedError(Exception):
    """A call that gets an error instead of an answer."""

    outcome: str
    status: int
    message: str
    code: str | None = None
    retry_after_s: float | None = None

    def response(self, wire: Wire) -> web.Response:
        """Return it in a wire's words."""
        content = wire.error(self.status, self.message, self.code)
        response = json_response(content, self.status)
        if self.retry_after_s is not None:
            response.headers["Retry-After"] = f"{self.retry_after_s:g}"
        return response


def json_response(content: Json, status: int = 200) -> web.Response:
    """Return an answer in JSON."""
    return web.Response(
        body=orjson.dumps(content), status=status, content_type="application/json"
    )


async def before_answer(fault: Fault | None, wire: Wire) -> None:
    """Refuse the call, or never come back, where the fault says so."""
    if fault is None:
        return
    if fault.kind is FaultKind.NEVER_ANSWERS:
        await asyncio.get_running_loop().create_future()
    if fault.kind in _REFUSED:
        status, message, code = _REFUSED[fault.kind]
        wait_s = fault.retry_after_s if status in {0, 429} else None
        status = status or wire.overloaded
        raise RefusedError(
            outcome=str(fault.kind),
            status=status,
            message=message,
            code=code,
            retry_after_s=wait_s,
        )


def broken_frames(frames: Frames, fault: Fault | None) -> Frames:
    """Return what is left of a stream."""
    if fault is None or fault.kind not in IN_MID_STREAM:
        return frames
    ends = {FaultKind.STREAM_ERROR: frames.failure, FaultKind.MALFORMED: _MALFORMED}
    return replace(
        frames,
        tokens=frames.tokens[: fault.after_tokens],
        closing=ends.get(fault.kind, b""),
    )


_MALFORMED = b'data: {"id": "chatcmpl-scripted", "choices": [{"del\n\n'


async def half_response(
    request: web.Request, content: Json, fault: Fault
) -> web.StreamResponse:
    """Send the first half of an answer, then go silent or hang up."""
    body = orjson.dumps(content)
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    response.content_length = len(body)
    await response.prepare(request)
    await response.write(body[: len(body) // 2])
    if fault.kind is FaultKind.SILENCE:
        await asyncio.get_running_loop().create_future()
    hang_up(request)
    return response


def hang_up(request: web.Request) -> None:
    """Close the connection as a server does that dies."""
    if request.transport is not None:
        request.transport.close()
