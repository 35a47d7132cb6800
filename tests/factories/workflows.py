"""Rows of workflows for tests."""

from uuid import UUID

from dossier.core.database import SessionFactory, tenant_transaction
from dossier.core.tenancy import Actor
from dossier.jobs.service import JobsService
from dossier.workflows.models import WorkflowRun


async def make_workflow(sessions: SessionFactory, org_id: UUID) -> WorkflowRun:
    """Insert a run of the kind `reflection` that no worker has taken."""
    async with tenant_transaction(sessions, org_id) as session:
        job = await JobsService(session, Actor.system(org_id)).enqueue(
            "workflow.reflection"
        )
        run = WorkflowRun(
            id=job.id,
            org_id=org_id,
            kind="reflection",
            inputs={"topic": "Shelf life"},
            budget={},
            uses_cache=True,
        )
        session.add(run)
    return run
