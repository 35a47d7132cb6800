"""Labels, usage, budgets and abilities as clients see them."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from dossier.ai.constants import (
    AnswerState,
    BudgetScope,
    BudgetWindow,
    Engine,
    UsageGroup,
)
from dossier.core.schemas import DecimalText, RequestModel, ResponseModel
from dossier.integrations.llm.types import CallOutcome


class Degraded(BaseModel):
    """Why an answer is less than what was configured."""

    model_config = ConfigDict(from_attributes=True, frozen=True)

    code: str
    detail: str


class AnswerLabel(BaseModel):
    """How an answer came about; every answer carries one."""

    model_config = ConfigDict(from_attributes=True, frozen=True)

    engine: Literal["model", "extractive"]
    model: str | None = None
    prompt_hash: str | None = None
    parser: str | None = None
    """Version of the chunker that made the passages; unset: none were read."""
    ruleset: str | None = None
    """Version of the rules that checked, or made, the answer."""
    network: bool = False
    """Whether anything outside this installation was asked for it."""
    at: datetime
    from_cache: bool = False
    degraded: Degraded | None = None

    def cached(self) -> Self:
        """Return the label of the same answer, given again from the store."""
        return self.model_copy(update={"from_cache": True, "network": False})


class CacheFeatureResponse(ResponseModel):
    """Stored answers of one feature in one state."""

    feature: str
    state: AnswerState
    answers: int
    hits: int
    size_bytes: int
    oldest_at: datetime

    @classmethod
    def of(cls, row: Sequence[Any]) -> Self:
        """Return the columns of a row by their names."""
        return cls.model_validate(dict(zip(cls.model_fields, row, strict=True)))


class CacheResponse(ResponseModel):
    """How many answers are stored, and how often they were used again."""

    answers: int
    pending: int
    hits: int
    size_bytes: int
    features: list[CacheFeatureResponse]


class ForgottenResponse(ResponseModel):
    """How many stored answers were deleted."""

    deleted: int


Usd = Annotated[DecimalText, Field(ge=0, max_digits=24, decimal_places=12)]


class BudgetRequest(RequestModel):
    """Cap what is spent in a day or a month of UTC; tokens, USD, or both."""

    scope: BudgetScope = Field(examples=["organisation"])
    subject_id: UUID | None = Field(None, description="The user or the API key.")
    window: BudgetWindow = Field(examples=["month"])
    cap_tokens: int | None = Field(None, ge=0, le=10**15, examples=[1_000_000])
    cap_usd: Usd | None = None


class BudgetResponse(ResponseModel):
    """A budget and its present window."""

    id: UUID
    scope: BudgetScope
    subject_id: UUID | None
    window: BudgetWindow
    cap_tokens: int | None
    cap_usd: DecimalText | None
    spent_tokens: int
    reserved_tokens: int
    spent_usd: DecimalText
    reserved_usd: DecimalText
    starts_at: datetime
    resets_at: datetime
    created_at: datetime
    updated_at: datetime


class CallResponse(ResponseModel):
    """One call of a model server with its retries; `cost_usd` is null if unknown."""

    id: UUID
    created_at: datetime
    settled_at: datetime | None
    user_id: UUID | None
    key_id: UUID | None
    run_id: UUID | None
    feature: str
    provider: str | None
    server: str | None
    model: str
    prompt_hash: str | None
    input_tokens: int | None
    output_tokens: int | None
    cached_tokens: int | None
    is_estimated: bool
    reserved_tokens: int
    charged_tokens: int
    cost_usd: DecimalText | None
    price_source: str | None
    duration_ms: int | None
    first_token_ms: int | None
    outcome: CallOutcome
    error_code: str | None


class UsageRow(ResponseModel):
    """Sums over calls; members that were not grouped by are null.

    `cost_usd` sums what is known, and is null where nothing is; `unknown_costs` counts
    the calls that are missing in it.
    """

    day: date | None
    feature: str | None
    model: str | None
    user_id: UUID | None
    key_id: UUID | None
    calls: int
    input_tokens: int
    output_tokens: int
    cached_tokens: int
    charged_tokens: int
    cost_usd: DecimalText | None
    unknown_costs: int


class ModelUsageResponse(ResponseModel):
    """Sums over calls of models."""

    since: datetime
    until: datetime | None
    group_by: list[UsageGroup]
    items: list[UsageRow]
    is_cut: bool
    totals: UsageRow


class CapabilityResponse(ResponseModel):
    """One feature: whether it works, by what, and why not, or not by a model."""

    feature: str
    available: bool
    engine: Engine | None
    model: str | None
    why_not: str | None
    setting: str | None


class ServerResponse(ResponseModel):
    """A configured server and its models by purpose."""

    server: str
    provider: str
    models: dict[str, str]


class AbilitiesResponse(ResponseModel):
    """What the newest probe found; null where it could not be found out."""

    reachable: bool
    problem: str | None
    models: tuple[str, ...]
    tools: bool | None
    json_schema: bool | None
    stream_usage: bool | None
    continues_text: bool | None
    embedding_dimensions: int | None
    embedding_languages: tuple[str, ...]


class CapabilitiesResponse(ResponseModel):
    """What works here, and what the model servers can do."""

    features: list[CapabilityResponse]
    servers: list[ServerResponse]
    abilities: AbilitiesResponse | None
    probed_at: datetime | None
