"""The immutable snapshot of one version: everything that the printed file needs.

Nothing else is read when a version is rendered, so the same version always gives the
same pages. Decimals are written as strings, instants as ISO 8601 in UTC.
"""

from datetime import date, datetime
from typing import Any, Final, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from dossier.core.schemas import DecimalText

SCHEMA: Final = "dossier.pif/1"

FindingJson = dict[str, Any]
"""A finding as `dossier.core.findings.finding_json` writes it."""


class SnapshotPart(BaseModel):
    """A part of a snapshot: frozen, closed, written by its outside names."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        from_attributes=True,
        validate_by_name=True,
        validate_by_alias=True,
        serialize_by_alias=True,
    )


class BilingualText(SnapshotPart):
    """The same words in Traditional Chinese and English."""

    zh: str
    en: str


class SnapshotUsage(SnapshotPart):
    """How the product is applied."""

    method: str | None
    amount: str | None
    frequency: str | None


class SnapshotSite(SnapshotPart):
    """A manufacturing site and the step that it carries out."""

    step: str
    name: str
    address: str
    country: str | None


class SnapshotHolder(SnapshotPart):
    """Who answers for the product in the market."""

    name: str
    address: str | None
    phone: str | None


class SnapshotProduct(SnapshotPart):
    """The product's facts, with the words of its category."""

    id: UUID
    code: str | None
    name_zh: str | None
    name_en: str | None
    category: str
    category_zh: str
    category_en: str
    tfda_category: str
    phase_in_on: date | None
    dosage_form: str | None
    use: Literal["leave_on", "rinse_off"]
    body_site: str | None
    population: str | None
    intended_use: str | None
    usage: SnapshotUsage | None
    sites: list[SnapshotSite]
    holder: SnapshotHolder
    markets: list[str]


class SnapshotCompleteness(SnapshotPart):
    """How many of the sixteen items are in which state."""

    present: int
    declared: int
    waived: int
    not_applicable: int
    stale: int
    missing: int
    complete: int
    total: int


class SnapshotRequirement(SnapshotPart):
    """One requirement of an item, its state and the documents that meet it."""

    code: str
    zh: str
    en: str
    article: str
    state: str
    documents: list[UUID]
    closes_by: BilingualText


class SnapshotDecision(SnapshotPart):
    """A waiver or a declaration, with its reason and the person who made it."""

    kind: Literal["waiver", "declaration"]
    reason: str
    actor_name: str
    at: datetime


class SnapshotItem(SnapshotPart):
    """One of the sixteen items."""

    number: int = Field(ge=1, le=16)
    title_zh: str
    title_en: str
    article: str
    state: str
    requirements: list[SnapshotRequirement]
    decision: SnapshotDecision | None


class SnapshotLine(SnapshotPart):
    """One line of the composition, with the cell that it was read from."""

    position: int
    phase: str | None
    trade_name: str | None
    supplier: str | None
    inci: str | None
    cas: str | None
    ec: str | None
    function: str | None
    percent_text: str | None
    percent_lower: DecimalText | None
    percent_upper: DecimalText | None
    is_qs: bool
    cell: str | None


class SnapshotFormula(SnapshotPart):
    """The formula version that the file is based on."""

    number: int
    sheet: str | None
    filename: str | None
    sha256: str | None
    total_lower: DecimalText | None
    total_upper: DecimalText | None
    tolerance: DecimalText
    lines: list[SnapshotLine]


class SnapshotEvidence(SnapshotPart):
    """One linked document: its hash, the items it serves, why it was linked."""

    document_id: UUID
    filename: str
    sha256: str
    size_bytes: int
    media_type: str
    items: list[int]
    matched_by: str
    reason: str | None


class SnapshotGenerator(SnapshotPart):
    """The program that made the snapshot."""

    name: str
    version: str


class PifSnapshot(SnapshotPart):
    """One version of the file for one market."""

    schema_id: Literal["dossier.pif/1"] = Field(SCHEMA, alias="schema")
    market: str
    version_number: int
    created_at: datetime
    product: SnapshotProduct
    completeness: SnapshotCompleteness
    items: list[SnapshotItem]
    formula: SnapshotFormula | None
    findings: list[FindingJson]
    evidence: list[SnapshotEvidence]
    generator: SnapshotGenerator
