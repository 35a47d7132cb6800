"""FastAPI dependencies of the activity log."""

from typing import Annotated

from fastapi import Depends

from dossier.activity.service import ActivityService
from dossier.core.web import CurrentActor, RequestSession


async def get_activity_service(
    session: RequestSession, actor: CurrentActor
) -> ActivityService:
    """Build the service from the request's transaction and actor."""
    return ActivityService(session, actor)


Activity = Annotated[ActivityService, Depends(get_activity_service)]
