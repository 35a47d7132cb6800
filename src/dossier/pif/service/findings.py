"""Findings that were stored as JSON, read back into their one shape."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from dossier.core.findings import Finding, Message, Place, Severity, Verdict


def finding_of(stored: Mapping[str, Any]) -> Finding:
    """Return the finding that `finding_json` wrote."""
    verdict, place = stored.get("verdict"), stored.get("place")
    return Finding(
        code=stored["code"],
        severity=Severity(stored["severity"]),
        market=stored["market"],
        item=stored["item"],
        article=stored["article"],
        message=Message(**stored["message"]),
        closes_by=Message(**stored["closes_by"]),
        verdict=Verdict(verdict) if verdict else None,
        ingredient=stored.get("ingredient"),
        value=_decimal(stored.get("value")),
        limit=_decimal(stored.get("limit")),
        margin=_decimal(stored.get("margin")),
        unit=stored.get("unit"),
        place=_place(place) if place else None,
    )


def _decimal(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def _place(stored: Mapping[str, Any]) -> Place:
    members = dict(stored)
    box = members.pop("box", None)
    if box is None:
        return Place(**members)
    left, top, right, bottom = (Decimal(edge) for edge in box)
    return Place(**members, box_pt=(left, top, right, bottom))
