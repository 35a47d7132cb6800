"""What an answer depends on besides the papers: question, persona, history, scope."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from dossier.chat.exceptions import ChatMessageNotFoundError
from dossier.chat.gateway import messages as gateway
from dossier.chat.models import ChatMessage, VirtualUser
from dossier.chat.service.history import HistoryService
from dossier.chat.service.memberships import Memberships
from dossier.chat.service.scopes import ScopesService
from dossier.chat.service.views import senders_of
from dossier.chat.types import AnswerJobInput, AnswerScope, History
from dossier.core.database import Session
from dossier.core.tenancy import Actor

HistoryLimit = Callable[[str, Mapping[str, Any]], int]
"""Returns how many tokens of history fit beside a question and a persona."""


@dataclass(frozen=True, slots=True)
class AnswerContext:
    """A question with all that its answer depends on, but for the papers."""

    job_input: AnswerJobInput
    question: str
    asker: str
    """The name of the asker, as messages show it."""
    persona: dict[str, Any]
    history: History
    scope: AnswerScope


async def read_context(
    session: Session,
    actor: Actor,
    job_input: AnswerJobInput,
    history_limit: HistoryLimit,
) -> AnswerContext:
    """Read the context; a 404 where the asker or the virtual user lost access."""
    membership = await Memberships(session, actor).get(job_input.room_id)
    question, answer = [
        await gateway.get_message_for_org(
            session, actor.org_id, job_input.room_id, each
        )
        for each in (job_input.question_id, job_input.answer_id)
    ]
    if question is None or question.deleted_at is not None:
        raise ChatMessageNotFoundError(job_input.question_id)
    if answer is None or answer.deleted_at is not None or not answer.virtual_user_id:
        raise ChatMessageNotFoundError(job_input.answer_id)
    persona, scope = await ScopesService(session, actor).scope_at(
        membership, answer.virtual_user_id, leaf_id=question.id
    )
    described = _described(persona)
    limit_tokens = history_limit(question.text, described)
    senders = await senders_of(session, actor.org_id, [question])
    return AnswerContext(
        job_input=job_input,
        question=question.text,
        asker=senders.of(question).name,
        persona=described,
        history=await _history(session, actor, question, limit_tokens),
        scope=scope,
    )


async def _history(
    session: Session, actor: Actor, question: ChatMessage, limit_tokens: int
) -> History:
    if question.parent_id is None:
        return History(None, (), None, None)
    return await HistoryService(session, actor).history(
        question.room_id, question.parent_id, limit_tokens
    )


def _described(persona: VirtualUser) -> dict[str, Any]:
    return {
        "name": persona.name,
        "personality": persona.personality,
        "tone": persona.tone,
        "knowledge_areas": ", ".join(persona.knowledge_areas),
        "backstory": persona.backstory,
        "language": persona.language,
    }
