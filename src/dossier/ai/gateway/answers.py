"""Queries on stored answers."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert

from dossier.ai.constants import AnswerState
from dossier.ai.models import AiAnswer
from dossier.core.clock import now
from dossier.core.database import Session, raw_rows

_HIT = """
update ai_answers set hits = hits + 1
where org_id = $1 and key = $2 and state = 'ready' and expires_at > now()
returning payload::text as payload
"""
_LOCK = text("select pg_advisory_xact_lock(hashtextextended(:name, 0))")


async def hit_answer_for_org(session: Session, org_id: UUID, key: str) -> str | None:
    """Return a stored answer as JSON text and count the hit, in one statement."""
    rows = await raw_rows(session, _HIT, org_id, key)
    return rows[0]["payload"] if rows else None


async def lock_key_for_org(session: Session, org_id: UUID, key: str) -> None:
    """Lock a key against other claims until the transaction ends."""
    await session.execute(_LOCK, {"name": f"ai_answers:{org_id}:{key}"})


async def claim_answer_for_org(
    session: Session, org_id: UUID, values: dict[str, Any], ended: UUID | None
) -> bool:
    """Claim an answer for a run; `False` where another run has the claim."""
    statement = insert(AiAnswer).values(org_id=org_id, **values)
    taken = ("run_id", "claimed_until", "created_at", "feature", "scope", "hits")
    claims = [
        AiAnswer.run_id == values["run_id"],
        AiAnswer.claimed_until < now(),
        AiAnswer.expires_at <= now(),
    ]
    if ended is not None:
        claims.append(AiAnswer.run_id == ended)
    claim = statement.on_conflict_do_update(
        index_elements=["org_id", "key"],
        set_={name: statement.excluded[name] for name in taken}
        | {"state": AnswerState.PENDING, "payload": None, "expires_at": None},
        where=or_(*claims),
    ).returning(AiAnswer.id)
    return (await session.scalar(claim)) is not None


async def replace_answer_for_org(
    session: Session, org_id: UUID, values: dict[str, Any]
) -> None:
    """Store an answer in the place of whatever has its key."""
    statement = insert(AiAnswer).values(org_id=org_id, **values)
    new = {name: statement.excluded[name] for name in values if name != "id"}
    await session.execute(
        statement.on_conflict_do_update(index_elements=["org_id", "key"], set_=new)
    )


async def get_leader_for_org(session: Session, org_id: UUID, key: str) -> UUID | None:
    """Return the run that is making an answer."""
    query = select(AiAnswer.run_id).where(AiAnswer.org_id == org_id)
    return await session.scalar(query.where(AiAnswer.key == key))


async def settle_answer_for_org(
    session: Session,
    org_id: UUID,
    key: str,
    payload: dict[str, Any],
    expires_at: datetime,
) -> bool:
    """Store the answer of a claim; `False` where the claim was deleted meanwhile."""
    statement = (
        update(AiAnswer)
        .where(AiAnswer.org_id == org_id, AiAnswer.key == key)
        .where(AiAnswer.state == AnswerState.PENDING)
        .values(state=AnswerState.READY, payload=payload, expires_at=expires_at)
        .returning(AiAnswer.id)
    )
    return (await session.scalar(statement)) is not None


async def remove_answers_for_org(
    session: Session, org_id: UUID, *, feature: str | None, scope: dict[str, Any]
) -> int:
    """Delete the answers of a feature and a scope, and the claims of such answers.

    `None` and an empty scope do not narrow it.
    """
    statement = delete(AiAnswer).where(AiAnswer.org_id == org_id)
    if feature is not None:
        statement = statement.where(AiAnswer.feature == feature)
    if scope:
        statement = statement.where(AiAnswer.scope.contains(scope))
    removed = await session.scalars(statement.returning(AiAnswer.id))
    return len(removed.all())


async def summarise_answers_for_org(
    session: Session, org_id: UUID
) -> list[tuple[Any, ...]]:
    """Return feature, state, answers, hits, bytes and the oldest of each kind."""
    query = (
        select(
            AiAnswer.feature,
            AiAnswer.state,
            func.count(),
            func.sum(AiAnswer.hits),
            func.coalesce(func.sum(func.pg_column_size(AiAnswer.payload)), 0),
            func.min(AiAnswer.created_at),
        )
        .where(AiAnswer.org_id == org_id)
        .group_by(AiAnswer.feature, AiAnswer.state)
        .order_by(AiAnswer.feature, AiAnswer.state)
    )
    return [tuple(row) for row in await session.execute(query)]


async def remove_expired_for_system(session: Session, before: datetime) -> int:
    """Delete what is stale in every organisation: answers, and claims left behind."""
    stale = or_(
        AiAnswer.expires_at <= before,
        (AiAnswer.state == AnswerState.PENDING) & (AiAnswer.claimed_until <= before),
    )
    removed = await session.scalars(
        delete(AiAnswer).where(stale).returning(AiAnswer.id)
    )
    return len(removed.all())
