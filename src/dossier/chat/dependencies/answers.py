"""Wiring of questions and their answers."""

from typing import Annotated, Final

from fastapi import Depends, Header, Request

from dossier.chat.responses import AnswerResponses
from dossier.chat.service.answers import AnswersService
from dossier.core.prefer import applied_of, wait_of
from dossier.core.web import AppSettings, CurrentActor, RequestSession, Sessions
from dossier.integrations.llm.plan import model_plan
from dossier.runs.dependencies import Runs

PREFER: Final = "`respond-async` answers at once, `wait=N` after N s."


async def get_answers_service(
    session: RequestSession, actor: CurrentActor, settings: AppSettings, engine: Runs
) -> AnswersService:
    """Build the service of questions and answers."""
    return AnswersService(
        session,
        actor,
        settings.chat.max_message_characters,
        has_model=model_plan(settings.ai) is not None,
        engine=engine,
    )


async def get_wait_s(
    settings: AppSettings,
    prefer: Annotated[str | None, Header(description=PREFER)] = None,
) -> float:
    """Return how long a caller waits for an answer that is not streamed."""
    longest_s = settings.runs.max_duration_s
    wait_s = None if prefer is None else wait_of(prefer)
    if wait_s is not None:
        return wait_s
    return 0 if applied_of(prefer) else longest_s


async def get_answer_responses(
    request: Request,
    sessions: Sessions,
    actor: CurrentActor,
    engine: Runs,
    wait_s: Annotated[float, Depends(get_wait_s)],
) -> AnswerResponses:
    """Build what answers a question after the commit."""
    return AnswerResponses(request, sessions, actor, engine, wait_s)


async def get_event_responses(
    request: Request, sessions: Sessions, actor: CurrentActor, engine: Runs
) -> AnswerResponses:
    """Build what streams the events of a run after the commit."""
    return AnswerResponses(request, sessions, actor, engine, 0)


Answers = Annotated[AnswersService, Depends(get_answers_service)]
Responses = Annotated[AnswerResponses, Depends(get_answer_responses)]
EventResponses = Annotated[AnswerResponses, Depends(get_event_responses)]
