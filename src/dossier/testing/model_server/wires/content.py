"""Reading request bodies that may hold anything."""

from typing import Any

from dossier.testing.model_server.conversation import Json, UnreadableRequestError


def all_of_type(body: Json, name: str, kind: type) -> list[Any]:
    """Return a list that the wire demands, or raise."""
    members = body.get(name)
    if not members or not isinstance(members, list):
        message = f"Missing required parameter: '{name}'."
        raise UnreadableRequestError(message)
    if not all(isinstance(member, kind) for member in members):
        message = f"Invalid type for a member of '{name}'."
        raise UnreadableRequestError(message)
    return members


def listed(value: Any) -> list[Any]:
    """Return a list, one value as a list of one, nothing as an empty one."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def integer(body: Json, *names: str) -> int | None:
    """Return the first of several numbers that is given."""
    for name in names:
        value = body.get(name)
        if value is not None:
            return _counted(name, value)
    return None


def _counted(name: str, value: object) -> int:
    if not isinstance(value, int) or value < 1:
        message = f"Invalid value for '{name}': expected a positive integer."
        raise UnreadableRequestError(message)
    return value


def text_of(content: object) -> str:
    """Return the text of a message, whether whole or in parts."""
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else []
    return "\n".join(_part(part) for part in parts if isinstance(part, dict))


def _part(part: Json) -> str:
    if part.get("type") == "tool_result":
        return text_of(part.get("content"))
    return str(part.get("text", ""))
