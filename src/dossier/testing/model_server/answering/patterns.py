"""Strings that match a regular expression: found in a text, or built."""

import re
from collections.abc import Callable, Sequence
from typing import Any

# The parser behind `re`: public until 3.11, and the one description of a pattern.
from re import _constants as kinds  # type: ignore[attr-defined]  # isort: skip
from re import _parser as parser  # type: ignore[attr-defined]  # isort: skip

_CATEGORIES = {
    kinds.CATEGORY_DIGIT: "0",
    kinds.CATEGORY_WORD: "a",
    kinds.CATEGORY_SPACE: " ",
    kinds.CATEGORY_NOT_DIGIT: "a",
    kinds.CATEGORY_NOT_WORD: "-",
    kinds.CATEGORY_NOT_SPACE: "a",
}


def matching(pattern: str, text: str) -> str:
    """Return the first match in the text, else the shortest string that is simple."""
    loose = pattern.removeprefix("^").removesuffix("$")
    whole = re.compile(pattern)
    for found in re.finditer(loose, text):
        if found[0] and whole.search(found[0]):
            return found[0]
    return _built(parser.parse(pattern))


def _built(parts: Sequence[tuple[Any, Any]]) -> str:
    return "".join(_part(kind, value) for kind, value in parts)


def _part(kind: Any, value: Any) -> str:
    builder = _BUILDERS.get(kind)
    return builder(value) if builder else ""  # anchors and looks take no room


def _not_literal(value: int) -> str:
    return "a" if chr(value) != "a" else "b"


def _repeat(value: Any) -> str:
    least, _, inner = value
    return _built(inner) * int(least)


def _branch(value: Any) -> str:
    return _built(value[1][0])


def _in(options: Sequence[tuple[Any, Any]]) -> str:
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
    kinds.NOT_LITERAL: _not_literal,
    kinds.ANY: lambda _: "a",
    kinds.IN: _in,
    kinds.CATEGORY: lambda value: _CATEGORIES[value],
    kinds.BRANCH: _branch,
    kinds.SUBPATTERN: lambda value: _built(value[-1]),
    kinds.ATOMIC_GROUP: _built,
    kinds.MAX_REPEAT: _repeat,
    kinds.MIN_REPEAT: _repeat,
    kinds.POSSESSIVE_REPEAT: _repeat,
}
