"""What an answer depends on besides passages: question, persona, history, scope."""

from dossier.chat.answering.prompt import history_tokens
from dossier.chat.exceptions import ChatMessageNotFoundError
from dossier.chat.gateway import messages as gateway
from dossier.chat.service.branches import senders_of
from dossier.chat.service.history import HistoryService
from dossier.chat.service.rooms import Memberships
from dossier.chat.service.scopes import ScopesService
from dossier.chat.types import AnswerContext, AnswerJobInput, ContextWindow, History
from dossier.core.database import Session
from dossier.core.tenancy import Actor


async def read_context(
    session: Session, actor: Actor, job_input: AnswerJobInput, window: ContextWindow
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
    virtual_user, scope = await ScopesService(session, actor).scope_at(
        membership, answer.virtual_user_id, leaf_id=question.id
    )
    persona = {
        "name": virtual_user.name,
        "personality": virtual_user.personality,
        "tone": virtual_user.tone,
        "knowledge_areas": ", ".join(virtual_user.knowledge_areas),
        "backstory": virtual_user.backstory,
        "language": virtual_user.language,
    }
    limit_tokens = history_tokens(
        question.text, persona, window, is_grounded=job_input.is_grounded
    )
    history = History(None, (), None, None)
    if question.parent_id is not None:
        history = await HistoryService(session, actor).history(
            question.room_id, question.parent_id, limit_tokens
        )
    senders = await senders_of(session, actor.org_id, [question])
    return AnswerContext(
        job_input=job_input,
        question=question.text,
        asker=senders.of(question).name,
        persona=persona,
        history=history,
        scope=scope,
    )
