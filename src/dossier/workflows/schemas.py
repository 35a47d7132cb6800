"""Requests and responses of workflows."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field, StringConstraints

from dossier.core.schemas import (
    DecimalText,
    LineText,
    ParagraphText,
    RequestModel,
    ResponseModel,
)
from dossier.workflows.constants import MAX_TOPIC_CHARACTERS, RunStatus

Topic = Annotated[
    ParagraphText,
    StringConstraints(min_length=1, max_length=MAX_TOPIC_CHARACTERS),
]
Language = Annotated[str, Field(pattern=r"^(zh|en)$", examples=["en"])]


class RunBudget(RequestModel):
    """Caps of one run, checked before each step; null: none but the organisation's."""

    requests: int | None = Field(50, ge=1, le=1000)
    tokens: int | None = Field(None, ge=1)
    usd: Decimal | None = Field(None, gt=0)
    seconds: int | None = Field(None, ge=1, description="Since the run began.")
    fetches: int | None = Field(
        60, ge=1, le=1000, description="Questions to outside sources."
    )


class WorkflowInputs(RequestModel):
    """What every kind takes beside its own inputs."""

    budget: RunBudget = Field(default_factory=RunBudget)
    no_cache: bool = Field(
        default=False, description="Do not answer from an earlier run."
    )


class RetryRequest(RequestModel):
    """Where a run begins again."""

    from_step: LineText | None = Field(
        None, description="The step, and all after it, run again; null: what is left."
    )


class RunDecisionRequest(RequestModel):
    """A decision, and why."""

    comment: ParagraphText = ""


class CostResponse(ResponseModel):
    """What a run has paid for; `usd` is null where a price is not known."""

    requests: int
    input_tokens: int
    output_tokens: int
    usd: DecimalText | None


class CacheUseResponse(ResponseModel):
    """Whether an earlier run of the same inputs answered."""

    hit: bool
    age_s: int | None
    saved_tokens: int | None
    saved_cost: DecimalText | None


class WaitingForResponse(ResponseModel):
    """What a person has to decide."""

    step: str
    payload: dict[str, Any]


class WorkflowSummary(ResponseModel):
    """A run as lists show it."""

    workflow_id: UUID
    type: str
    status: RunStatus
    stop_reason: str | None
    created_at: datetime
    execution_time: float | None = Field(description="Seconds from start to end.")
    error: dict[str, Any] | None


class WorkflowResponse(WorkflowSummary):
    """A run with its result."""

    inputs: dict[str, Any]
    result: dict[str, Any] | None
    cost: CostResponse
    engine: str | None = Field(description="`model`, or `rules` where none is set.")
    cache: CacheUseResponse
    waiting_for: WaitingForResponse | None
    attempts: int


class StepResponse(ResponseModel):
    """A finished step."""

    name: str
    occurrence: int
    attempt: int
    duration_ms: int
    usage: dict[str, Any] = Field(description="Prompt, fetches, stored answers.")
    created_at: datetime = Field(description="When it was finished.")


class StepList(ResponseModel):
    """The finished steps of a run, in their order."""

    items: list[StepResponse]
