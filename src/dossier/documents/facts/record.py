"""Kind and facts of a document as they are stored with it, and read again."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from decimal import Decimal
from typing import Any, Final

from dossier.documents.facts.folding import name_key, pieces
from dossier.documents.facts.kinds import document_kind
from dossier.documents.facts.reading import read_facts
from dossier.documents.facts.types import (
    Fact,
    FactState,
    KindReading,
    PageText,
)

OPENING_CHARACTERS: Final = 2_000
"""Of the text: a document without labelled names says here what it is about."""
MAX_CELLS: Final = 2_000
MAX_CELL_CHARACTERS: Final = 80


def read_record(pages: Sequence[PageText]) -> dict[str, Any]:
    """Read kind and facts; the result is JSON, with decimals as strings."""
    kind = document_kind(pages)
    text = "\n".join(page.text for page in pages if page.text.strip())
    return {
        "opening": text[:OPENING_CHARACTERS],
        "cells": _cell_keys(pages),
        "kind": {
            "kind": kind.kind,
            "raw": kind.raw,
            "page": kind.page,
            "confidence": str(kind.confidence),
            "candidates": list(kind.candidates),
        },
        "facts": {
            str(name): [
                asdict(fact)
                | {"confidence": str(fact.confidence), "state": fact.state.value}
                for fact in facts
            ]
            for name, facts in read_facts(pages).items()
        },
    }


def _cell_keys(pages: Sequence[PageText]) -> list[str]:
    """Return the keys of table cells that may name a substance, each once."""
    keys: dict[str, None] = {}
    for page in pages:
        for line in page.text.splitlines():
            if "\t" not in line:
                continue
            for cell in line.split("\t"):
                if any(map(str.isalpha, cell)) and len(cell) <= MAX_CELL_CHARACTERS:
                    keys.update(dict.fromkeys(map(name_key, [cell, *pieces(cell)])))
            if len(keys) > MAX_CELLS:
                return list(keys)[:MAX_CELLS]
    return list(keys)


def kind_of(record: Mapping[str, Any]) -> KindReading:
    """Return the kind that `read_record` stored."""
    stored = record["kind"]
    return KindReading(
        kind=stored["kind"],
        raw=stored["raw"],
        page=stored["page"],
        confidence=Decimal(stored["confidence"]),
        candidates=tuple(stored["candidates"]),
    )


def facts_of(record: Mapping[str, Any]) -> dict[str, tuple[Fact, ...]]:
    """Return the facts that `read_record` stored, by `FactName`."""
    return {
        name: tuple(
            Fact(
                **fact
                | {
                    "confidence": Decimal(fact["confidence"]),
                    "state": FactState(fact["state"]),
                }
            )
            for fact in facts
        )
        for name, facts in record["facts"].items()
    }
