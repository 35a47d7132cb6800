"""Refused calls, broken streams, and deviations from OpenAI's wire format."""

import asyncio
from dataclasses import dataclass, replace

from dossier.testing.model_server import anthropic
from dossier.testing.model_server.conversation import (
    Frames,
    JsonObject,
    Reply,
    ScriptedPrompt,
)
from dossier.testing.model_server.exchange import ANTHROPIC_FORMAT, Exchange
from dossier.testing.model_server.script import (
    Deviation,
    FaultKind,
    Script,
    ScriptedFault,
)

IN_MID_STREAM = {
    FaultKind.CUT,
    FaultKind.SILENCE,
    FaultKind.STREAM_ERROR,
    FaultKind.MALFORMED,
}
"""Faults of a streamed answer after some tokens."""

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

_MALFORMED = b'data: {"id": "chatcmpl-scripted", "choices": [{"del\n\n'
_THOUGHTS = ("<th", "ink>\n", "The user wants", " a fact. </th", "ink>\n\n")
_PINGS = b"data:\n\ndata: : keepalive\n\n: ping\n\nevent: ping\n\n"
_REFUSALS = {
    Deviation.NO_MAX_TOKENS: (
        "max_tokens",
        "'max_tokens' is not supported. Use 'max_completion_tokens' instead.",
    ),
    Deviation.NO_STREAM_OPTIONS: (
        "stream_options",
        "Unrecognized request argument supplied: stream_options",
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
        """Send the error in the wire format of the call."""
        content = exchange.wire.error(self.status, self.message, self.code)
        headers = {}
        if self.retry_after_s is not None:
            headers["retry-after"] = f"{self.retry_after_s:g}"
        await exchange.answer(content, self.status, headers)


async def fail_before_answer(exchange: Exchange) -> None:
    """Raise or wait for ever, where the fault of the call asks for it."""
    fault = exchange.fault
    if fault is None:
        return
    if fault.kind is FaultKind.NEVER_ANSWERS:
        await asyncio.get_running_loop().create_future()
    if fault.kind in _REFUSED:
        status, message, code = _REFUSED[fault.kind]
        wait_s = fault.retry_after_s if status in {0, 429} else None
        status = status or exchange.wire.overloaded
        raise RefusedError(
            outcome=str(fault.kind),
            status=status,
            message=message,
            code=code,
            retry_after_s=wait_s,
        )


def broken_frames(frames: Frames, fault: ScriptedFault | None) -> Frames:
    """Return a stream as the fault cuts it."""
    if fault is None or fault.kind not in IN_MID_STREAM:
        return frames
    ends = {FaultKind.STREAM_ERROR: frames.failure, FaultKind.MALFORMED: _MALFORMED}
    return replace(
        frames,
        tokens=frames.tokens[: fault.after_tokens],
        closing=ends.get(fault.kind, b""),
    )


def check_key(exchange: Exchange) -> None:
    """Refuse a wrong key."""
    if exchange.script.api_key not in (None, exchange.call.key):
        message = "Incorrect API key provided."
        raise RefusedError(
            outcome="unauthorised", status=401, message=message, code="invalid_api_key"
        )


def check_model(exchange: Exchange, model: str) -> None:
    """Refuse a model that is not served."""
    script = exchange.script
    if not script.any_model and model not in script.models:
        message = f"The model {model!r} does not exist."
        raise RefusedError(
            outcome="unknown_model", status=404, message=message, code="model_not_found"
        )


def check_prompt(exchange: Exchange, prompt: ScriptedPrompt) -> None:
    """Refuse a prompt that the scripted model does not support."""
    check_model(exchange, prompt.model)
    script = exchange.script
    if prompt.tools and not script.supports_tools:
        message = "This model does not support tools."
        raise RefusedError(outcome="unsupported", status=400, message=message)
    if prompt.begun and script.prefill == "refuse":
        message = "This model does not support assistant message prefill."
        raise RefusedError(outcome="unsupported", status=400, message=message)
    if exchange.wire is ANTHROPIC_FORMAT:
        anthropic.check_begun(prompt)


def check_window(exchange: Exchange, reply: Reply) -> None:
    """Refuse a prompt that is longer than the window."""
    window = exchange.script.window_tokens
    if window is not None and reply.input_tokens > window:
        message = (
            f"prompt is too long: {reply.input_tokens} tokens > {window} maximum"
            " context length"
        )
        raise RefusedError(
            outcome="context_too_long",
            status=400,
            message=message,
            code="context_length_exceeded",
        )


def check_deviations(body: JsonObject, script: Script) -> None:
    """Refuse members of a request that the scripted server does not know."""
    for deviation, (name, message) in _REFUSALS.items():
        if deviation in script.deviations and name in body:
            raise RefusedError(outcome=str(deviation), status=400, message=message)
    has_system = any(turn.get("role") == "system" for turn in body["messages"])
    if Deviation.NO_SYSTEM_ROLE in script.deviations and has_system:
        message = "System role not supported"
        raise RefusedError(
            outcome=str(Deviation.NO_SYSTEM_ROLE), status=400, message=message
        )


def deviating_reply(
    prompt: ScriptedPrompt, reply: Reply, script: Script
) -> tuple[ScriptedPrompt, Reply]:
    """Return the prompt and the reply as the script changes them."""
    if Deviation.JSON_FOR_STREAM in script.deviations:
        prompt = replace(prompt, stream=False)
    if Deviation.THINK_TAGS in script.deviations:
        reply = replace(reply, pieces=(*_THOUGHTS, *reply.pieces))
    if Deviation.THINK_WITHOUT_OPENING in script.deviations:
        thoughts = ("The user wants a story. ", "</th", "ink>\n\n")
        reply = replace(reply, pieces=(*thoughts, *reply.pieces))
    if Deviation.UNKNOWN_FINISH in script.deviations:
        reply = replace(reply, finish="abort")
    return prompt, reply


def with_pings(frames: Frames, script: Script) -> Frames:
    """Return a stream with the events and comments that keep connections alive."""
    if Deviation.PINGS not in script.deviations:
        return frames
    return replace(frames, tokens=tuple(_PINGS + token for token in frames.tokens))
