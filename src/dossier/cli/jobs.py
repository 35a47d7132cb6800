"""`dossier jobs`: list jobs, cancel them, queue failed ones again."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated, Any
from uuid import UUID

import orjson
import typer

from dossier.core.database import (
    SessionFactory,
    system_transaction,
    tenant_transaction,
)
from dossier.core.settings import Settings
from dossier.core.startup import opened_database
from dossier.core.tenancy import Actor
from dossier.jobs.constants import JobState
from dossier.jobs.models import Job
from dossier.jobs.schemas import JobResponse
from dossier.jobs.service import JobsService, OperatorJobs
from dossier.jobs.types import JobFilters

app = typer.Typer(no_args_is_help=True)


@app.callback()
def jobs() -> None:
    """List, cancel and retry the jobs of all organisations, as `/jobs` shows them.

    Answers and summaries of chat are not among them; `stats` counts these as well.
    """


@app.command("list")
def list_jobs(
    state: Annotated[JobState | None, typer.Option(help="Only this state.")] = None,
    kind: Annotated[str | None, typer.Option(help="Only this kind.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000)] = 50,
) -> None:
    """Print jobs, the newest first, one JSON object a line."""

    async def print_jobs(sessions: SessionFactory) -> None:
        async with system_transaction(sessions) as session:
            found = await OperatorJobs(session).list_jobs(
                JobFilters(state, kind), limit
            )
        for job in found:
            _print_job(job)

    _run(print_jobs)


@app.command()
def retry(
    job_id: Annotated[UUID | None, typer.Argument(help="A failed job.")] = None,
    *,
    all_failed: Annotated[
        bool, typer.Option("--all-failed", help="Every failed job.")
    ] = False,
) -> None:
    """Queue failed jobs once more."""
    if (job_id is None) is not all_failed:
        message = "give one job's id, or --all-failed"
        raise typer.BadParameter(message)
    _run(lambda sessions: _for_each(sessions, job_id, JobsService.retry_job))


@app.command()
def cancel(job_id: UUID) -> None:
    """Stop a job; one that runs is `cancelling` until its worker confirms."""
    _run(lambda sessions: _for_each(sessions, job_id, JobsService.cancel_job))


@app.command()
def stats() -> None:
    """Print depth and age of the queue by kind, one JSON object a line; chat too."""

    async def print_depths(sessions: SessionFactory) -> None:
        async with system_transaction(sessions) as session:
            for depth in await OperatorJobs(session).queue_depth():
                typer.echo(orjson.dumps(depth))

    _run(print_depths)


def _run(action: Callable[[SessionFactory], Awaitable[None]]) -> None:
    async def with_database() -> None:
        async with opened_database(Settings()) as database:
            await action(database.sessions)

    asyncio.run(with_database())


async def _for_each(
    sessions: SessionFactory,
    job_id: UUID | None,
    change: Callable[[JobsService, UUID], Awaitable[Job]],
) -> None:
    """Change one job, or all failed ones, each in a transaction of its own."""
    async with system_transaction(sessions) as session:
        found = await OperatorJobs(session).find_jobs(job_id)
    for job in found:
        async with tenant_transaction(sessions, job.org_id) as session:
            service = JobsService(session, Actor.system(job.org_id))
            _print_job(await change(service, job.id))


def _print_job(job: Job) -> None:
    body: dict[str, Any] = {"org_id": str(job.org_id)}
    body |= JobResponse.model_validate(job).model_dump(mode="json")
    typer.echo(orjson.dumps(body))
