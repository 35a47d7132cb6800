"""What was read of documents, as the rules of the file see it and as it is stored."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from uuid import UUID

from dossier.documents.constants import TextState
from dossier.documents.facts.types import (
    Fact,
    FactName,
    FactState,
    IdentityReading,
    IdentityReason,
    IdentityState,
)
from dossier.pif.rules.evidence import LinkedDocument
from dossier.pif.rules.items import rulebook

THIS = IdentityReading(IdentityState.THIS_PRODUCT, IdentityReason.NAME_MATCHES, "Rose")
OTHER = IdentityReading(
    IdentityState.OTHER_PRODUCT, IdentityReason.KNOWN_OTHER_PRODUCT, "Lily Gel"
)
UNKNOWN = IdentityReading(IdentityState.UNKNOWN, IdentityReason.NO_IDENTIFIER)
WHOLE_FACTS = {
    FactName.DOCUMENT_DATE: "2026-01-20",
    FactName.METHOD: "ISO 11930",
    FactName.VERDICT: "pass",
    FactName.SIGNER_NAME: "Kao Shu-Fen",
    FactName.SIGNED_ON: "2026-02-28",
    FactName.SIGNATURE: "signed",
}


def fact(value: str) -> Fact:
    return Fact(
        value=value,
        raw=value,
        page=1,
        cell=None,
        confidence=Decimal("0.9"),
        state=FactState.READ,
    )


def facts_with(values: Mapping[FactName, str]) -> dict[str, tuple[Fact, ...]]:
    return {name: (fact(value),) for name, value in values.items()}


def linked_document(
    document_id: UUID,
    kind: str | None = "stability",
    identity: IdentityReading | None = THIS,
    facts: Mapping[FactName, str] | None = WHOLE_FACTS,
    text_state: TextState = TextState.READ,
) -> LinkedDocument:
    """Return a document that shows all that a requirement of its kind needs."""
    return LinkedDocument(
        document_id=document_id,
        filename="paper.pdf",
        sha256="a" * 64,
        text_state=text_state,
        identity=identity,
        kind=kind,
        facts=None if facts is None else facts_with(facts),
    )


def kind_for(code: str) -> str | None:
    """Return a kind of document that meets a requirement."""
    for item in rulebook().items:
        for rule in item.requirements:
            if rule.code == code and rule.documents:
                return min(rule.documents.kinds)
    return None


def stored_record(
    kind: str, facts: Mapping[FactName, str] = WHOLE_FACTS, **more: str
) -> dict[str, Any]:
    """Return the record of a document as its reading stores it."""
    values = {**{str(name): value for name, value in facts.items()}, **more}
    return {
        "opening": "",
        "kind": {
            "kind": kind,
            "raw": kind,
            "page": 1,
            "confidence": "0.97",
            "candidates": [],
        },
        "facts": {
            name: [
                {
                    "value": value,
                    "raw": value,
                    "page": 1,
                    "cell": None,
                    "confidence": "0.9",
                    "state": "read",
                }
            ]
            for name, value in values.items()
        },
    }
