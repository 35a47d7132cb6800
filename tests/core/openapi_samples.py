"""Requests made from the OpenAPI document: whatever a schema requires, filled in."""

import importlib
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from uuid import UUID

from dossier.core.database import SessionFactory
from dossier.core.openapi import operations

Document = dict[str, Any]

Maker = Callable[[SessionFactory, UUID], Awaitable[object]]

FACTORIES = Path(__file__).parents[1] / "factories"
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


def maker_of(name: str) -> Maker | None:
    """Return `make_thing` of the factories for an id called `thing_id`."""
    for path in sorted(FACTORIES.glob("*.py")):
        module = importlib.import_module(f"tests.factories.{path.stem}")
        maker: Maker | None = getattr(module, f"make_{name.removesuffix('_id')}", None)
        if maker is not None:
            return maker
    return None


def path_parameters(operation: Document) -> list[Document]:
    return [each for each in operation.get("parameters", ()) if each["in"] == "path"]


def is_id(parameter: Document) -> bool:
    return bool(parameter["schema"].get("format") == "uuid")


def id_names(document: Document) -> set[str]:
    return {
        each["name"]
        for _method, _path, operation in operations(document)
        for each in path_parameters(operation)
        if is_id(each)
    }


def filled(document: Document, path: str, operation: Document, ids: Any) -> str:
    """Return the path with ids that exist and other values that fit."""
    values = {
        each["name"]: ids[each["name"]]
        if is_id(each)
        else sample(document, each["schema"])
        for each in path_parameters(operation)
    }
    return path.format(**values)
