"""Whether an embedder knows a language: do sentences of one meaning lie together?"""

import json
import math
from collections.abc import Sequence
from importlib.resources import files
from operator import mul

LANGUAGES = ("en", "zh")
_SHARE_NEEDED = 0.8

Vector = Sequence[float]


def load_pairs(language: str) -> list[tuple[str, str]]:
    """Return sentences that mean the same, though they share few words."""
    text = (files(__package__) / "data" / "pairs.json").read_text("utf-8")
    return [(one, other) for one, other in json.loads(text)[language]]


def sentences(pairs: Sequence[tuple[str, str]]) -> list[str]:
    """Return all sentences, partners next to each other."""
    return [sentence for pair in pairs for sentence in pair]


def separates(vectors: Sequence[Vector]) -> bool:
    """Tell whether partners are nearest to each other often enough.

    Vector 0 belongs to 1, 2 to 3, and so on. A model that has never seen a language
    puts its sentences anywhere, or all in one place.
    """
    units = [_unit(vector) for vector in vectors]
    hits = sum(_finds_partner(units, at) for at in range(len(units)))
    return bool(units) and hits >= _SHARE_NEEDED * len(units)


def _finds_partner(units: Sequence[Vector], at: int) -> bool:
    nearness = [_dot(units[at], other) for other in units]
    nearness[at] = -math.inf
    partner = nearness.pop(at ^ 1)
    return partner > max(nearness)


def _unit(vector: Vector) -> Vector:
    length = math.sqrt(_dot(vector, vector)) or 1.0
    return [number / length for number in vector]


def _dot(one: Vector, other: Vector) -> float:
    return float(sum(map(mul, one, other)))
