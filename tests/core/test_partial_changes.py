"""Every route that changes a part of an object: PATCH, over the OpenAPI document."""

from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from tests.core.openapi_samples import Document, filled, resolved

from dossier.core.openapi import operations

pytestmark = pytest.mark.usefixtures("acting_members")


def patches(document: Document) -> Iterator[tuple[str, Document, Document]]:
    """Yield the path, the operation and the body's schema of each PATCH."""
    for method, path, operation in operations(document):
        if method == "patch":
            content = operation["requestBody"]["content"]["application/json"]
            yield path, operation, resolved(document, content["schema"])


def partial_bodies(
    document: Document, schema: Document
) -> Iterator[tuple[dict[str, Any], bool]]:
    """Yield bodies that name one member, and whether the schema has such a value."""
    for name, member in schema["properties"].items():
        kinds = [resolved(document, each) for each in member.get("anyOf", [member])]
        yield {name: None}, any(each.get("type") == "null" for each in kinds)
        for kind in kinds:
            if kind.get("type") == "object":
                yield {name: {}}, True
                for inner, is_valid in partial_bodies(
                    document, {"properties": {}} | kind
                ):
                    yield {name: inner}, is_valid


def test_no_member_has_a_default(document: Document) -> None:
    """A client that sends the defaults it reads would change what it did not mean."""
    shown = [
        f"{path} {name}"
        for path, _operation, schema in patches(document)
        for name, member in schema["properties"].items()
        if "default" in member
    ]

    assert shown == []


async def test_part_of_an_object_is_merged_or_refused(
    client: httpx2.AsyncClient, document: Document, known_ids: dict[str, str]
) -> None:
    wrong, sent = [], 0
    for path, operation, schema in patches(document):
        url = filled(document, path, operation, known_ids)
        for body, is_valid in partial_bodies(document, schema):
            sent += 1
            changed = await client.patch(url, json=body)
            shown = await client.get(url)
            # A rule may refuse what the schema has: a product without a name.
            expected = {200, 422} if is_valid else {422}
            if changed.status_code not in expected or not shown.is_success:
                wrong.append((path, body, changed.text[:200], shown.text[:200]))

    assert sent > 30
    assert wrong == []


async def test_empty_change_changes_nothing(
    client: httpx2.AsyncClient, document: Document, known_ids: dict[str, str]
) -> None:
    wrong = []
    for path, operation, schema in patches(document):
        if schema.get("required"):
            continue
        url = filled(document, path, operation, known_ids)
        before = await client.get(url)
        changed = await client.patch(url, json={})
        after = await client.get(url)
        if not changed.is_success or before.json() != after.json():
            wrong.append((path, changed.text, before.text, after.text))

    assert wrong == []
