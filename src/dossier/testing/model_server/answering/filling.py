"""Fills any JSON schema validly, from the words and numbers of the prompt."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any
from zlib import crc32

from dossier.testing.model_server.answering import bounded, patterns
from dossier.testing.model_server.answering.tokens import words
from dossier.testing.model_server.conversation import Json

_DEEP = 8
"""From here on the shortest way out of a recursive schema is taken."""
_FORMATS = {
    "date": "2026-01-31",
    "date-time": "2026-01-31T09:30:00Z",
    "time": "09:30:00Z",
    "duration": "P3D",
    "email": "someone@example.org",
    "hostname": "example.org",
    "uri": "https://example.org/",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "uuid": "018f0000-0000-7000-8000-000000000000",
}
_SENTENCE = re.compile(r"[^\n]+?(?:[.!?](?=\s|$)|[。\uff01\uff1f]|(?=\n)|$)")


@dataclass(frozen=True, slots=True)
class Filler:
    """Fills one schema from one text; the same text gives the same values."""

    root: Json
    text: str

    def fill(self) -> Any:
        """Return a value that the schema allows."""
        return self._value(self.root, "", 0)

    def _value(self, schema: Any, name: str, depth: int) -> Any:
        if not isinstance(schema, dict):  # `true` allows all
            return None
        schema = self._resolved(schema, depth)
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return self._chosen(schema["enum"], name)
        return self._typed(schema, name, depth)

    def _typed(self, schema: Json, name: str, depth: int) -> Any:
        match _type(schema, depth):
            case "object":
                return self._object(schema, depth)
            case "array":
                return self._array(schema, name, depth)
            case kind:
                return self._plain(schema, name, kind)

    def _plain(self, schema: Json, name: str, kind: str) -> Any:
        match kind:
            case "integer" | "number":
                return bounded.number(schema, self._near(name), whole=kind == "integer")
            case "boolean":
                return bool(crc32(f"{name}{self.text}".encode()) & 1)
            case "null":
                return None
            case _:
                return self._string(schema, name)

    def _resolved(self, schema: Json, depth: int) -> Json:
        """Follow references, join `allOf`, and choose one of `anyOf`."""
        while reference := schema.get("$ref"):
            rest = {key: value for key, value in schema.items() if key != "$ref"}
            schema = {**self._at(reference), **rest}
        for part in schema.get("allOf", ()):
            schema = _joined(schema, self._resolved(part, depth))
        options = schema.get("anyOf") or schema.get("oneOf")
        if options:
            rest = {k: v for k, v in schema.items() if k not in {"anyOf", "oneOf"}}
            return _joined(rest, self._resolved(self._option(options, depth), depth))
        return schema

    def _at(self, reference: str) -> Json:
        found: Any = self.root
        for step in reference.removeprefix("#").strip("/").split("/"):
            if step:
                found = found[step.replace("~1", "/").replace("~0", "~")]
        target: Json = found
        return target

    def _option(self, options: Sequence[Json], depth: int) -> Json:
        plain = [option for option in options if option.get("type") == "null"]
        flat = [option for option in options if "$ref" not in option]
        if depth > _DEEP and (plain or flat):
            return (plain or flat)[0]
        filled = [option for option in options if option.get("type") != "null"]
        return (filled or list(options))[0]

    def _object(self, schema: Json, depth: int) -> Json:
        properties: Json = schema.get("properties", {})
        required = schema.get("required", [])
        wanted = [name for name in properties if depth <= _DEEP or name in required] + [
            name for name in required if name not in properties
        ]
        filled = {
            name: self._value(properties.get(name, {"type": "string"}), name, depth + 1)
            for name in wanted
        }
        return filled | self._more(schema, len(filled), depth)

    def _more(self, schema: Json, there: int, depth: int) -> Json:
        """Add members of a free name where the schema wants some."""
        extra = schema.get("additionalProperties")
        least = max(schema.get("minProperties", 0), 1 if isinstance(extra, dict) else 0)
        least = least if there < least and depth <= _DEEP else there
        return {
            f"key_{number}": self._value(extra or {}, f"key_{number}", depth + 1)
            for number in range(there, least)
        }

    def _array(self, schema: Json, name: str, depth: int) -> list[Any]:
        first = [
            self._value(member, f"{name} {place}", depth + 1)
            for place, member in enumerate(schema.get("prefixItems", ()))
        ]
        least = schema.get("minItems", 0)
        wanted = least if depth > _DEEP else max(least, 1)
        wanted = min(wanted, schema.get("maxItems", wanted))
        member = schema.get("items", not first)
        if member is False or member is True:
            return first
        names = (f"{name} {place}" for place in range(wanted - len(first)))
        more = [self._value(member, each, depth + 1) for each in names]
        return first + (
            _distinct(more, self._resolved(member, depth))
            if schema.get("uniqueItems")
            else more
        )

    def _chosen(self, options: Sequence[Any], name: str) -> Any:
        """Return the option that the text names, else one by the text's hash."""
        named = [option for option in options if isinstance(option, str) and option]
        for said in (self._near(name).casefold(), self.text.casefold()):
            for option in named:
                if option.casefold() in said:
                    return option
        return options[crc32(f"{name}{self.text}".encode()) % len(options)]

    def _string(self, schema: Json, name: str) -> str:
        if "pattern" in schema:
            return patterns.matching(schema["pattern"], self.text)
        if schema.get("format") in _FORMATS:
            return _FORMATS[schema["format"]]
        found: str = self._told(name) or self._near(name) or "scripted"
        found = found[: int(schema.get("maxLength", 200))].strip()
        return found.ljust(int(schema.get("minLength", 0)), ".")

    def _told(self, name: str) -> str:
        """Return what stands after `name:` in the text."""
        label = re.escape(name).replace("_", "[ _-]")
        end = r"(?:\.\s|[;\n]|\.?$)"
        found = re.search(rf"(?im)\b{label}\s*[:\uff1a=]\s*(.+?){end}", self.text)
        return found[1].strip() if name and found else ""

    def _near(self, name: str) -> str:
        """Return what the text says of a name: its line, else the best sentence."""
        if told := self._told(name):
            return told
        wanted = set(words(name.replace("_", " ")))
        sentences: list[str] = _SENTENCE.findall(self.text)[-200:] or [self.text]
        if not wanted:
            return sentences[-1].strip()
        return max(
            reversed(sentences), key=lambda s: len(wanted & set(words(s)))
        ).strip()


def _type(schema: Json, depth: int) -> str:
    kind: Any = schema.get("type")
    if isinstance(kind, list):
        kind = "null" if depth > _DEEP and "null" in kind else _first_filled(kind)
    return str(kind or _guessed(schema))


def _first_filled(kinds: Sequence[str]) -> str:
    return next((kind for kind in kinds if kind != "null"), "null")


def _guessed(schema: Json) -> str:
    signs = {
        "object": ("properties", "required", "additionalProperties", "minProperties"),
        "array": ("items", "prefixItems", "minItems"),
        "number": ("minimum", "maximum", "exclusiveMinimum", "multipleOf"),
    }
    for kind, keys in signs.items():
        if any(key in schema for key in keys):
            return kind
    return "string"


def _joined(left: Json, right: Json) -> Json:
    both = {**left, **right}
    both.pop("allOf", None)
    for key in ("properties", "required"):
        if key in left and key in right:
            both[key] = _sum(left[key], right[key])
    return both


def _sum(left: Any, right: Any) -> Any:
    return {**left, **right} if isinstance(left, dict) else [*left, *right]


def _distinct(values: list[Any], member: Json) -> list[Any]:
    """Change values that stand twice, as far as their type lets them be changed."""
    if "enum" in member:
        return list(member["enum"][: len(values)])
    if all(a != b for a, b in pairwise(sorted(map(repr, values)))):
        return values
    return [_numbered(value, place) for place, value in enumerate(values)]


def _numbered(value: Any, place: int) -> Any:
    if isinstance(value, str):
        return f"{place}{value}"[: max(len(value), 1)]
    return value + place if isinstance(value, int | float) else value
