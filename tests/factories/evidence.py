"""Documents as rules see them, with facts that were read in them."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid5

from dossier.documents.facts.types import (
    Fact,
    FactState,
    KindReading,
    MaterialIdentity,
    ProductIdentity,
    SiteIdentity,
)
from dossier.pif.rules.evidence import ReadDocument
from dossier.pif.rules.items import rulebook

NAME = "Rose Moisture Cream"
SITE = SiteIdentity("Dawn Works", "1 Harbour Road, Taoyuan")
SIGNER = "Kao Shu-Fen"
PRODUCT = ProductIdentity(
    names=(NAME, "玫瑰保濕面霜"),
    codes=("RC-01",),
    materials=(MaterialIdentity((), ("Aqua",), ("7732-18-5",)),),
    sites=(SITE,),
)
NAMED = {"product_name": NAME}
FACTS: Mapping[str, Mapping[str, str]] = {
    "notification": NAMED | {"valid_until": "2029-01-01"},
    "gmp": {
        "company": SITE.name,
        "site": SITE.address,
        "valid_until": "2028-01-01",
    },
    "usage": NAMED
    | {
        "use_method": "spread",
        "body_site": "face",
        "use_amount": "1 g",
        "use_frequency": "2 per day",
        "population": "adults",
    },
    "stability": NAMED | {"verdict": "pass"},
    "microbial": NAMED | {"verdict": "pass"},
    "challenge": NAMED | {"verdict": "pass"},
    "sds": {"inci_name": "Aqua"},
    "raw_material_spec": {"inci_name": "Aqua"},
    "toxicology": NAMED | {"inci_name": "Aqua"},
    "assessment": NAMED
    | {"signature": "signed", "signer_name": SIGNER, "signed_on": "2026-11-01"},
    "credentials": {"signer_name": SIGNER},
}
"""What documents of a kind state that meet their requirement."""

_IDS = UUID(int=1)


def fact(value: str, *, state: FactState = FactState.READ, raw: str = "") -> Fact:
    return Fact(value, raw or value, 1, None, Decimal("0.97"), state)


def read_document(
    kind: str | None, name: str = "", *, raw: str = "", **facts: str | Sequence[str]
) -> ReadDocument:
    """Return a document of a kind with the facts that are given."""
    values: dict[str, Any] = {
        key: (value,) if isinstance(value, str) else value
        for key, value in facts.items()
    }
    filename = name or f"{kind}.pdf"
    return ReadDocument(
        document_id=uuid5(_IDS, filename),
        filename=filename,
        sha256=filename.ljust(64, "0")[:64],
        kind=KindReading(kind, raw or (kind or ""), 1, Decimal("0.97")),
        facts={
            key: tuple(map(fact, value)) for key, value in values.items() if any(value)
        },
    )


def good_document(kind: str, name: str = "", **over: str) -> ReadDocument:
    """Return a document that meets the requirement of its kind."""
    return read_document(kind, name, **{**FACTS.get(kind, NAMED), **over})


def good_documents() -> dict[str, ReadDocument]:
    """Return one document for each requirement that takes documents, by its code."""
    return {
        rule.code: good_document(rule.documents[0].kind)
        for item in rulebook().items
        for rule in item.requirements
        if rule.documents
    }
