"""Writes what an answer came to, once; and asks for a summary where one is due."""

from dataclasses import dataclass
from typing import Any

from dossier.chat.constants import MessageState, SettledAnswer
from dossier.chat.gateway import messages as gateway
from dossier.chat.service.answers_brief import Order
from dossier.core.database import Session
from dossier.core.tenancy import Actor


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
