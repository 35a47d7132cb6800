"""Wiring of questions, runs and their responses."""

from typing import Annotated, Final

from fastapi import Depends, Header, Request

from dossier.chat.responses import AnswerResponses
from dossier.chat.service.answers import AnswersService, RunsService
from dossier.core.prefer import applied_of, wait_of
from dossier.core.web import AppSettings, CurrentActor, RequestSession, Sessions
from dossier.integrations.llm.plan import model_plan
from dossier.jobs.dependencies import Follower

PREFER: Final = "`respond-async` answers at once, `wait=N` after N s."


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
