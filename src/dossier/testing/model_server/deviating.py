"""Servers of OpenAI's wire that deviate from it without failing."""

from dataclasses import replace

from dossier.testing.model_server.conversation import Frames, Json, Prompt, Reply
from dossier.testing.model_server.failing import RefusedError
from dossier.testing.model_server.script import Deviation, Script

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


def check(body: Json, script: Script) -> None:
    """Refuse the parts of a request that the script does not know."""
    for deviation, (name, message) in _REFUSALS.items():
        if deviation in script.deviations and name in body:
            raise RefusedError(outcome=str(deviation), status=400, message=message)
    has_system = any(turn.get("role") == "system" for turn in body["messages"])
    if Deviation.NO_SYSTEM_ROLE in script.deviations and has_system:
        message = "System role not supported"
        raise RefusedError(
            outcome=str(Deviation.NO_SYSTEM_ROLE), status=400, message=message
        )


def answered(prompt: Prompt, reply: Reply, script: Script) -> tuple[Prompt, Reply]:
    """Return what is answered instead, and in which form."""
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
    """Return a stream with what keeps connections alive between its events."""
    if Deviation.PINGS not in script.deviations:
        return frames
    return replace(frames, tokens=tuple(_PINGS + token for token in frames.tokens))
