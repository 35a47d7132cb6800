"""Tests whether an embedder knows a language: sentences of one meaning lie together."""

import json
import math
from collections.abc import Sequence
from importlib.resources import files
from operator import mul

LANGUAGES = ("en", "zh")
_SHARE_NEEDED = 0.8

Vector = Sequence[float]


def load_pairs(language: str) -> list[tuple[str, str]]:
    """Return pairs of sentences of one meaning that share few words."""
    text = (files(__package__) / "data" / "pairs.json").read_text("utf-8")
    return [(one, other) for one, other in json.loads(text)[language]]


def sentences(pairs: Sequence[tuple[str, str]]) -> list[str]:
    """Return all sentences, partners next to each other."""
    return [sentence for pair in pairs for sentence in pair]


def separates(vectors: Sequence[Vector]) -> bool:
    """Return whether partners are nearest to each other often enough.

    Vector 0 belongs to 1, 2 to 3, and so on. A model that was not trained on a language
    puts its sentences anywhere, or all in one place.
    """
    units = []
    for vector in vectors:
        length = math.hypot(*vector) or 1.0
        units.append([number / length for number in vector])
    hits = 0
    for at, unit in enumerate(units):
        nearness = [sum(map(mul, unit, other)) for other in units]
        nearness[at] = -math.inf
        partner = nearness.pop(at ^ 1)
        hits += partner > max(nearness)
    return bool(units) and hits >= _SHARE_NEEDED * len(units)
