"""Requests made from the OpenAPI document: whatever a schema requires, filled in."""

from typing import Any

Document = dict[str, Any]

UPLOAD = ("formula.csv", b"INCI,%\nAqua,100\n", "text/csv")


def body_of(document: Document, operation: Document) -> dict[str, Any]:
    """Return the arguments of a request that carry a body the route accepts."""
    if operation.get("x-upload"):
        return {"files": {"file": UPLOAD}}
    content = operation.get("requestBody", {}).get("content", {})
    if "application/json" in content:
        return {"json": sample(document, content["application/json"]["schema"])}
    return {}


def sample(document: Document, schema: Document) -> Any:
    """Return a value that fits a schema; its first example where it has one."""
    schema = resolved(document, schema)
    given = schema.get("examples") or schema.get("enum")
    if given:
        return given[0]
    if "const" in schema:
        return schema["const"]
    if "anyOf" in schema:
        return sample(document, schema["anyOf"][0])
    return _of_type(document, schema)


def resolved(document: Document, schema: Document) -> Document:
    """Follow a reference into the document's components."""
    if "$ref" not in schema:
        return schema
    found: Document = document
    for step in schema["$ref"].removeprefix("#/").split("/"):
        found = found[step]
    return found


def _of_type(document: Document, schema: Document) -> Any:
    kind = schema.get("type", "object")
    if kind == "object":
        required = schema.get("required", [])
        return {n: sample(document, schema["properties"][n]) for n in required}
    if kind == "array":
        count = schema.get("minItems", 0)
        return [sample(document, schema["items"]) for _ in range(count)]
    plain: dict[str, Any] = {
        "integer": schema.get("minimum", 1),
        "number": schema.get("minimum", 1),
        "boolean": True,
        "string": _text(schema),
    }
    return plain.get(kind)


def _text(schema: Document) -> str:
    if schema.get("format") == "uuid":
        return "0190f000-0000-7000-8000-00000000dead"
    length: int = schema.get("minLength", 1)
    return "x" * max(1, length)
