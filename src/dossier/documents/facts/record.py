"""Kind and facts of a document as they are stored with it, and read again."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from decimal import Decimal
from typing import Any, Final

from dossier.documents.facts.kinds import document_kind
from dossier.documents.facts.reading import read_facts
from dossier.documents.facts.types import (
    Fact,
    FactName,
    FactState,
    KindReading,
    PageText,
)

_NAMES: Final = frozenset(map(str, FactName))


def read_record(pages: Sequence[PageText]) -> dict[str, Any]:
    """Read kind and facts; the result is JSON, with decimals as strings."""
    kind = document_kind(pages)
    return {
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


def facts_of(record: Mapping[str, Any]) -> dict[FactName, tuple[Fact, ...]]:
    """Return the facts that `read_record` stored; unknown names are left out."""
    return {
        FactName(name): tuple(
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
        if name in _NAMES
    }
