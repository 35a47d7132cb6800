"""Faults as they look from outside."""

import asyncio
from dataclasses import dataclass, replace

from dossier.testing.model_server.conversation import Frames
from dossier.testing.model_server.exchange import Exchange
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

    async def answer(self, exchange: Exchange) -> None:
        """Send it in the words of the wire."""
        content = exchange.wire.error(self.status, self.message, self.code)
        headers = {}
        if self.retry_after_s is not None:
            headers["retry-after"] = f"{self.retry_after_s:g}"
        await exchange.answer(content, self.status, headers)


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
