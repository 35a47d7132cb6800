"""A finding: one shape for the board, previews, commands and the printed file."""

import hashlib
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any


class Severity(StrEnum):
    """How much a finding weighs."""

    BLOCKING = "blocking"
    WARNING = "warning"
    INFO = "info"


class Basis(StrEnum):
    """What a finding rests on: a law, an authority's guidance, or good practice."""

    LAW = "law"
    GUIDANCE = "guidance"
    PRACTICE = "practice"


class Verdict(StrEnum):
    """What a rule says of an ingredient.

    `unlisted`: identified, no rule in this set. `unknown`: not identified.
    """

    PROHIBITED = "prohibited"
    OVER = "over"
    AT = "at"
    WITHIN = "within"
    DISCLOSE = "disclose"
    CONDITIONAL = "conditional"
    UNLISTED = "unlisted"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """The same sentence in Traditional Chinese and English."""

    zh: str
    en: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where in a document; a page with a box, or a sheet with a cell.

    `box_pt` is (left, top, right, bottom) in points from the top left of the page.
    """

    filename: str
    sha256: str
    document_id: str | None = None
    page: int | None = None
    sheet: str | None = None
    cell: str | None = None
    box_pt: tuple[Decimal, Decimal, Decimal, Decimal] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something that a person should see, with its article and its place.

    `subject` says what it is about, where that is neither the ingredient nor the place:
    a requirement, a file name. `basis` is the law where there is an article, unless
    stated. `blocks_signing` marks what must be closed before item 16(1) is signed.
    `caused_by` is the id of the finding that this one follows from. `since` is the day
    on which it was first seen, where that is known.
    """

    code: str
    severity: Severity
    market: str
    item: int | None
    article: str | None
    message: Message
    closes_by: Message
    verdict: Verdict | None = None
    ingredient: str | None = None
    value: Decimal | None = None
    limit: Decimal | None = None
    margin: Decimal | None = None
    unit: str | None = None
    place: Place | None = None
    subject: str | None = None
    basis: Basis | None = None
    blocks_signing: bool = False
    caused_by: str | None = None
    since: date | None = None

    def __post_init__(self) -> None:
        """Derive the basis where none is stated."""
        if self.basis is None:
            basis = Basis.LAW if self.article else Basis.PRACTICE
            object.__setattr__(self, "basis", basis)

    @property
    def id(self) -> str:
        """Return what stays the same while code, item and subject do.

        A file's hash is no part of it: another scan of a page is the same matter.
        """
        subject = self.subject or self.ingredient
        if subject is None and self.place is not None:
            place = self.place
            subject = " ".join(
                str(part) for part in (place.sheet, place.cell, place.page) if part
            )
        parts = (self.code, self.market, str(self.item or ""), subject or "")
        return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:16]


def finding_json(finding: Finding) -> dict[str, Any]:
    """Return the finding as clients see it; absent optional members are left out."""
    always = {
        "id": finding.id,
        "since": finding.since and finding.since.isoformat(),
        "code": finding.code,
        "severity": finding.severity.value,
        "market": finding.market,
        "item": finding.item,
        "article": finding.article,
        "message": _message_json(finding.message),
        "closes_by": _message_json(finding.closes_by),
        "basis": finding.basis,
        "blocks_signing": finding.blocks_signing,
    }
    optional = {
        "subject": finding.subject,
        "caused_by": finding.caused_by,
        "verdict": finding.verdict,
        "ingredient": finding.ingredient,
        "value": _decimal_json(finding.value),
        "limit": _decimal_json(finding.limit),
        "margin": _decimal_json(finding.margin),
        "unit": finding.unit,
        "place": _place_json(finding.place) if finding.place else None,
    }
    return always | {key: value for key, value in optional.items() if value is not None}


def _message_json(message: Message) -> dict[str, str]:
    return {"zh": message.zh, "en": message.en}


def _decimal_json(value: Decimal | None) -> str | None:
    return None if value is None else format(value, "f")


def _place_json(place: Place) -> dict[str, Any]:
    members = {
        "document_id": place.document_id,
        "filename": place.filename,
        "sha256": place.sha256,
        "page": place.page,
        "sheet": place.sheet,
        "cell": place.cell,
        "box": [format(edge, "f") for edge in place.box_pt] if place.box_pt else None,
    }
    return {key: value for key, value in members.items() if value is not None}
