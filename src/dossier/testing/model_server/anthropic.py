"""Anthropic's wire format: messages, whole or as the sequence of events."""

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

_ERROR_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    404: "not_found_error",
    429: "rate_limit_error",
    529: "overloaded_error",
}
_STOP_REASONS = {
    "stop": "end_turn",
    "length": "max_tokens",
    "tool_calls": "tool_use",
    "content_filter": "refusal",
    "refusal": "refusal",
}


def read(body: JsonObject, identity: str) -> ScriptedPrompt:
    """Return the prompt of a request."""
    messages = all_of_type(body, "messages", dict)
    limit = integer(body, "max_tokens")
    if limit is None:
        message = "max_tokens: Field required"
        raise UnreadableRequestError(message)
    choice = body.get("tool_choice") or {}
    config = body.get("output_config") or {}
    form = config.get("format") or body.get("output_format") or {}
    system = text_of(body.get("system"))
    opening = (PromptTurn("system", system),) if system else ()
    return ScriptedPrompt(
        model=str(body.get("model", "")),
        turns=(*opening, *(_turn(message) for message in messages)),
        tools=tuple(
            Tool(tool["name"], tool.get("input_schema") or {})
            for tool in listed(body.get("tools"))
            if choice.get("type") != "none"
            and choice.get("name") in (None, tool["name"])
        ),
        called=tuple(
            part["name"]
            for message in messages
            for part in listed(message.get("content"))
            if isinstance(part, dict) and part.get("type") == "tool_use"
        ),
        must_call=choice.get("type") in {"any", "tool"},
        schema=form.get("schema"),
        max_tokens=limit,
        stop=tuple(listed(body.get("stop_sequences"))),
        stream=bool(body.get("stream")),
        identity=identity,
    )


def check_begun(prompt: ScriptedPrompt) -> None:
    """Refuse a last message of the assistant that ends in white space."""
    if prompt.begun != prompt.begun.rstrip():
        message = (
            "messages: final assistant content cannot end with trailing whitespace"
        )
        raise UnreadableRequestError(message)


def _turn(message: JsonObject) -> PromptTurn:
    role = str(message.get("role"))
    if role not in {"user", "assistant"}:
        problem = f"messages: Unexpected role {role!r}."
        raise UnreadableRequestError(problem)
    content = listed(message.get("content"))
    if content and all(
        isinstance(part, dict) and part.get("type") == "tool_result" for part in content
    ):
        role = "tool"
    return PromptTurn(role, text_of(message.get("content")))


def whole(prompt: ScriptedPrompt, reply: Reply) -> JsonObject:
    """Return the body of an answer that is not streamed."""
    block: JsonObject = {"type": "text", "text": reply.text, "citations": None}
    if reply.call:
        block = {
            "type": "tool_use",
            "id": reply.call.id,
            "name": reply.call.name,
            "input": orjson.loads(reply.call.arguments),
        }
    return {
        **_message(prompt),
        "content": [block],
        "stop_reason": _STOP_REASONS[reply.finish],
        "usage": _usage(reply, reply.output_tokens),
    }


def _message(prompt: ScriptedPrompt) -> JsonObject:
    return {
        "id": f"msg_{prompt.identity}",
        "type": "message",
        "role": "assistant",
        "model": prompt.model,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
    }


def _usage(reply: Reply, written: int) -> JsonObject:
    return {
        "input_tokens": reply.input_tokens,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 0,
        "output_tokens": written,
        "service_tier": "standard",
    }


def frames(prompt: ScriptedPrompt, reply: Reply) -> Frames:
    """Return the events of a streamed answer."""
    block: JsonObject = {"type": "text", "text": "", "citations": None}
    delta = b'{"type":"text_delta","text":'
    if reply.call:
        block = {"type": "tool_use", "id": reply.call.id, "name": reply.call.name}
        block["input"] = {}
        delta = b'{"type":"input_json_delta","partial_json":'
    left = (
        b"event: content_block_delta\n"
        b'data: {"type":"content_block_delta","index":0,"delta":' + delta
    )
    message = {**_message(prompt), "usage": _usage(reply, 1)}
    stop = {"stop_reason": _STOP_REASONS[reply.finish], "stop_sequence": None}
    usage = {"output_tokens": reply.output_tokens}
    return Frames(
        opening=b"".join(
            [
                _event("message_start", message=message),
                _event("content_block_start", index=0, content_block=block),
                _event("ping"),
            ]
        ),
        tokens=tuple(left + orjson.dumps(p) + b"}}\n\n" for p in reply.pieces),
        closing=b"".join(
            [
                _event("content_block_stop", index=0),
                _event("message_delta", delta=stop, usage=usage),
                _event("message_stop"),
            ]
        ),
        failure=b"event: error\ndata: "
        + orjson.dumps(error(529, "Overloaded"))
        + b"\n\n",
    )


def _event(kind: str, **data: object) -> bytes:
    content = orjson.dumps({"type": kind, **data})
    return b"event: " + kind.encode() + b"\ndata: " + content + b"\n\n"


def error(status: int, message: str, _code: str | None = None) -> JsonObject:
    """Return an error in Anthropic's format."""
    kind = _ERROR_TYPES.get(status, "api_error")
    return {
        "type": "error",
        "error": {"type": kind, "message": message},
        "request_id": "req_scripted",
    }
