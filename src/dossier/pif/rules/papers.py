"""The kinds of papers and the words by which they are known, read from data."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperKind:
    """A kind of paper and the requirements that it is evidence for.

    Words decide, hints only add to them. `name_…` are looked for in the file name,
    `content_…` in the text.
    """

    kind: str
    zh: str
    en: str
    serves: tuple[str, ...]
    name_words: frozenset[str]
    name_hints: frozenset[str]
    content_words: frozenset[str]
    content_hints: frozenset[str]


@cache
def paper_kinds() -> tuple[PaperKind, ...]:
    """Return all kinds of papers."""
    text = resources.files("dossier.pif").joinpath("data/tw_papers.json")
    data = json.loads(text.read_text(encoding="utf-8"))
    return tuple(_kind(entry) for entry in data["papers"])


def _kind(entry: Mapping[str, Any]) -> PaperKind:
    lists = ("name_words", "name_hints", "content_words", "content_hints")
    return PaperKind(
        kind=entry["kind"],
        zh=entry["zh"],
        en=entry["en"],
        serves=tuple(entry["serves"]),
        **{name: frozenset(entry[name]) for name in lists},
    )
