"""Requests and responses of the activity log."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import Field

from dossier.activity.constants import Action, ActivityStatus, ChainFault
from dossier.core.schemas import RequestModel, ResponseModel


class ActivityResponse(ResponseModel):
    """One event of the activity log."""

    id: UUID
    created_at: datetime
    user_id: UUID | None
    actor_name: str
    action: Action
    entity_type: str
    entity_id: str | None
    status: ActivityStatus
    details: dict[str, Any]
    address: str | None
    user_agent: str | None
    request_id: str | None
    row_hash: str


class HeadRequest(RequestModel):
    """The end of a chain as it was exported earlier."""

    position: int = Field(ge=1, examples=[1])
    chain_hash: str = Field(pattern="^[0-9a-f]{64}$", examples=["0" * 64])


class VerifyRequest(RequestModel):
    """Verify the chain, against an exported head where one is given."""

    head: HeadRequest | None = None


class HeadResponse(ResponseModel):
    """The end of the chain; kept outside, it shows later that none was cut off."""

    position: int
    chain_hash: str


class BreakResponse(ResponseModel):
    """The first place where the chain is broken."""

    position: int
    event_id: UUID | None
    fault: ChainFault


class VerifyResponse(ResponseModel):
    """The result of a verification; `first_broken` is null for an unbroken chain."""

    checked: int
    unsealed: int
    first_broken: BreakResponse | None
    head: HeadResponse
