"""`dossier workflow run`: run a workflow here and show how far it is."""

import asyncio
from typing import Annotated, Any
from uuid import UUID

import orjson
import typer
from pydantic import ValidationError

from dossier.accounts.service.organisations import OrganisationsService
from dossier.cli.ending import BROKEN, UNUSABLE, end
from dossier.core.database import SessionFactory, tenant_transaction
from dossier.core.errors import AppError
from dossier.core.settings import Settings
from dossier.core.startup import opened_database
from dossier.core.tenancy import Actor
from dossier.documents.service import DocumentsService
from dossier.integrations.llm.plan import model_plan
from dossier.jobs.follower import JobFollower
from dossier.jobs.service import JobsService
from dossier.jobs.types import JobEvent
from dossier.products.service.products import ProductsService
from dossier.sources.literature import opened_literature
from dossier.worker import answering, make_worker, running, workflow_handlers
from dossier.workflows.constants import PROGRESS, STEP_COMPLETE
from dossier.workflows.kinds import workflow_kind
from dossier.workflows.kinds.all import ALL_KINDS
from dossier.workflows.schemas import WorkflowInputs, WorkflowResponse
from dossier.workflows.service import WorkflowsService

app = typer.Typer(help="Run workflows of models over documents and sources.")
_COMMAND = "workflow run"


@app.callback()
def workflow() -> None:
    """Run workflows of models over documents and sources."""


@app.command("run")
def run(
    kind: Annotated[str, typer.Argument(help=", ".join(k.name for k in ALL_KINDS))],
    topic: Annotated[str, typer.Option(help="The topic; of multi-agent, the task.")],
    product: Annotated[
        UUID | None, typer.Option(help="reflection: the product it is about.")
    ] = None,
    source: Annotated[
        list[str] | None, typer.Option(help="research: a source; may be repeated.")
    ] = None,
    options: Annotated[
        list[str] | None,
        typer.Option(
            "--set", help="Another input, as `max_results=3`; may be repeated."
        ),
    ] = None,
    org: Annotated[
        UUID | None, typer.Option(help="The organisation; open mode has but one.")
    ] = None,
    *,
    no_cache: Annotated[
        bool, typer.Option("--no-cache", help="Do not answer from an earlier run.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="The answer of `GET /workflows/{id}`.")
    ] = False,
) -> None:
    """Run a workflow; exit 0 when it completed or waits, 1 when it failed."""
    members: dict[str, Any] = {"task" if kind == "multi-agent" else "topic": topic}
    members |= {"product_id": product} if product else {}
    members |= {"sources": source} if source else {}
    members |= {"no_cache": True} if no_cache else {}
    for option in options or []:
        name, _, value = option.partition("=")
        try:
            members[name] = orjson.loads(value)
        except ValueError:
            members[name] = value
    settings = Settings()
    if org is None and settings.auth.mode != "open":
        message = "where people log in, there is no local organisation: name one"
        raise typer.BadParameter(message, param_hint="--org")
    try:
        inputs = workflow_kind(kind).inputs.model_validate(members)
    except ValidationError as exc:
        fault = exc.errors(include_url=False)[0]
        where = ".".join(map(str, fault["loc"]))
        end(_COMMAND, UNUSABLE, f"{where}: {fault['msg']}", as_json=as_json)
    except AppError as exc:
        end(_COMMAND, UNUSABLE, exc.detail or exc.title, as_json=as_json)
    try:
        shown = asyncio.run(_run(settings, kind, inputs, org))
    except AppError as exc:
        end(_COMMAND, BROKEN, exc.detail or exc.title, as_json=as_json)
    if as_json:
        answer = WorkflowResponse.model_validate(shown)
        typer.echo(answer.model_dump_json(indent=2))
    else:
        typer.echo(_text_of(kind, shown))
    if shown["status"] not in ("completed", "waiting"):
        raise typer.Exit(BROKEN)


async def _run(
    settings: Settings, kind: str, inputs: Any, org: UUID | None
) -> dict[str, Any]:
    async with (
        opened_database(settings) as database,
        answering(settings, database) as (searchers, pipeline),
        opened_literature(database.sessions, settings.sources) as literature,
    ):
        organisations = OrganisationsService(database.sessions)
        actor = await (
            organisations.operator_of(org) if org else organisations.ensure_local()
        )
        handlers = workflow_handlers(
            settings, database, searchers, pipeline.model, literature
        )
        worker = make_worker(settings, database, handlers, timers=[])
        has_model = model_plan(settings.ai) is not None
        run_id = await _start(database.sessions, actor, kind, inputs, has_model)
        async with (
            JobFollower(database.sessions, database.url) as follower,
            running(worker),
        ):
            await _follow(follower, actor.org_id, run_id)
        async with tenant_transaction(database.sessions, actor.org_id) as session:
            return await _service(session, actor, has_model).view(run_id)


async def _start(
    sessions: SessionFactory,
    actor: Actor,
    kind: str,
    inputs: WorkflowInputs,
    has_model: bool,  # noqa: FBT001 - of the service
) -> UUID:
    async with tenant_transaction(sessions, actor.org_id) as session:
        job = await _service(session, actor, has_model).start(kind, inputs)
        return job.id


def _service(session: Any, actor: Actor, has_model: bool) -> WorkflowsService:  # noqa: FBT001
    documents = DocumentsService(session, actor)
    return WorkflowsService(
        session,
        actor,
        JobsService(session, actor),
        ProductsService(session, actor, documents),
        has_model=has_model,
    )


async def _follow(follower: JobFollower, org_id: UUID, run_id: UUID) -> None:
    """Print what happens until the run ends, or waits for a person."""
    with follower.following(org_id, run_id) as subscriber:
        while not subscriber.has_ended:
            for event in await subscriber.next():
                typer.echo(_line_of(event), err=True)
                if event.type == PROGRESS and "waiting_for" in event.data:
                    return


def _line_of(event: JobEvent) -> str:
    data = event.data
    if event.type == STEP_COMPLETE:
        how = "from the journal" if data["replayed"] else f"{data['duration_ms']} ms"
        return f"  {data['step']}: {how}"
    if event.type == PROGRESS:
        waits = data.get("waiting_for")
        return f"  {data['message']}" + (f" for a decision on {waits}" if waits else "")
    return event.type


def _text_of(kind: str, shown: dict[str, Any]) -> str:
    if shown["result"] is not None:
        found = workflow_kind(kind)
        return found.markdown(found.result.model_validate(shown["result"]))
    if shown["status"] == "waiting":
        path = f"/api/v1/workflows/{shown['workflow_id']}"
        payload = orjson.dumps(
            shown["waiting_for"]["payload"], option=orjson.OPT_INDENT_2
        )
        return f"{payload.decode()}\nIt waits: POST {path}/approve or …/reject."
    error = shown["error"] or {}
    return f"{shown['status']}: {error.get('detail') or error.get('title') or ''}"
