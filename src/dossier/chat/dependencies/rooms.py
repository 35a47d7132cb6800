"""Wiring of rooms, people, messages, links and exports."""

from collections.abc import Awaitable, Callable
from typing import Annotated, TypeVar

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
from dossier.core.database import Session
from dossier.core.tenancy import Actor
from dossier.core.web import AppSettings, CurrentActor, RequestSession, Sessions

S = TypeVar("S")


def _made(service: Callable[[Session, Actor], S]) -> Callable[..., Awaitable[S]]:
    """Return what builds a service from the request's transaction and actor."""

    async def make(session: RequestSession, actor: CurrentActor) -> S:
        return service(session, actor)

    return make


async def get_messages_service(
    session: RequestSession, actor: CurrentActor, settings: AppSettings
) -> MessagesService:
    """Build the service; the settings say how long a message may be."""
    return MessagesService(session, actor, settings.chat.max_message_characters)


async def get_shares_service(
    session: RequestSession, actor: CurrentActor, settings: AppSettings
) -> SharesService:
    """Build the service; the settings say how long a link lives."""
    return SharesService(session, actor, settings.chat.share_ttl_days)


async def get_shared_reader(sessions: Sessions) -> SharedReader:
    """Build the reader, which opens its own short transactions."""
    return SharedReader(sessions)


Rooms = Annotated[RoomsService, Depends(_made(RoomsService))]
Members = Annotated[MembersService, Depends(_made(MembersService))]
Profiles = Annotated[ProfilesService, Depends(_made(ProfilesService))]
Personas = Annotated[PersonasService, Depends(_made(PersonasService))]
Messages = Annotated[MessagesService, Depends(get_messages_service)]
Branches = Annotated[BranchesService, Depends(_made(BranchesService))]
Feedback = Annotated[FeedbackService, Depends(_made(FeedbackService))]
Exports = Annotated[ExportsService, Depends(_made(ExportsService))]
Shares = Annotated[SharesService, Depends(get_shares_service)]
Shared = Annotated[SharedReader, Depends(get_shared_reader)]
