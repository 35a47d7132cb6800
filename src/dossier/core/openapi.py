"""The OpenAPI document: every route says how it fails and who may call it."""

from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import iter_route_contexts

from dossier.core.problems import PROBLEM_CONTENT

DESCRIPTION = (
    "Turns a cosmetic brand's documents into an inspectable Product Information File. "
    "Every failure is a problem document; `/problems` lists their types."
)
PROBLEM_RESPONSES: dict[int | str, dict[str, Any]] = {
    "default": {
        "description": "A problem document (RFC 9457).",
        "content": PROBLEM_CONTENT,
    }
}
_TEXT = {"type": "string"}
_PROBLEM = {
    "type": "object",
    "title": "Problem",
    "required": ["type", "code", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "format": "uri-reference"},
        "code": _TEXT,
        "title": _TEXT,
        "status": {"type": "integer"},
        "detail": _TEXT,
        "instance": {"type": "string", "format": "uri-reference"},
        "request_id": _TEXT,
        "retry_after": {"type": "integer", "description": "Seconds."},
        "limit": {"type": "object", "description": "Which limit was met, of 402, 429."},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["pointer", "detail", "code"],
                "properties": {"pointer": _TEXT, "detail": _TEXT, "code": _TEXT},
            },
        },
        "errors_total": {
            "type": "integer",
            "description": "How many there are, where not all are listed.",
        },
    },
}
_BEARER = {
    "type": "http",
    "scheme": "bearer",
    "bearerFormat": "JWT",
    "description": "From `POST /api/v1/auth/login`; not needed in open mode.",
}
_API_KEY = {
    "type": "apiKey",
    "in": "header",
    "name": "X-API-Key",
    "description": (
        "From `POST /api/v1/api-keys`; may be sent as `Authorization: Bearer` as well."
    ),
}
_SECURITY: list[dict[str, list[str]]] = [{"bearer": []}, {"apiKey": []}]
"""Either of them."""
_METHODS = frozenset({"get", "put", "post", "patch", "delete"})


def describe(app: FastAPI) -> None:
    """Replace the app's OpenAPI document; it is built once, at the first request."""

    def document() -> dict[str, Any]:
        if app.openapi_schema is not None:
            return app.openapi_schema
        document = get_openapi(
            title=app.title,
            version=app.version,
            description=DESCRIPTION,
            routes=list(iter_route_contexts(app.routes)),
        )
        components = document.setdefault("components", {})
        components.setdefault("schemas", {})["Problem"] = _PROBLEM
        components["securitySchemes"] = {"bearer": _BEARER, "apiKey": _API_KEY}
        for _method, _path, operation in operations(document):
            operation["security"] = [] if is_public(operation) else _SECURITY
        app.openapi_schema = document
        return document

    app.openapi = document  # type: ignore[method-assign] # FastAPI's documented way


def is_public(operation: dict[str, Any]) -> bool:
    """Return whether an operation answers without a log-in."""
    return bool(operation.get("x-public"))


def operations(
    document: dict[str, Any],
) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield method, path and description of every operation."""
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if method in _METHODS:
                yield method, path, operation
