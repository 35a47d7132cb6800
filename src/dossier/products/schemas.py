"""Requests and responses of products, linked documents, categories and formulas."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field, StringConstraints

from dossier.core.schemas import (
    DecimalText,
    LineText,
    ParagraphText,
    PartialModel,
    RequestModel,
    ResponseModel,
)
from dossier.products.constants import ITEM_COUNT, MatchedBy, MicrobialClass, Use


def _taiwan() -> list[Literal["tw"]]:
    return ["tw"]


Line = Annotated[
    LineText,
    StringConstraints(min_length=1, max_length=200, strip_whitespace=True),
]
"""A short text: a name, a number, a place."""

Paragraph = Annotated[
    ParagraphText,
    StringConstraints(min_length=1, max_length=2000, strip_whitespace=True),
]
"""A longer text: a description or an address."""


class UsageBody(RequestModel):
    """How the product is applied."""

    method: Paragraph | None = None
    amount: Line | None = None
    frequency: Line | None = None


class SiteBody(RequestModel):
    """A manufacturing site and the step that it carries out."""

    step: Line
    name: Line
    address: Paragraph
    country: Line | None = None


class HolderBody(RequestModel):
    """Who answers for the product in the market."""

    name: Line
    address: Paragraph | None = None
    phone: Line | None = None


class ExemptMaterialBody(RequestModel):
    """A raw material that needs no data of its own, such as water, and why."""

    name: Line = Field(examples=["Aqua"])
    reason: Paragraph = Field(examples=["Purified water, as in the pharmacopoeia"])


class ProductCreate(RequestModel):
    """State a product; a Chinese or an English name is needed."""

    code: Line | None = Field(None, description="Your own code, unique among yours.")
    name_zh: Line | None = Field(None, examples=["玫瑰保濕面霜"])
    name_en: Line | None = Field(None, examples=["Rose Moisture Cream"])
    category: Line = Field(examples=["face_cream"])
    use: Use = Field(examples=[Use.LEAVE_ON])
    holder: HolderBody = Field(examples=[{"name": "Rose Maison Co."}])
    dosage_form: Line | None = None
    body_site: Line | None = None
    population: Line | None = None
    intended_use: Paragraph | None = None
    usage: UsageBody = Field(default_factory=UsageBody)
    sites: list[SiteBody] = Field(default_factory=list, max_length=50)
    markets: list[Literal["tw"]] = Field(
        default_factory=_taiwan, min_length=1, max_length=1
    )
    aliases: list[Line] = Field(
        default_factory=list,
        max_length=50,
        description="Other names by which documents may call the product.",
    )
    exempt_materials: list[ExemptMaterialBody] = Field(
        default_factory=list, max_length=100
    )


class HolderUpdate(PartialModel):
    """Change who answers for the product; what is left out stays."""

    name: Line = ""
    address: Paragraph | None = None
    phone: Line | None = None


class ProductUpdate(PartialModel):
    """Change a product; only the fields that are sent change, in objects as well."""

    code: Line | None = None
    name_zh: Line | None = None
    name_en: Line | None = None
    category: Line = ""
    use: Use = Use.LEAVE_ON
    holder: HolderUpdate = HolderUpdate()
    dosage_form: Line | None = None
    body_site: Line | None = None
    population: Line | None = None
    intended_use: Paragraph | None = None
    usage: UsageBody = UsageBody()
    sites: list[SiteBody] = Field([], max_length=50)
    markets: list[Literal["tw"]] = Field([], min_length=1, max_length=1)
    aliases: list[Line] = Field([], max_length=50)
    exempt_materials: list[ExemptMaterialBody] = Field([], max_length=100)


class ProductUsageResponse(ResponseModel):
    """How the product is applied."""

    method: str | None
    amount: str | None
    frequency: str | None


class SiteResponse(ResponseModel):
    """A manufacturing site and the step that it carries out."""

    step: str
    name: str
    address: str
    country: str | None


class HolderResponse(ResponseModel):
    """Who answers for the product in the market."""

    name: str
    address: str | None
    phone: str | None


class ExemptMaterialResponse(ResponseModel):
    """A raw material that needs no data of its own, and why."""

    name: str
    reason: str


class ProductResponse(ResponseModel):
    """A product as clients see it."""

    id: UUID
    code: str | None
    name_zh: str | None
    name_en: str | None
    category: str
    dosage_form: str | None
    use: Use
    body_site: str | None
    population: str | None
    intended_use: str | None
    usage: ProductUsageResponse
    sites: list[SiteResponse]
    holder: HolderResponse
    markets: list[str]
    aliases: list[str]
    exempt_materials: list[ExemptMaterialResponse]
    created_at: datetime
    updated_at: datetime
    archived_at: datetime | None


class LinkCreate(RequestModel):
    """Link a document to an item, or to one requirement of it."""

    document_id: UUID
    item: int = Field(ge=1, le=ITEM_COUNT, examples=[11])
    requirement: Line | None = Field(
        None, description="Code of one requirement; without it the whole item."
    )
    reason: Paragraph | None = Field(None, description="Why, in your own words.")


class LinkResponse(ResponseModel):
    """A document that is linked to an item of a product."""

    id: UUID
    document_id: UUID
    item: int
    requirement: str | None
    matched_by: MatchedBy
    reason: str | None
    created_at: datetime


class LinkList(ResponseModel):
    """All links of a product."""

    items: list[LinkResponse]


class CategoryResponse(ResponseModel):
    """What a category decides; see `sources` for how sure each column is."""

    id: str
    name_zh: str
    name_en: str
    use: Use
    tfda_category_zh: str
    tfda_category_en: str
    phase_in_on: date | None
    exposure_row_id: str | None
    annex_classes: list[str]
    microbial_class: MicrobialClass


class SourceResponse(ResponseModel):
    """How sure a column is, and where it was read."""

    certainty: str
    source: str


class CategoryList(ResponseModel):
    """All categories, and the certainty of each column."""

    items: list[CategoryResponse]
    sources: dict[str, SourceResponse]


class FormulaRequest(RequestModel):
    """The document that holds the formula, and the tolerance of its total."""

    document_id: UUID = Field(examples=["018f0000-0000-7000-8000-0000000000d1"])
    sheet: str | None = Field(
        None, max_length=100, description="Unset: the best ranked sheet with a formula."
    )
    column: str | None = Field(
        None,
        max_length=200,
        description="The quantity column, by its header or letter. Unset: by evidence.",
    )
    tolerance: Decimal = Field(
        Decimal(0),
        ge=0,
        le=5,
        max_digits=8,
        description="How far from 100 the total may be, in percentage points.",
    )


class FormulaNote(ResponseModel):
    """A decision that was taken while reading, or a remark of the sheet."""

    code: str
    kind: Literal["chosen", "left_out", "assumed", "remark"] | None = Field(
        None, description="Absent where an earlier release read the file."
    )
    zh: str
    en: str
    cell: str | None


class FormulaLineResponse(ResponseModel):
    """One ingredient; a trace has no upper bound."""

    position: int
    phase: str | None
    trade_name: str | None
    supplier: str | None
    inci: str | None
    cas: str | None
    ec: str | None
    function: str | None
    percent_lower: DecimalText
    percent_upper: DecimalText | None
    percent_text: str
    is_qs: bool
    is_exploded: bool
    place: dict[str, Any]
    cells: dict[str, str]


class FormulaReading(ResponseModel):
    """How a formula was read and what is wrong with it."""

    document_id: UUID
    filename: str
    sha256: str
    sheet: str
    encoding: str | None
    tolerance: DecimalText
    total_lower: DecimalText
    total_upper: DecimalText
    line_count: int
    header: dict[str, str]
    units: dict[str, str]
    notes: list[FormulaNote]
    findings: list[dict[str, Any]]


class FormulaPreviewResponse(FormulaReading):
    """What would be stored; nothing has been."""

    lines: list[FormulaLineResponse]


class FormulaVersionResponse(FormulaReading):
    """A stored version without its lines."""

    id: UUID
    product_id: UUID
    number: int
    created_at: datetime


class FormulaResponse(FormulaVersionResponse):
    """A stored version with its lines."""

    lines: list[FormulaLineResponse]
