"""Builds the service of a request, and what waits and streams after it."""

from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Header, Query, Request, Response, status

from dossier.core.database import SessionFactory, tenant_transaction
from dossier.core.prefer import PREFER, wait_of
from dossier.core.reads import TenantReader
from dossier.core.schemas import Instant
from dossier.core.tenancy import Actor
from dossier.core.web import (
    AppSettings,
    CurrentActor,
    RequestSession,
    Sessions,
    may_still_act,
    model_response,
)
from dossier.integrations.llm.plan import model_plan
from dossier.jobs.constants import JOB_RETRY_AFTER_S, JobState
from dossier.jobs.dependencies import Follower, Jobs
from dossier.jobs.follower import JobFollower
from dossier.jobs.models import Job
from dossier.jobs.responses import (
    AwaitedResponse,
    LogPosition,
    event_stream,
    problem_of_run,
)
from dossier.jobs.service import JobsService
from dossier.products.dependencies import Products
from dossier.workflows.constants import RUNS_PATH, RunStatus
from dossier.workflows.exceptions import WorkflowNotFoundError
from dossier.workflows.schemas import WorkflowResponse
from dossier.workflows.service import WorkflowsService, read_run, state_of


async def get_workflows_service(
    session: RequestSession,
    actor: CurrentActor,
    settings: AppSettings,
    jobs: Jobs,
    products: Products,
) -> WorkflowsService:
    """Build the service from the request's transaction and actor."""
    has_model = model_plan(settings.ai) is not None
    return WorkflowsService(session, actor, jobs, products, has_model=has_model)


Workflows = Annotated[WorkflowsService, Depends(get_workflows_service)]


async def get_run_filters(
    kind: Annotated[str | None, Query(pattern=r"^[a-z][a-z-]{0,63}$")] = None,
    run_status: Annotated[RunStatus | None, Query(alias="status")] = None,
    created_after: Instant | None = None,
    created_before: Instant | None = None,
) -> Mapping[str, Any]:
    """Return the filters of a list that were given."""
    filters = {
        "kind": kind,
        "state": None if run_status is None else state_of(run_status),
        "created_after": created_after,
        "created_before": created_before,
    }
    return {name: value for name, value in filters.items() if value is not None}


RunFilters = Annotated[Mapping[str, Any], Depends(get_run_filters)]


class RunResponses:
    """Makes the responses of one request that wait or stream."""

    def __init__(
        self,
        request: Request,
        sessions: SessionFactory,
        actor: Actor,
        follower: JobFollower,
        wait_s: int | None,
    ) -> None:
        self._request = request
        self._sessions = sessions
        self._actor = actor
        self._follower = follower
        self._wait_s = wait_s

    def started(self, job: Job) -> Response:
        """Send the finished run if it comes in the time that is waited, else a 202.

        A run that fails meanwhile is answered with its problem.
        """
        location = f"{RUNS_PATH}/{job.id}"
        return AwaitedResponse(self._request, location, partial(self._respond, job.id))

    def events(self, job: Job, starting_after: LogPosition) -> Response:
        """Stream the events of a run after a number."""
        return event_stream(
            self._follower,
            job,
            starting_after,
            may_follow=partial(self._may_follow, job),
        )

    async def _respond(self, run_id: UUID) -> Response:
        if self._wait_s:
            await self._follower.wait(self._actor.org_id, run_id, self._wait_s)
        async with tenant_transaction(self._sessions, self._actor.org_id) as session:
            reader = TenantReader(session, self._actor)
            run = await read_run(reader, session, run_id)
            job = await JobsService(session, self._actor).get_job_of_kind(
                run_id, run["job_kind"]
            )
        if job.state is JobState.FAILED and self._wait_s:
            return problem_of_run(job, self._request.url.path)
        shown = WorkflowResponse.model_validate(run)
        if job.state in (JobState.DONE, JobState.CANCELLED):
            return model_response(shown, status.HTTP_200_OK)
        response = model_response(shown, status.HTTP_202_ACCEPTED)
        response.headers["Retry-After"] = str(JOB_RETRY_AFTER_S)
        return response

    async def _may_follow(self, job: Job) -> bool:
        """Return whether the reader is still logged in, and the run still there."""
        if not await may_still_act(self._request, self._actor):
            return False
        async with tenant_transaction(self._sessions, self._actor.org_id) as session:
            try:
                await read_run(TenantReader(session, self._actor), session, job.id)
            except WorkflowNotFoundError:
                return False
        return True


async def get_run_responses(
    request: Request,
    sessions: Sessions,
    actor: CurrentActor,
    follower: Follower,
    prefer: Annotated[str | None, Header(description=PREFER)] = None,
) -> RunResponses:
    """Build what waits and streams after the commit."""
    wait_s = None if prefer is None else wait_of(prefer)
    return RunResponses(request, sessions, actor, follower, wait_s)


Responses = Annotated[RunResponses, Depends(get_run_responses)]
