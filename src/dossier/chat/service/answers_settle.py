"""Writes what an answer came to, once; and asks for a summary where one is due."""

from dataclasses import dataclass, replace
from typing import Any

from dossier.chat.constants import SUMMARISE_TASK, MessageState, SettledAnswer
from dossier.chat.gateway import messages as gateway
from dossier.chat.service.answers_brief import Order
from dossier.chat.service.answers_outcome import Outcome
from dossier.core.database import Session
from dossier.core.tenancy import Actor
from dossier.jobs.service import JobsService


@dataclass(frozen=True, slots=True)
class Ending:
    """What becomes of the pending message."""

    state: MessageState
    text: str
    citations: list[dict[str, Any]]
    engine: dict[str, Any] | None
    dropped_claims: int = 0


async def settle_answer(
    session: Session, actor: Actor, order: Order, ending: Ending
) -> None:
    """Write an answer; one that was deleted meanwhile stays deleted."""
    await gateway.settle_answer_for_org(
        session,
        actor.org_id,
        order.answer_id,
        SettledAnswer(
            state=ending.state,
            text=ending.text,
            citations=ending.citations,
            engine=ending.engine,
            dropped_claims=ending.dropped_claims,
        ),
    )


def remembering(outcome: Outcome, actor: Actor, order: Order) -> Outcome:
    """Return the same outcome, which also asks for a summary of what came before."""

    async def write(session: Session) -> None:
        await outcome.write(session)
        await JobsService(session, actor).enqueue(
            SUMMARISE_TASK,
            dedupe_key=f"{SUMMARISE_TASK}:{order.room_id}",
            room_id=order.room_id,
            leaf_id=order.question_id,
        )

    return replace(outcome, write=write)
