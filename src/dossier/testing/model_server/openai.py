"""OpenAI's wire format: chat completions, models and embeddings."""

import base64
import struct
from collections.abc import Sequence

import orjson

from dossier.testing.model_server.conversation import (
    Frames,
    JsonObject,
    PromptTurn,
    Reply,
    ScriptedPrompt,
    Tool,
    UnreadableRequestError,
    all_of_type,
    integer,
    listed,
    text_of,
)

MADE_AT = 1_767_225_600
"""The time in every answer, so that the same request gets the same bytes."""

_ERROR_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    404: "invalid_request_error",
    429: "rate_limit_error",
}


def read(body: JsonObject, identity: str) -> ScriptedPrompt:
    """Return the prompt of a request."""
    messages = all_of_type(body, "messages", dict)
    form = body.get("response_format") or {}
    choice = body.get("tool_choice")
    wanted = choice["function"]["name"] if isinstance(choice, dict) else None
    options = body.get("stream_options") or {}
    schema: JsonObject | None = None
    if form.get("type") == "json_schema":
        schema = form["json_schema"].get("schema") or {}
    if form.get("type") == "json_object":
        schema = {"type": "object", "properties": {"answer": {"type": "string"}}}
    return ScriptedPrompt(
        model=str(body.get("model", "")),
        turns=tuple(_turn(message) for message in messages),
        tools=tuple(
            Tool(tool["function"]["name"], tool["function"].get("parameters") or {})
            for tool in listed(body.get("tools"))
            if choice != "none" and wanted in (None, tool["function"]["name"])
        ),
        called=tuple(
            call["function"]["name"]
            for message in messages
            for call in listed(message.get("tool_calls"))
        ),
        must_call=choice == "required" or isinstance(choice, dict),
        schema=schema,
        max_tokens=integer(body, "max_completion_tokens", "max_tokens"),
        stop=tuple(listed(body.get("stop"))),
        stream=bool(body.get("stream")),
        usage_in_stream=bool(options.get("include_usage")),
        identity=identity,
    )


def _turn(message: JsonObject) -> PromptTurn:
    role = str(message.get("role"))
    if role not in {"system", "developer", "user", "assistant", "tool"}:
        message_text = f"Invalid value: {role!r}. Supported values are: 'user', …"
        raise UnreadableRequestError(message_text)
    return PromptTurn(role, text_of(message.get("content")))


def whole(prompt: ScriptedPrompt, reply: Reply) -> JsonObject:
    """Return the body of an answer that is not streamed."""
    refused = reply.finish == "refusal"
    message: JsonObject = {
        "role": "assistant",
        "content": None if refused or reply.call else reply.text,
        "refusal": reply.text if refused else None,
        "annotations": [],
    }
    if reply.call:
        function = {"name": reply.call.name, "arguments": reply.call.arguments}
        call = {"id": reply.call.id, "type": "function", "function": function}
        message["tool_calls"] = [call]
    return {
        "id": f"chatcmpl-{prompt.identity}",
        "object": "chat.completion",
        "created": MADE_AT,
        "model": prompt.model,
        "choices": [
            {
                "index": 0,
                "message": message,
                "logprobs": None,
                "finish_reason": _finish(reply),
            }
        ],
        "usage": _usage(reply),
        "system_fingerprint": "fp_scripted",
    }


def _finish(reply: Reply) -> str:
    return "stop" if reply.finish == "refusal" else reply.finish


def _usage(reply: Reply) -> JsonObject:
    return {
        "prompt_tokens": reply.input_tokens,
        "completion_tokens": reply.output_tokens,
        "total_tokens": reply.input_tokens + reply.output_tokens,
        "prompt_tokens_details": {"cached_tokens": 0},
    }


def frames(prompt: ScriptedPrompt, reply: Reply) -> Frames:
    """Return a streamed answer; the first token brings the role with it."""
    # What stands before and after the delta of every chunk.
    before = b"data: " + orjson.dumps(_chunk(prompt))[:-1]
    before += b',"choices":[{"index":0,"delta":'
    after = b',"logprobs":null,"finish_reason":null}]'
    after += b',"usage":null}' if prompt.usage_in_stream else b"}"
    start: JsonObject = {"role": "assistant", "content": "", "refusal": None}
    wrap = (b'{"content":', b"}")
    if reply.finish == "refusal":
        wrap = (b'{"refusal":', b"}")
    if reply.call:
        function = {"name": reply.call.name, "arguments": ""}
        call = {"index": 0, "id": reply.call.id, "type": "function"}
        start |= {"content": None, "tool_calls": [{**call, "function": function}]}
        wrap = (b'{"tool_calls":[{"index":0,"function":{"arguments":', b"}}]}")
    choice = {"index": 0, "delta": {}, "logprobs": None}
    last: list[JsonObject] = [
        {"choices": [{**choice, "finish_reason": _finish(reply)}]}
    ]
    if prompt.usage_in_stream:
        last[0]["usage"] = None
        last.append({"choices": [], "usage": _usage(reply)})
    events = [b"data: " + orjson.dumps({**_chunk(prompt), **chunk}) for chunk in last]
    # Joined as bytes, because benchmarks run a thousand streams at once.
    left, right = before + wrap[0], wrap[1] + after + b"\n\n"
    return Frames(
        opening=before + orjson.dumps(start) + after + b"\n\n",
        tokens=tuple(left + orjson.dumps(piece) + right for piece in reply.pieces),
        closing=b"\n\n".join([*events, b"data: [DONE]", b""]),
        failure=b"data: " + orjson.dumps(error(500, "Failed in mid-stream.")) + b"\n\n",
    )


def _chunk(prompt: ScriptedPrompt) -> JsonObject:
    return {
        "id": f"chatcmpl-{prompt.identity}",
        "object": "chat.completion.chunk",
        "created": MADE_AT,
        "model": prompt.model,
        "system_fingerprint": "fp_scripted",
    }


def error(status: int, message: str, code: str | None = None) -> JsonObject:
    """Return an error in OpenAI's format."""
    kind = _ERROR_TYPES.get(status, "server_error")
    content = {"message": message, "type": kind, "param": None, "code": code}
    return {"error": content}


def models(names: Sequence[str]) -> JsonObject:
    """Return the list of models."""
    rows = [
        {"id": name, "object": "model", "created": MADE_AT, "owned_by": "scripted"}
        for name in names
    ]
    return {"object": "list", "data": rows}


def embeddings(
    body: JsonObject, vectors: Sequence[Sequence[float]], tokens: int
) -> JsonObject:
    """Return vectors as numbers or as base64 of little-endian floats."""
    rows: list[JsonObject] = []
    for index, vector in enumerate(vectors):
        shown: object = vector
        if body.get("encoding_format") == "base64":
            packed = struct.pack(f"<{len(vector)}f", *vector)
            shown = base64.b64encode(packed).decode()
        rows.append({"object": "embedding", "index": index, "embedding": shown})
    return {
        "object": "list",
        "data": rows,
        "model": body.get("model", ""),
        "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
    }


def embedding_input(body: JsonObject) -> list[str]:
    """Return the texts to embed; tokens count as their numbers."""
    given = body.get("input")
    if given in ("", [], None):
        message = "'input' must not be empty."
        raise UnreadableRequestError(message)
    if isinstance(given, list) and not isinstance(given[0], int):
        return [_as_text(member) for member in given]
    return [_as_text(given)]


def _as_text(member: object) -> str:
    if isinstance(member, list):
        return " ".join(map(str, member))
    return str(member)
