"""Writes what an answer came to, once; and asks for a summary where one is due."""

from dataclasses import dataclass, replace
from functools import partial
from typing import Any
from uuid import UUID

from dossier.chat.constants import SUMMARISE_TASK, MessageState, SettledAnswer
from dossier.chat.gateway import answers as gateway
from dossier.chat.service.answers_brief import Order
from dossier.chat.service.answers_outcome import Outcome, Write, write_nothing
from dossier.core.database import Session, raw_rows
from dossier.core.reads import Statements
from dossier.core.tenancy import Actor
from dossier.jobs.kinds import declare
from dossier.jobs.service import JobsService
from dossier.jobs.types import JobKind
from dossier.runs.service import Quick

declare(JobKind(SUMMARISE_TASK, listed=False))


@dataclass(frozen=True, slots=True)
class Ending:
    """What becomes of the pending message."""

    state: MessageState
    text: str
    citations: list[dict[str, Any]]
    engine: dict[str, Any] | None
    dropped_claims: int = 0


async def settle_answer(
    statements: Statements, org_id: UUID, order: Order, ending: Ending
) -> SettledAnswer | None:
    """Write an answer; `None`: it was deleted meanwhile, and stays so."""
    settled = SettledAnswer(
        state=ending.state,
        text=ending.text,
        citations=ending.citations,
        engine=ending.engine,
        dropped_claims=ending.dropped_claims,
    )
    is_there = await gateway.settle_answer_for_org(
        statements, org_id, order.answer_id, settled
    )
    return settled if is_there else None


def settling(
    org_id: UUID,
    order: Order,
    ending: Ending,
    outcome: Outcome | None = None,
    told: list[SettledAnswer] | None = None,
) -> Quick | Write:
    """Return what writes an answer at the end of its run, with what else it wants.

    What was written is put into `told`, for whoever waits in this process.
    """
    quickly = partial(_write, org_id, order, ending, outcome, told)
    if outcome is None or outcome.write is write_nothing:
        return Quick(quickly)

    async def write(session: Session) -> None:
        await quickly(partial(raw_rows, session))
        await outcome.write(session)

    return write


async def _write(
    org_id: UUID,
    order: Order,
    ending: Ending,
    outcome: Outcome | None,
    told: list[SettledAnswer] | None,
    statements: Statements,
) -> None:
    settled = await settle_answer(statements, org_id, order, ending)
    if told is not None:
        told[:] = [] if settled is None else [settled]
    if outcome is not None:
        await outcome.also(statements)


def remembering(
    outcome: Outcome, actor: Actor, order: Order, limit_tokens: int
) -> Outcome:
    """Return the same outcome, which also asks for a summary of what came before.

    That is all but the newest turns, which fit into so many tokens.
    """

    async def write(session: Session) -> None:
        await outcome.write(session)
        await JobsService(session, actor).enqueue(
            SUMMARISE_TASK,
            dedupe_key=f"{SUMMARISE_TASK}:{order.room_id}",
            room_id=order.room_id,
            leaf_id=order.question_id,
            limit_tokens=limit_tokens,
        )

    return replace(outcome, write=write)
