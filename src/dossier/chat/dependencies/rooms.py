"""Wiring of rooms, people, messages, links and exports."""

from typing import Annotated

from fastapi import Depends

from dossier.chat.service.branches import BranchesService
from dossier.chat.service.exports import ExportsService
from dossier.chat.service.feedback import FeedbackService
from dossier.chat.service.members import MembersService
from dossier.chat.service.messages import MessagesService
from dossier.chat.service.personas import PersonasService
from dossier.chat.service.profiles import ProfilesService
from dossier.chat.service.rooms import RoomsService
from dossier.chat.service.shares import SharedReader, SharesService
from dossier.core.web import AppSettings, CurrentActor, RequestSession, Sessions


async def get_rooms_service(
    session: RequestSession, actor: CurrentActor
) -> RoomsService:
    """Build the service from the request's transaction and actor."""
    return RoomsService(session, actor)


async def get_members_service(
    session: RequestSession, actor: CurrentActor
) -> MembersService:
    """Build the service from the request's transaction and actor."""
    return MembersService(session, actor)


async def get_profiles_service(
    session: RequestSession, actor: CurrentActor
) -> ProfilesService:
    """Build the service from the request's transaction and actor."""
    return ProfilesService(session, actor)


async def get_personas_service(
    session: RequestSession, actor: CurrentActor
) -> PersonasService:
    """Build the service from the request's transaction and actor."""
    return PersonasService(session, actor)


async def get_messages_service(
    session: RequestSession, actor: CurrentActor, settings: AppSettings
) -> MessagesService:
    """Build the service; the settings say how long a message may be."""
    return MessagesService(session, actor, settings.chat.max_message_characters)


async def get_branches_service(
    session: RequestSession, actor: CurrentActor
) -> BranchesService:
    """Build the service from the request's transaction and actor."""
    return BranchesService(session, actor)


async def get_feedback_service(
    session: RequestSession, actor: CurrentActor
) -> FeedbackService:
    """Build the service from the request's transaction and actor."""
    return FeedbackService(session, actor)


async def get_exports_service(
    session: RequestSession, actor: CurrentActor
) -> ExportsService:
    """Build the service from the request's transaction and actor."""
    return ExportsService(session, actor)


async def get_shares_service(
    session: RequestSession, actor: CurrentActor, settings: AppSettings
) -> SharesService:
    """Build the service; the settings say how long a link lives."""
    return SharesService(session, actor, settings.chat.share_ttl_days)


async def get_shared_reader(sessions: Sessions) -> SharedReader:
    """Build the reader, which opens its own short transactions."""
    return SharedReader(sessions)


Rooms = Annotated[RoomsService, Depends(get_rooms_service)]
Members = Annotated[MembersService, Depends(get_members_service)]
Profiles = Annotated[ProfilesService, Depends(get_profiles_service)]
Personas = Annotated[PersonasService, Depends(get_personas_service)]
Messages = Annotated[MessagesService, Depends(get_messages_service)]
Branches = Annotated[BranchesService, Depends(get_branches_service)]
Feedback = Annotated[FeedbackService, Depends(get_feedback_service)]
Exports = Annotated[ExportsService, Depends(get_exports_service)]
Shares = Annotated[SharesService, Depends(get_shares_service)]
Shared = Annotated[SharedReader, Depends(get_shared_reader)]
