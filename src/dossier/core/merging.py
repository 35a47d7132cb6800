"""Partial changes of stored objects: JSON Merge Patch (RFC 7396), validated whole."""

from collections.abc import Mapping
from typing import Any

from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError


def merged(
    kind: type[BaseModel], stored: Mapping[str, Any], changes: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the members of a stored object after a change, as JSON has them.

    Objects inside are merged, lists and other values replaced. What results is
    validated as `kind`, the body that states such an object whole.

    Raises:
        RequestValidationError: the result is not such an object; answered with 422.
    """
    result = _merge(stored, changes)
    try:
        return kind.model_validate(result).model_dump(mode="json")
    except ValidationError as exc:
        errors = [{**each, "loc": ("body", *each["loc"])} for each in exc.errors()]
        raise RequestValidationError(errors, body=result) from exc


def _merge(stored: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    result = dict(stored)
    for name, value in changes.items():
        before = result.get(name)
        if isinstance(value, dict) and isinstance(before, dict):
            result[name] = _merge(before, value)
        else:
            result[name] = value
    return result
