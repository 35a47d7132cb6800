"""Routes of the activity log."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends

from dossier.activity import service
from dossier.activity.constants import Action, ActivityStatus
from dossier.activity.dependencies import Activity
from dossier.activity.schemas import (
    ActivityResponse,
    VerifyRequest,
    VerifyResponse,
)
from dossier.activity.types import ActivityFilter, ChainHead
from dossier.core.pagination import Paging, Slice
from dossier.core.reads import Row
from dossier.core.schemas import Instant, Page, StorableText
from dossier.core.web import Reader

router = APIRouter(prefix="/activity", tags=["activity"])


async def activity_filter(
    *,
    action_type: Action | None = None,
    entity_type: StorableText | None = None,
    entity_id: StorableText | None = None,
    user_id: UUID | None = None,
    status: ActivityStatus | None = None,
    created_after: Instant | None = None,
    created_before: Instant | None = None,
) -> ActivityFilter:
    """Return the filter of a list from its query parameters."""
    return ActivityFilter(
        action_type=action_type,
        entity_type=entity_type,
        entity_id=entity_id,
        user_id=user_id,
        status=status,
        created_after=created_after,
        created_before=created_before,
    )


WantedEvents = Annotated[ActivityFilter, Depends(activity_filter)]


@router.get("", response_model=Page[ActivityResponse])
async def list_activity(
    wanted: WantedEvents, page: Paging, reader: Reader
) -> Slice[Row]:
    """List who did what, the newest first."""
    return await service.list_events(reader, wanted, page)


@router.post("/verify")
async def verify_activity(body: VerifyRequest, activity: Activity) -> VerifyResponse:
    """Recompute the chain of the activity log and name the first break."""
    head = ChainHead(**body.head.model_dump()) if body.head else None
    return await activity.verify(head)
