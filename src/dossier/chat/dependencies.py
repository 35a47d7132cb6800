"""Builds the services of a request, and what waits and streams after it."""

from collections.abc import Awaitable, Callable
from typing import Annotated, TypeVar

from fastapi import Depends, Header, Request

from dossier.accounts.dependencies import ConfirmedActor
from dossier.chat.responses import AnswerResponses
from dossier.chat.service.answers import AnswersService, RunsService
from dossier.chat.service.branches import BranchesService
from dossier.chat.service.exports import ExportsService
from dossier.chat.service.messages import FeedbackService, MessagesService
from dossier.chat.service.people import PersonasService, ProfilesService
from dossier.chat.service.rooms import MembersService, RoomsService
from dossier.chat.service.shares import SharedReader, SharesService
from dossier.core.database import Session
from dossier.core.prefer import PREFER, applied_of, wait_of
from dossier.core.tenancy import Actor
from dossier.core.web import AppSettings, CurrentActor, RequestSession, Sessions
from dossier.integrations.llm.plan import model_plan
from dossier.jobs.dependencies import Follower


async def get_answers_service(
    session: RequestSession, actor: CurrentActor, settings: AppSettings
) -> AnswersService:
    """Build the service of questions."""
    return AnswersService(
        session,
        actor,
        settings.chat.max_message_characters,
        has_model=model_plan(settings.ai) is not None,
        on_disconnect=settings.jobs.on_disconnect,
    )


async def get_runs_service(session: RequestSession, actor: CurrentActor) -> RunsService:
    """Build the service of runs."""
    return RunsService(session, actor)


async def get_answer_responses(
    request: Request, sessions: Sessions, actor: CurrentActor, follower: Follower
) -> AnswerResponses:
    """Build what waits and streams after the commit."""
    return AnswerResponses(request, sessions, actor, follower)


async def get_wait_s(
    settings: AppSettings,
    prefer: Annotated[str | None, Header(description=PREFER)] = None,
) -> float:
    """Return how long a caller waits for an answer that is not streamed."""
    wait_s = None if prefer is None else wait_of(prefer)
    if wait_s is not None:
        return wait_s
    return 0 if applied_of(prefer) else settings.jobs.max_duration_s


Answers = Annotated[AnswersService, Depends(get_answers_service)]
Runs = Annotated[RunsService, Depends(get_runs_service)]
Responses = Annotated[AnswerResponses, Depends(get_answer_responses)]
WaitS = Annotated[float, Depends(get_wait_s)]


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
    session: RequestSession, actor: ConfirmedActor, settings: AppSettings
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
RoomMessages = Annotated[MessagesService, Depends(get_messages_service)]
Branches = Annotated[BranchesService, Depends(_made(BranchesService))]
Feedback = Annotated[FeedbackService, Depends(_made(FeedbackService))]
Exports = Annotated[ExportsService, Depends(_made(ExportsService))]
Shares = Annotated[SharesService, Depends(get_shares_service)]
Shared = Annotated[SharedReader, Depends(get_shared_reader)]
