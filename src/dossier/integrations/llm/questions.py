"""Small questions that show what a server can do, in both wires."""

from typing import Any

import orjson

from dossier.integrations.llm.plan import ModelServer
from dossier.integrations.llm.vendors import PLAIN, manners_of

_TOOL = "report_weather"
_MAX_TOKENS = 256
_SCHEMA = {
    "type": "object",
    "properties": {"sum": {"type": "integer"}},
    "required": ["sum"],
    "additionalProperties": False,
}
_CITY = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}


def tool_question(server: ModelServer, model: str) -> dict[str, Any]:
    """Ask for something that only a tool can do."""
    text = f"Call the tool {_TOOL} for the city of Taipei. Do not answer in words."
    about = "Reports the weather of a city."
    tool: dict[str, Any] = {"name": _TOOL, "description": about}
    if server.wire == "anthropic":
        tools = [tool | {"input_schema": _CITY}]
    else:
        tools = [{"type": "function", "function": tool | {"parameters": _CITY}}]
    return _question(server, model, text) | {"tools": tools}


def schema_question(server: ModelServer, model: str) -> dict[str, Any]:
    """Ask for a filled form."""
    asked = _question(server, model, "What is 2 + 3? Fill in the form.")
    if server.wire == "anthropic":
        form = {"format": {"type": "json_schema", "schema": _SCHEMA}}
        return asked | {"output_config": form}
    named = {"name": "answer", "schema": _SCHEMA, "strict": True}
    return asked | {"response_format": {"type": "json_schema", "json_schema": named}}


def calls_tool(told: Any) -> bool:
    """Tell whether the tool was called."""
    if "content" in told:
        return any(block.get("type") == "tool_use" for block in told["content"])
    calls = told["choices"][0]["message"].get("tool_calls") or ()
    return any(call["function"]["name"] == _TOOL for call in calls)


def fills_schema(told: Any) -> bool:
    """Tell whether the form, and nothing else, was filled in."""
    try:
        form = orjson.loads(_text(told))
    except orjson.JSONDecodeError:
        return False
    return isinstance(form, dict) and form.keys() == {"sum"}


def _text(told: Any) -> str:
    if "content" in told:
        return "".join(block.get("text", "") for block in told["content"])
    return str(told["choices"][0]["message"].get("content") or "")


def _question(server: ModelServer, model: str, text: str) -> dict[str, Any]:
    is_ours = server.wire == "openai" and server.is_vendor
    limit = "max_completion_tokens" if is_ours else "max_tokens"
    has_manners = server.wire == "anthropic" or server.is_vendor
    manners = manners_of(model) if has_manners else PLAIN
    return {
        "model": model,
        "messages": [{"role": "user", "content": text}],
        limit: _MAX_TOKENS,
        **manners.extra,
    }
