"""Queries on runs and the journal of their steps."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, and_, bindparam, func, select, update

from dossier.core.clock import now
from dossier.core.database import Session
from dossier.core.pagination import PageParams, Slice
from dossier.core.reads import ORG_ID, Row, TenantPage, TenantReader, TenantSelect
from dossier.jobs.models import Job
from dossier.workflows.models import WorkflowRun, WorkflowStep

_RUNS = (
    select(
        WorkflowRun.id,
        WorkflowRun.kind,
        WorkflowRun.inputs,
        WorkflowRun.result,
        WorkflowRun.stop_reason,
        WorkflowRun.engine,
        WorkflowRun.cache,
        WorkflowRun.waiting_for,
        WorkflowRun.created_at,
        Job.state,
        Job.error,
        Job.attempts,
        Job.started_at,
        Job.finished_at,
    )
    .join(Job, and_(Job.org_id == WorkflowRun.org_id, Job.id == WorkflowRun.id))
    .where(WorkflowRun.org_id == ORG_ID, Job.org_id == ORG_ID)
)
_ONE: Final = TenantSelect(_RUNS.where(WorkflowRun.id == bindparam("run_id")))
_CONDITIONS: Final[Mapping[str, ColumnElement[bool]]] = {
    "kind": WorkflowRun.kind == bindparam("kind"),
    "state": Job.state == bindparam("state", type_=Job.state.type),
    "created_after": WorkflowRun.created_at > bindparam("created_after"),
    "created_before": WorkflowRun.created_at < bindparam("created_before"),
}


@cache
def _list(wanted: frozenset[str]) -> TenantPage:
    return TenantPage(
        _RUNS.where(*(_CONDITIONS[name] for name in sorted(wanted))).order_by(
            WorkflowRun.created_at.desc(), WorkflowRun.id.desc()
        )
    )


async def list_runs_for_org(
    reader: TenantReader, org_id: UUID, wanted: Mapping[str, Any], page: PageParams
) -> Slice[Row]:
    """Return one page of runs, newest first."""
    return await reader.page(_list(frozenset(wanted)), org_id, page, **wanted)


async def read_run_for_org(
    reader: TenantReader, org_id: UUID, run_id: UUID
) -> Row | None:
    """Return what clients see of one run."""
    return await reader.row(_ONE, org_id, run_id=run_id)


async def add_run(session: Session, run: WorkflowRun) -> None:
    """Insert a run; its job is there already."""
    session.add(run)
    await session.flush()


async def lock_run_for_org(
    session: Session, org_id: UUID, run_id: UUID
) -> WorkflowRun | None:
    """Return one run, locked until the transaction ends."""
    found: WorkflowRun | None = await session.scalar(
        select(WorkflowRun)
        .where(WorkflowRun.org_id == org_id, WorkflowRun.id == run_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return found


async def list_steps_for_org(
    session: Session, org_id: UUID, run_id: UUID
) -> Sequence[WorkflowStep]:
    """Return the steps that count, in the order in which they were finished."""
    found = await session.scalars(
        select(WorkflowStep)
        .where(
            WorkflowStep.org_id == org_id,
            WorkflowStep.run_id == run_id,
            WorkflowStep.superseded_at.is_(None),
        )
        .order_by(WorkflowStep.created_at, WorkflowStep.id)
    )
    return found.all()


async def add_step(session: Session, step: WorkflowStep) -> None:
    """Insert a finished step."""
    session.add(step)
    await session.flush()


async def supersede_steps_for_org(
    session: Session, org_id: UUID, run_id: UUID, first_id: UUID | None
) -> int:
    """Set aside a step and those finished after it; `None`: all. Return how many."""
    statement = (
        update(WorkflowStep)
        .where(
            WorkflowStep.org_id == org_id,
            WorkflowStep.run_id == run_id,
            WorkflowStep.superseded_at.is_(None),
        )
        .values(superseded_at=now())
        .returning(WorkflowStep.id)
        .execution_options(synchronize_session=False)
    )
    if first_id is not None:  # ids are ordered by time
        statement = statement.where(WorkflowStep.id >= first_id)
    return len((await session.scalars(statement)).all())


async def count_fetches_for_org(session: Session, org_id: UUID, run_id: UUID) -> int:
    """Return how often a run has asked outside sources, superseded steps included."""
    total = func.sum(WorkflowStep.usage["fetches"].as_integer())
    query = select(func.coalesce(total, 0)).where(
        WorkflowStep.org_id == org_id, WorkflowStep.run_id == run_id
    )
    return int(await session.scalar(query) or 0)
