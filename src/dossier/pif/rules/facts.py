"""Which of a product's fields are filled, by the names that requirements use."""

from collections.abc import Mapping
from typing import Any


def filled_fields(facts: Mapping[str, Any]) -> frozenset[str]:
    """Return the names of the fields that hold something.

    A field inside another is named with a dot: `holder.address`.
    """
    names = set()
    for name, value in facts.items():
        if isinstance(value, Mapping):
            names |= {f"{name}.{inner}" for inner in filled_fields(value)}
        elif _is_filled(value):
            names.add(name)
    return frozenset(names)


def _is_filled(value: object) -> bool:
    return bool(value.strip()) if isinstance(value, str) else bool(value)
