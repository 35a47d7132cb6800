"""Requests and responses of regulations."""

from datetime import date
from decimal import Decimal
from typing import Any

from pydantic import Field, model_validator

from dossier.core.schemas import RequestModel, ResponseModel, StorableText
from dossier.products.constants import Use
from dossier.regulations.constants import Form, Market, Population, Site, UserGroup

MOST_LINES = 2000
MOST_CHECKS = 20


class CheckLineRequest(RequestModel):
    """One ingredient: a name or a number, and its share of the product in percent."""

    inci: StorableText | None = Field(None, max_length=500, examples=["Octocrylene"])
    trade_name: StorableText | None = Field(None, max_length=500)
    cas: StorableText | None = Field(None, max_length=500, examples=["6197-30-4"])
    ec: StorableText | None = Field(None, max_length=500)
    function: StorableText | None = Field(None, max_length=500, examples=["UV filter"])
    percent_min: Decimal = Field(ge=0, le=100, max_digits=30, examples=["12"])
    percent_max: Decimal | None = Field(
        None,
        ge=0,
        le=100,
        max_digits=30,
        description="Unset: as the minimum.",
        examples=["12"],
    )

    @model_validator(mode="after")
    def _in_order(self) -> "CheckLineRequest":
        if not any((self.inci, self.trade_name, self.cas, self.ec)):
            message = "state inci, trade_name, cas or ec"
            raise ValueError(message)
        if self.percent_max is not None and self.percent_max < self.percent_min:
            message = "percent_max is less than percent_min"
            raise ValueError(message)
        return self


class CheckRequest(RequestModel):
    """A formula, the product that it makes, the market and the days that count."""

    market: Market = Field(examples=["eu"])
    category: StorableText = Field(max_length=100, examples=["sunscreen"])
    use: Use | None = Field(None, description="Checked against the category's.")
    form: Form | None = None
    sites: list[Site] = Field(default_factory=list, max_length=11)
    population: Population | None = None
    user: UserGroup | None = None
    ph: Decimal | None = Field(None, ge=0, le=14, max_digits=6)
    mixed_share: Decimal | None = Field(
        None,
        gt=0,
        le=1,
        max_digits=10,
        description="Share of the formula after mixing: 0.5 for 1:1.",
    )
    as_of: date | None = Field(None, description="The day of the law; unset: today.")
    placed_on: date | None = Field(
        None, description="First placed on the market; unset: `as_of`."
    )
    lines: list[CheckLineRequest] = Field(min_length=1, max_length=MOST_LINES)


class CheckBatchRequest(RequestModel):
    """Several checks, answered in order."""

    checks: list[CheckRequest] = Field(min_length=1, max_length=MOST_CHECKS)


class FormulaCheckResponse(ResponseModel):
    """Every line with its verdicts, the findings, and the data they rest on."""

    market: str
    as_of: date
    placed_on: date
    total: dict[str, str | None]
    lines: list[dict[str, Any]]
    findings: list[dict[str, Any]]
    label_inci: str
    data_set: dict[str, Any]


class CheckBatchResponse(ResponseModel):
    """The answers, in the order of the checks."""

    items: list[FormulaCheckResponse]


class SetSourceResponse(ResponseModel):
    """Where the rules of a market come from, and what they are known to lack."""

    market: str
    source: str
    licence: str
    as_of: str
    begins: str | None
    missing: list[str]


class DataSetResponse(ResponseModel):
    """One immutable set of rules."""

    id: str
    name: str
    rules: int
    sources: list[SetSourceResponse]


class DataSetList(ResponseModel):
    """The sets that a check can rest on."""

    items: list[DataSetResponse]
