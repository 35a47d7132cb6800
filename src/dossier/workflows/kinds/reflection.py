"""`reflection`: draft, critique, revise; the best version by rules wins.

A model that only reconsiders its own text gets worse. So the critique brings what the
writer did not have: rules over length, language, claims, numbers, quotations and marks.
"""

import difflib
import json
from dataclasses import asdict
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from dossier.integrations.llm.types import CompletionRequest, PromptMessage, Purpose
from dossier.workflows.exceptions import RunBudgetReachedError
from dossier.workflows.export import inert
from dossier.workflows.journal import WorkflowRunner
from dossier.workflows.kinds import register
from dossier.workflows.material import (
    DocumentPassage,
    EnteredFacts,
    Question,
    find_passages,
    read_product,
)
from dossier.workflows.rules import (
    Issue,
    IssueSeverity,
    language_of,
    rule_issues,
    score_of,
)
from dossier.workflows.schemas import Language, Topic, WorkflowInputs
from dossier.workflows.types import StepContext, WorkflowKind

DRAFT: Final = "workflow.reflection.draft"
CRITIQUE: Final = "workflow.reflection.critique"
REVISE: Final = "workflow.reflection.revise"
MAX_ROUNDS: Final = 2


class ReflectionInputs(WorkflowInputs):
    """Writes about a topic, checks the text against the documents, and revises it."""

    topic: Topic
    language: Language | None = Field(None, description="null: that of the topic.")
    product_id: UUID | None = None
    max_rounds: Annotated[int, Field(ge=1, le=5)] = MAX_ROUNDS


class Material(BaseModel):
    """What a text may rest on."""

    topic: str
    language: str
    product: dict[str, str] | None
    passages: list[DocumentPassage]

    def rule_issues(self, text: str) -> list[Issue]:
        """Return what rules find in a text that rests on this."""
        passages = [each.text for each in self.passages]
        other = " ".join([*(self.product or {}).values(), self.topic])
        return rule_issues(text, self.language, passages, other)

    def prompt(self, **more: Any) -> str:
        """Return the material as JSON for a prompt."""
        shown = [{"n": each.number, "text": each.text} for each in self.passages]
        members = self.model_dump() | {"passages": shown} | more
        return json.dumps(members, ensure_ascii=False)


class DraftText(BaseModel):
    """A text, with what it is to rest on."""

    material: Material
    text: str = ""
    issues: list[Issue] = []


class Critique(BaseModel):
    """The faults that a model found."""

    issues: list[Issue]


class Version(BaseModel):
    """One version of the text, with its faults and how it differs from the last."""

    number: int
    text: str
    score: int
    issues: list[Issue]
    changes: list[str]


class ReflectionResult(BaseModel):
    """The best version, and all of them."""

    topic: str
    language: str
    text: str
    best_version: int
    versions: list[Version]
    passages: list[DocumentPassage]
    engine: Literal["model", "rules"]


async def draft(step: StepContext, wanted: DraftText) -> str:
    """Write the first version."""
    return await _text(step, wanted.material.prompt())


async def critique(step: StepContext, wanted: DraftText) -> Critique:
    """Return what a model finds beside the rules, where its quotes are in the text."""
    found = [asdict(each) for each in wanted.issues]
    prompt = wanted.material.prompt(text=wanted.text, found=found)
    critic = await step.typed(Critique, prompt, purpose=Purpose.STRONG)
    real = [each for each in critic.issues if each.quote in wanted.text]
    return Critique(issues=real)


async def revise(step: StepContext, wanted: DraftText) -> str:
    """Write the next version, which mends the issues."""
    issues = [asdict(each) for each in wanted.issues]
    return await _text(step, wanted.material.prompt(text=wanted.text, issues=issues))


async def _text(step: StepContext, prompt: str) -> str:
    request = CompletionRequest(
        (PromptMessage("system", step.prompt()), PromptMessage("user", prompt))
    )
    return (await step.complete(request)).text.strip()


async def reflect(run: WorkflowRunner, inputs: ReflectionInputs) -> ReflectionResult:
    """Draft, then criticise and revise until nothing grave is left or it gets worse."""
    language = inputs.language or language_of(inputs.topic)
    question = Question(text=inputs.topic, product_id=inputs.product_id)
    versions: list[Version] = []
    passages: list[DocumentPassage] = []
    try:
        passages = await run.step("passages", find_passages, question)
        facts = await run.step("product", read_product, question)
        material = Material(
            topic=inputs.topic,
            language=language,
            product=facts.facts,
            passages=passages,
        )
        if not run.has_model:
            text = template(material, facts)
            issues = material.rule_issues(text)
            versions.append(_version(versions, text, issues))
        else:
            await _write(run, inputs, material, versions)
    except RunBudgetReachedError:
        run.stop_reason = "budget"
    # The first of equal ones: a revision has to be better.
    best = max(versions, key=lambda each: each.score, default=None)
    return ReflectionResult(
        topic=inputs.topic,
        language=language,
        text=best.text if best else "",
        best_version=best.number if best else 0,
        versions=versions,
        passages=passages,
        engine="model" if run.has_model else "rules",
    )


async def _write(
    run: WorkflowRunner,
    inputs: ReflectionInputs,
    material: Material,
    versions: list[Version],
) -> None:
    wanted = DraftText(material=material)
    text = await run.step("draft", draft, wanted, prompt=DRAFT)
    for round_number in range(inputs.max_rounds + 1):
        issues = material.rule_issues(text)
        wanted = DraftText(material=material, text=text, issues=issues)
        try:
            found = await run.step("critique", critique, wanted, prompt=CRITIQUE)
            issues = [*issues, *found.issues]
        finally:  # a text whose critique the budget forbids has its rules' score
            versions.append(_version(versions, text, issues))
        is_worse = len(versions) > 1 and versions[-1].score <= versions[-2].score
        if not any(each.severity is IssueSeverity.BLOCKER for each in issues):
            return
        if is_worse:
            run.stop_reason = "no_improvement"
            return
        if round_number == inputs.max_rounds:
            run.stop_reason = "rounds"
            return
        wanted = DraftText(material=material, text=text, issues=issues)
        text = await run.step("revise", revise, wanted, prompt=REVISE)


def template(material: Material, facts: EnteredFacts) -> str:
    """Return the facts and the passages in their own words, where no model writes."""
    stated = [f"{name}: {value}" for name, value in (facts.facts or {}).items()]
    quoted = [f"{each.text.strip()} [{each.number}]" for each in material.passages]
    return "\n".join([*stated, *quoted])


def _version(versions: list[Version], text: str, issues: list[Issue]) -> Version:
    before = versions[-1].text if versions else ""
    changes = [
        line
        for line in difflib.unified_diff(
            before.splitlines(), text.splitlines(), lineterm="", n=0
        )
        if not line.startswith(("---", "+++", "@@"))
    ]
    return Version(
        number=len(versions) + 1,
        text=text,
        score=score_of(issues),
        issues=issues,
        changes=changes if versions else [],
    )


def markdown(result: ReflectionResult) -> str:
    """Return the text with its sources, and the faults that are left."""
    parts = [f"# {inert(result.topic)}", inert(result.text)]
    left = next(
        (each.issues for each in result.versions if each.number == result.best_version),
        [],
    )
    if left:
        parts.append("## Open points")
        parts += [f"- {each.severity}: {inert(each.problem)}" for each in left]
    if result.passages:
        parts.append("## Passages")
        parts += [
            f"{each.number}. {inert(each.filename)}, page {each.page}"
            for each in result.passages
        ]
    return "\n\n".join(parts) + "\n"


def needs_model(inputs: ReflectionInputs) -> bool:
    """Return whether there is nothing to fill the template with."""
    return inputs.product_id is None


REFLECTION: Final = register(
    WorkflowKind(
        name="reflection",
        version=1,
        inputs=ReflectionInputs,
        result=ReflectionResult,
        run=reflect,
        markdown=markdown,
        needs_model=needs_model,
    )
)
