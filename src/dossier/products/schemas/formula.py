"""Requests and responses of formulas."""

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from pydantic import Field

from dossier.core.schemas import DecimalText, RequestModel, ResponseModel


class FormulaRequest(RequestModel):
    """The document that holds the formula, and the tolerance of its total."""

    document_id: UUID = Field(examples=["018f0000-0000-7000-8000-0000000000d1"])
    sheet: str | None = Field(
        None, max_length=100, description="Unset: the best ranked sheet with a formula."
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
