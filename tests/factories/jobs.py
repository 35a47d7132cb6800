"""Jobs for tests, and the context that a task is given."""

from typing import Any
from uuid import UUID

import anyio

from dossier.core.database import SessionFactory, tenant_transaction
from dossier.core.models import new_id
from dossier.core.tenancy import Actor
from dossier.integrations.queue.delivery import Delivery
from dossier.jobs import gateway
from dossier.jobs.constants import JobState
from dossier.jobs.models import Job
from dossier.jobs.service import JobsService
from dossier.jobs.tasks.context import RunContext


async def make_job(
    sessions: SessionFactory, org_id: UUID, kind: str = "tests.act", **overrides: Any
) -> Job:
    """Enqueue a job and commit it; overrides are set on its row afterwards."""
    async with tenant_transaction(sessions, org_id) as session:
        job = await JobsService(session, Actor.system(org_id)).enqueue(kind)
        for name, value in overrides.items():
            setattr(job, name, value)
    return job


async def get_job(sessions: SessionFactory, job: Job) -> Job:
    """Read a job's row anew."""
    async with tenant_transaction(sessions, job.org_id) as session:
        found = await gateway.get_job_for_org(session, job.org_id, job.id)
    if found is None:
        raise LookupError(job.id)
    return found


async def make_context(
    sessions: SessionFactory, org_id: UUID, actor: Actor | None = None
) -> RunContext:
    """Return the context of a job that runs: what a task's test hands over."""
    run_id = new_id()
    job = await make_job(
        sessions, org_id, state=JobState.PROCESSING, run_id=run_id, attempts=1
    )
    delivery = Delivery(job.engine_id, org_id, job.id, run_id, anyio.CancelScope())
    return RunContext(sessions, actor or Actor.system(org_id), delivery)
