"""`multi-agent`: a planner, agents that carry out the steps, a writer that merges.

Tools read the caller's organisation only; none changes anything.
"""

import json
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, Field

from dossier.core.database import tenant_transaction
from dossier.core.pagination import PageParams
from dossier.core.reads import TenantReader
from dossier.integrations.llm.types import CompletionRequest, PromptMessage
from dossier.products.service.products import list_products
from dossier.products.types import ProductFilter
from dossier.workflows.exceptions import RunBudgetReachedError, WorkflowRejectedError
from dossier.workflows.export import inert
from dossier.workflows.journal import WorkflowRunner
from dossier.workflows.kinds import register
from dossier.workflows.material import Question, find_passages
from dossier.workflows.rules import Issue, banned_claims
from dossier.workflows.schemas import Topic, WorkflowInputs
from dossier.workflows.types import StepContext, WorkflowKind

PREFIX: Final = "workflow.multi-agent."
AgentName = Literal["researcher", "analyst", "writer", "editor"]
_PROMPTS: Final[dict[AgentName, str]] = {
    "researcher": PREFIX + "research",
    "analyst": PREFIX + "analyse",
    "writer": PREFIX + "write",
    "editor": PREFIX + "edit",
}
_MERGE: Final = "Write the final report that answers the task."


class MultiAgentInputs(WorkflowInputs):
    """Plans a task, lets agents carry it out over the organisation's data."""

    task: Topic
    max_steps: Annotated[int, Field(ge=1, le=10)] = 4
    needs_approval: bool = Field(
        default=False, description="The plan waits until a person approves it."
    )


class PlannedStep(BaseModel):
    """One step of the plan."""

    agent: AgentName
    instruction: str


class Plan(BaseModel):
    """The plan of a task."""

    steps: list[PlannedStep]


class TaskPlanInputs(BaseModel):
    """What a plan is made for."""

    task: str
    max_steps: int


class StepInputs(BaseModel):
    """What an agent gets."""

    task: str
    step: PlannedStep
    earlier: list[str]


class ExecutedStep(BaseModel):
    """A step of the history."""

    number: int
    agent: AgentName
    instruction: str
    result: str


class MultiAgentResult(BaseModel):
    """Plan, history and final report."""

    task: str
    plan: Plan
    history: list[ExecutedStep]
    report: str
    issues: list[Issue]
    """What rules find in the report."""


async def plan(step: StepContext, wanted: TaskPlanInputs) -> Plan:
    """Let a model make the plan."""
    members = wanted.model_dump() | {"agents": list(_PROMPTS)}
    found = await step.typed(Plan, json.dumps(members, ensure_ascii=False))
    return Plan(steps=found.steps[: wanted.max_steps])


async def carry_out(step: StepContext, wanted: StepInputs) -> str:
    """Let the agent of a step carry it out."""
    members: dict[str, Any] = {
        "task": wanted.task,
        "instruction": wanted.step.instruction,
        "earlier": wanted.earlier,
    }
    if wanted.step.agent == "researcher":
        question = Question(text=wanted.step.instruction)
        members["passages"] = [
            {"n": each.number, "file": each.filename, "text": each.text}
            for each in await find_passages(step, question)
        ]
    prompt = json.dumps(members, ensure_ascii=False)
    if wanted.step.agent == "analyst":
        return await step.typed(str, prompt, tools=analyst_tools(step))
    request = CompletionRequest(
        (PromptMessage("system", step.prompt()), PromptMessage("user", prompt))
    )
    return (await step.complete(request)).text.strip()


def analyst_tools(step: StepContext) -> tuple[Callable[..., Awaitable[str]], ...]:
    """Return read-only tools over the organisation of the run."""

    async def find_products(words: str) -> str:
        """Return products whose name or code holds the words, as JSON."""
        async with tenant_transaction(step.services.sessions, step.org_id) as session:
            page = await list_products(
                TenantReader(session, step.actor),
                ProductFilter(search=words[:200] or None),
                PageParams(limit=20),
            )
        shown = ("id", "code", "name_zh", "name_en", "category")
        rows = [{name: str(row[name]) for name in shown} for row in page.items]
        return json.dumps(rows, ensure_ascii=False)

    async def search_documents(question: str) -> str:
        """Return the best passages of the organisation's documents, as JSON."""
        passages = await find_passages(step, Question(text=question[:1000]))
        rows = [{"file": each.filename, "text": each.text} for each in passages]
        return json.dumps(rows, ensure_ascii=False)

    return find_products, search_documents


async def carry_task(run: WorkflowRunner, inputs: MultiAgentInputs) -> MultiAgentResult:
    """Plan, let a person approve where it is asked for, carry out, merge."""
    made = Plan(steps=[])
    history: list[ExecutedStep] = []
    report = ""
    try:
        wanted = TaskPlanInputs(task=inputs.task, max_steps=inputs.max_steps)
        made = await run.step("plan", plan, wanted, prompt=PREFIX + "plan")
        if inputs.needs_approval:
            decision = await run.approval("approve_plan", made)
            if not decision.is_approved:
                raise WorkflowRejectedError(
                    decision.comment or "The plan was rejected."
                )
        for number, planned in enumerate(made.steps, start=1):
            run.progress(f"step {number} of {len(made.steps)}", agent=planned.agent)
            result = await _agent(run, inputs.task, planned, history)
            history.append(
                ExecutedStep(number=number, result=result, **planned.model_dump())
            )
        last = made.steps[-1].agent if made.steps else None
        if last in ("writer", "editor"):
            report = history[-1].result
        else:
            merging = PlannedStep(agent="writer", instruction=_MERGE)
            report = await _agent(run, inputs.task, merging, history)
    except RunBudgetReachedError:
        run.stop_reason = "budget"
        report = history[-1].result if history else ""
    return MultiAgentResult(
        task=inputs.task,
        plan=made,
        history=history,
        report=report,
        issues=banned_claims(report),
    )


async def _agent(
    run: WorkflowRunner, task: str, planned: PlannedStep, history: list[ExecutedStep]
) -> str:
    wanted = StepInputs(
        task=task, step=planned, earlier=[each.result for each in history]
    )
    return await run.step(
        planned.agent, carry_out, wanted, prompt=_PROMPTS[planned.agent]
    )


def markdown(result: MultiAgentResult) -> str:
    """Return the report, then the plan with its results."""
    steps = [
        f"{each.number}. {each.agent}: {inert(each.instruction)}"
        for each in result.history
    ]
    parts = [f"# {inert(result.task)}", inert(result.report), "## Steps", *steps]
    return "\n\n".join(parts) + "\n"


def needs_model(_inputs: MultiAgentInputs) -> bool:
    """Return true: every step is a model's."""
    return True


MULTI_AGENT: Final = register(
    WorkflowKind(
        name="multi-agent",
        version=1,
        inputs=MultiAgentInputs,
        result=MultiAgentResult,
        run=carry_task,
        markdown=markdown,
        needs_model=needs_model,
    )
)
