"""Every query on waivers and declarations."""

from uuid import UUID

from sqlalchemy import delete, select

from dossier.core.database import Session
from dossier.pif.models import PifDecision


async def get_decision_for_org(
    session: Session, org_id: UUID, product_id: UUID, market: str, item: int
) -> PifDecision | None:
    """Return the decision on one item, or `None`."""
    query = select(PifDecision).where(
        PifDecision.org_id == org_id,
        PifDecision.product_id == product_id,
        PifDecision.market == market,
        PifDecision.item == item,
    )
    return (await session.scalars(query)).one_or_none()


async def add_decision(session: Session, decision: PifDecision) -> None:
    """Insert a decision; the caller holds the product and has deleted the last."""
    session.add(decision)
    await session.flush()


async def delete_decision_for_org(
    session: Session, org_id: UUID, decision_id: UUID
) -> None:
    """Delete a decision; the trail of activity keeps it."""
    statement = delete(PifDecision).where(
        PifDecision.org_id == org_id, PifDecision.id == decision_id
    )
    await session.execute(statement)
