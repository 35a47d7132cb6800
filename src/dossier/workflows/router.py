"""Routes of workflows: a route per kind starts a run, the others act on any."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from dossier.core.downloads import DOWNLOAD_RESPONSES, download
from dossier.core.pagination import Paging, Slice
from dossier.core.reads import Row
from dossier.core.schemas import Page
from dossier.core.web import Reader
from dossier.jobs.responses import StartingAfter
from dossier.workflows import service
from dossier.workflows.constants import ExportForm
from dossier.workflows.dependencies import Responses, RunFilters, Workflows
from dossier.workflows.export import exported
from dossier.workflows.kinds.all import ALL_KINDS
from dossier.workflows.schemas import (
    RetryRequest,
    RunDecisionRequest,
    StepList,
    WorkflowResponse,
    WorkflowSummary,
)
from dossier.workflows.types import WorkflowKind

router = APIRouter(prefix="/workflows", tags=["workflows"])
RUN: dict[int | str, dict[str, Any]] = {
    200: {"model": WorkflowResponse, "description": "It ended within the wait."},
    202: {"model": WorkflowResponse, "description": "It is under way."},
}
EVENTS: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {"text/event-stream": {}},
        "description": "Stored events, then those that come, to the end.",
    },
    204: {"description": "Nothing more will come."},
}


def _starter(kind: WorkflowKind) -> Callable[..., Awaitable[Response]]:
    """Return the endpoint that starts runs of a kind."""

    async def start(body: Any, runs: Workflows, responses: Responses) -> Response:
        return responses.started(await runs.start(kind.name, body))

    start.__annotations__["body"] = kind.inputs
    start.__name__ = f"start_{kind.name.replace('-', '_')}"
    start.__doc__ = (kind.inputs.__doc__ or "") + (
        "\n\n202 with `Location`, or with `Prefer: wait=60` the finished run."
    )
    return start


for _kind in ALL_KINDS:
    router.add_api_route(
        f"/{_kind.name}",
        _starter(_kind),
        methods=["POST"],
        response_model=WorkflowResponse,
        responses=RUN,
    )


@router.get("", response_model=Page[WorkflowSummary])
async def list_workflows(
    reader: Reader, filters: RunFilters, paging: Paging
) -> Slice[Row]:
    """List the organisation's runs, newest first."""
    return await service.list_runs(reader, filters, paging)


@router.get("/{workflow_id:uuid}", response_model=WorkflowResponse)
async def get_workflow(workflow_id: UUID, runs: Workflows) -> dict[str, Any]:
    """Show one run; a failed one is a 200 with its problem in `error`."""
    return await runs.view(workflow_id)


@router.get("/{workflow_id}/steps", response_model=StepList)
async def list_workflow_steps(workflow_id: UUID, runs: Workflows) -> dict[str, Any]:
    """List the finished steps of a run; `retry` takes their names."""
    return {"items": await runs.list_steps(workflow_id)}


@router.get(
    "/{workflow_id}/events",
    response_class=Response,
    response_model=None,
    responses=EVENTS,
)
async def stream_workflow(
    workflow_id: UUID, runs: Workflows, responses: Responses, after: StartingAfter
) -> Response:
    """Follow a run from its beginning, or from an event on."""
    return responses.events(await runs.get_job(workflow_id), after)


@router.post("/{workflow_id}/cancel", response_model=WorkflowResponse)
async def cancel_workflow(workflow_id: UUID, runs: Workflows) -> dict[str, Any]:
    """Cancel a run, also during a call of a model; asking twice is no error."""
    await runs.cancel(workflow_id)
    return await runs.view(workflow_id)


@router.post(
    "/{workflow_id}/retry",
    response_model=WorkflowResponse,
    responses=RUN,
)
async def retry_workflow(
    workflow_id: UUID,
    runs: Workflows,
    responses: Responses,
    body: RetryRequest | None = None,
) -> Response:
    """Run a run that has ended again, from a step on; earlier steps are kept."""
    from_step = body.from_step if body else None
    return responses.started(await runs.retry(workflow_id, from_step))


@router.post(
    "/{workflow_id}/approve",
    response_model=WorkflowResponse,
    responses=RUN,
)
async def approve_workflow(
    workflow_id: UUID,
    runs: Workflows,
    responses: Responses,
    body: RunDecisionRequest | None = None,
) -> Response:
    """Approve what the run proposed; it goes on."""
    comment = body.comment if body else ""
    job = await runs.decide(workflow_id, is_approved=True, comment=comment)
    return responses.started(job)


@router.post(
    "/{workflow_id}/reject",
    response_model=WorkflowResponse,
    responses=RUN,
)
async def reject_workflow(
    workflow_id: UUID,
    runs: Workflows,
    responses: Responses,
    body: RunDecisionRequest | None = None,
) -> Response:
    """Reject what the run proposed; it ends, or proposes something else."""
    comment = body.comment if body else ""
    job = await runs.decide(workflow_id, is_approved=False, comment=comment)
    return responses.started(job)


@router.get(
    "/{workflow_id}/export", response_class=Response, responses=DOWNLOAD_RESPONSES
)
async def export_workflow(
    workflow_id: UUID,
    request: Request,
    runs: Workflows,
    form: Annotated[ExportForm, Query(alias="format")] = ExportForm.MARKDOWN,
) -> Response:
    """Export the result of a completed run as HTML, Markdown or JSON."""
    kind, markdown, result = await runs.export_markdown(workflow_id)
    return download(request, exported(workflow_id, kind, form, markdown, result))
