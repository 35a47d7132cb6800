"""Fills any JSON schema validly, from the words and numbers of the prompt."""

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any
from zlib import crc32

from dossier.testing.model_server.conversation import JsonObject
from dossier.testing.model_server.tokens import words

# The parser behind `re`: public until 3.11, and the one description of a pattern.
from re import _constants as kinds  # type: ignore[attr-defined]  # isort: skip
from re import _parser as parser  # type: ignore[attr-defined]  # isort: skip

_DEEP = 8
"""Below this depth the shortest way out of a recursive schema is taken."""
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
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
_STEPS = 1_000_000
"""Fraction of the distance of the bounds that is kept from an excluded bound."""
_CATEGORIES = {
    kinds.CATEGORY_DIGIT: "0",
    kinds.CATEGORY_WORD: "a",
    kinds.CATEGORY_SPACE: " ",
    kinds.CATEGORY_NOT_DIGIT: "a",
    kinds.CATEGORY_NOT_WORD: "-",
    kinds.CATEGORY_NOT_SPACE: "a",
}
_SENTENCE = re.compile(r"[^\n]+?(?:[.!?](?=\s|$)|[。\uff01\uff1f]|(?=\n)|$)")


@dataclass(frozen=True, slots=True)
class Filler:
    """Fills one schema from one text; the same text gives the same values."""

    root: JsonObject
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
        return self._of_type(schema, name, depth)

    def _of_type(self, schema: JsonObject, name: str, depth: int) -> Any:
        match _type(schema, depth):
            case "object":
                return self._object(schema, depth)
            case "array":
                return self._array(schema, name, depth)
            case "integer" | "number" as kind:
                return _number(schema, self._near(name), whole=kind == "integer")
            case "boolean":
                return bool(crc32(f"{name}{self.text}".encode()) & 1)
            case "null":
                return None
            case _:
                return self._string(schema, name)

    def _resolved(self, schema: JsonObject, depth: int) -> JsonObject:
        """Follow references, join `allOf`, and choose one of `anyOf`."""
        while reference := schema.get("$ref"):
            target: Any = self.root
            for step in reference.removeprefix("#").strip("/").split("/"):
                if step:
                    target = target[step.replace("~1", "/").replace("~0", "~")]
            rest = {key: value for key, value in schema.items() if key != "$ref"}
            schema = {**target, **rest}
        for part in schema.get("allOf", ()):
            schema = _joined(schema, self._resolved(part, depth))
        options = schema.get("anyOf") or schema.get("oneOf")
        if not options:
            return schema
        plain = [option for option in options if option.get("type") == "null"]
        flat = [option for option in options if "$ref" not in option]
        filled = [option for option in options if option.get("type") != "null"]
        chosen = filled or options
        if depth > _DEEP:  # a schema may refer to itself
            chosen = plain or flat or chosen
        rest = {k: v for k, v in schema.items() if k not in {"anyOf", "oneOf"}}
        return _joined(rest, self._resolved(chosen[0], depth))

    def _object(self, schema: JsonObject, depth: int) -> JsonObject:
        properties: JsonObject = schema.get("properties", {})
        required = schema.get("required", [])
        wanted = [name for name in properties if depth <= _DEEP or name in required] + [
            name for name in required if name not in properties
        ]
        filled = {
            name: self._value(properties.get(name, {"type": "string"}), name, depth + 1)
            for name in wanted
        }
        # Members of any name, as many as the schema asks for.
        extra = schema.get("additionalProperties")
        least = max(schema.get("minProperties", 0), 1 if isinstance(extra, dict) else 0)
        added = range(len(filled), least if depth <= _DEEP else 0)
        return filled | {
            name: self._value(extra or {}, name, depth + 1)
            for name in (f"key_{number}" for number in added)
        }

    def _array(self, schema: JsonObject, name: str, depth: int) -> list[Any]:
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
        for source in (self._near(name).casefold(), self.text.casefold()):
            for option in named:
                if option.casefold() in source:
                    return option
        return options[crc32(f"{name}{self.text}".encode()) % len(options)]

    def _string(self, schema: JsonObject, name: str) -> str:
        if "pattern" in schema:
            return matching(schema["pattern"], self.text)
        if schema.get("format") in _FORMATS:
            return _FORMATS[schema["format"]]
        found: str = self._labelled(name) or self._near(name) or "scripted"
        found = found[: int(schema.get("maxLength", 200))].strip()
        return found.ljust(int(schema.get("minLength", 0)), ".")

    def _labelled(self, name: str) -> str:
        """Return what stands after `name:` in the text."""
        label = re.escape(name).replace("_", "[ _-]")
        end = r"(?:\.\s|[;\n]|\.?$)"
        found = re.search(rf"(?im)\b{label}\s*[:\uff1a=]\s*(.+?){end}", self.text)
        return found[1].strip() if name and found else ""

    def _near(self, name: str) -> str:
        """Return the value labelled with a name, else the nearest sentence to it."""
        if labelled := self._labelled(name):
            return labelled
        wanted = set(words(name.replace("_", " ")))
        sentences: list[str] = _SENTENCE.findall(self.text)[-200:] or [self.text]
        if not wanted:
            return sentences[-1].strip()
        return max(
            reversed(sentences), key=lambda s: len(wanted & set(words(s)))
        ).strip()


def _type(schema: JsonObject, depth: int) -> str:
    kind: Any = schema.get("type")
    if isinstance(kind, list):
        filled = next((each for each in kind if each != "null"), "null")
        kind = "null" if depth > _DEEP and "null" in kind else filled
    if kind:
        return str(kind)
    keywords = {
        "object": ("properties", "required", "additionalProperties", "minProperties"),
        "array": ("items", "prefixItems", "minItems"),
        "number": ("minimum", "maximum", "exclusiveMinimum", "multipleOf"),
    }
    for guessed, keys in keywords.items():
        if any(key in schema for key in keys):
            return guessed
    return "string"


def _joined(left: JsonObject, right: JsonObject) -> JsonObject:
    both = {**left, **right}
    both.pop("allOf", None)
    for key in ("properties", "required"):
        if key in left and key in right:
            one, other = left[key], right[key]
            is_mapping = isinstance(one, dict)
            both[key] = {**one, **other} if is_mapping else [*one, *other]
    return both


def _distinct(values: list[Any], member: JsonObject) -> list[Any]:
    """Change equal values so that they differ, as far as their type allows."""
    if "enum" in member:
        return list(member["enum"][: len(values)])
    if all(a != b for a, b in pairwise(sorted(map(repr, values)))):
        return values
    changed = []
    for place, value in enumerate(values):
        if isinstance(value, str):
            changed.append(f"{place}{value}"[: max(len(value), 1)])
        else:
            is_number = isinstance(value, int | float)
            changed.append(value + place if is_number else value)
    return changed


def _number(schema: JsonObject, text: str, *, whole: bool) -> float:
    """Return the first number of the text that the schema allows, else one that is."""
    low, high = schema.get("minimum", -math.inf), schema.get("maximum", math.inf)
    lowest, highest = schema.get("exclusiveMinimum"), schema.get("exclusiveMaximum")
    least, most = float(lowest or 0), float(highest or 0)
    gap = 1 if whole else max(abs(most - least), abs(least), abs(most), 1) / _STEPS
    if lowest is not None:
        low = max(low, lowest + gap)
    if highest is not None:
        high = min(high, highest - gap)
    step = schema.get("multipleOf") or (1 if whole else None)
    candidates = [*map(float, _NUMBER.findall(text)), 1.0, 0.0]
    if math.isfinite(low) and math.isfinite(high):
        candidates.append((low + high) / 2)
    candidates += [bound for bound in (low, high) if math.isfinite(bound)]
    for candidate in candidates:
        value = candidate if step is None else round(candidate / step) * step
        if low <= value <= high:
            return int(value) if whole else value
    value = low if step is None else math.ceil(low / step) * step
    return int(value) if whole else value


def matching(pattern: str, text: str) -> str:
    """Return the first match in the text, else a short string that matches."""
    loose = pattern.removeprefix("^").removesuffix("$")
    whole = re.compile(pattern)
    for found in re.finditer(loose, text):
        if found[0] and whole.search(found[0]):
            return found[0]
    return _built(parser.parse(pattern))


def _built(parts: Sequence[tuple[Any, Any]]) -> str:
    # Anchors and lookarounds have no builder: they match no character.
    return "".join(_BUILDERS[kind](value) for kind, value in parts if kind in _BUILDERS)


def _repeat(value: Any) -> str:
    least, _, inner = value
    return _built(inner) * int(least)


def _one_of(options: Sequence[tuple[Any, Any]]) -> str:
    if options[0][0] is kinds.NEGATE:
        forbidden = re.compile(f"[{''.join(map(_class_source, options[1:]))}]")
        return next(c for c in "a0 -_A." if not forbidden.match(c))
    kind, value = options[0]
    if kind is kinds.RANGE:
        return chr(value[0])
    return _CATEGORIES[value] if kind is kinds.CATEGORY else chr(value)


def _class_source(option: tuple[Any, Any]) -> str:
    kind, value = option
    if kind is kinds.RANGE:
        return f"{re.escape(chr(value[0]))}-{re.escape(chr(value[1]))}"
    if kind is kinds.CATEGORY:
        return _CATEGORIES[value]
    return re.escape(chr(value))


_BUILDERS: dict[Any, Callable[[Any], str]] = {
    kinds.LITERAL: chr,
    kinds.NOT_LITERAL: lambda value: "a" if chr(value) != "a" else "b",
    kinds.ANY: lambda _: "a",
    kinds.IN: _one_of,
    kinds.CATEGORY: lambda value: _CATEGORIES[value],
    kinds.BRANCH: lambda value: _built(value[1][0]),
    kinds.SUBPATTERN: lambda value: _built(value[-1]),
    kinds.ATOMIC_GROUP: _built,
    kinds.MAX_REPEAT: _repeat,
    kinds.MIN_REPEAT: _repeat,
    kinds.POSSESSIVE_REPEAT: _repeat,
}
