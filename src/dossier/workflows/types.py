"""Value objects of workflows: kinds, budgets, what a step gets."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID

from pydantic import BaseModel

from dossier.ai.service.prompts import load_prompt
from dossier.core.database import SessionFactory
from dossier.core.tenancy import Actor
from dossier.integrations.llm.types import (
    CallTag,
    Completion,
    CompletionRequest,
    Purpose,
)
from dossier.knowledge.service.search import SearchService
from dossier.sources.literature import LiteratureService

if TYPE_CHECKING:
    from dossier.integrations.llm.client import ChatClient
    from dossier.workflows.journal import WorkflowRunner

T = TypeVar("T")


class RunDecision(BaseModel):
    """What a person decided on a step that waited."""

    is_approved: bool
    comment: str = ""
    by: str = ""


@dataclass(frozen=True, slots=True)
class WorkflowServices:
    """What the steps of a process reach the outside with."""

    sessions: SessionFactory
    model: "ChatClient | None"
    searcher_of: Callable[[Actor], SearchService]
    literature: LiteratureService
    cache_days: int = 30

    async def model_names(self) -> list[str]:
        """Return the models that answer now; empty where none is set."""
        if self.model is None:
            return []
        purposes = (Purpose.STRONG, Purpose.CHEAP)
        return [await self.model.find_name(each) for each in purposes]


@dataclass(slots=True)
class StepContext:
    """What a step gets beside its inputs: models, search, transactions.

    Counts what it uses; the journal keeps the counts with the step.
    """

    services: WorkflowServices
    actor: Actor
    run_id: UUID
    feature: str
    """`workflow.<kind>.<step>`, as the ledger counts it."""
    prompt_name: str | None = None
    fetches: int = 0
    answer_ids: list[str] = field(default_factory=list)
    """Stored answers of outside sources that the step read."""

    @property
    def org_id(self) -> UUID:
        """Return the organisation, from the job and never from an input."""
        return self.actor.org_id

    @property
    def has_model(self) -> bool:
        """Return whether a model can be asked."""
        return self.services.model is not None

    @property
    def search(self) -> SearchService:
        """Return the search in what the actor may read."""
        return self.services.searcher_of(self.actor)

    @property
    def literature(self) -> LiteratureService:
        """Return the questions to outside sources."""
        return self.services.literature

    def prompt(self) -> str:
        """Return the text of the step's prompt."""
        if self.prompt_name is None:
            message = f"{self.feature} declares no prompt"
            raise ValueError(message)
        return load_prompt(self.prompt_name).text

    def count_fetch(self, answer_id: str | None = None) -> None:
        """Count a question to an outside source."""
        self.fetches += 1
        if answer_id is not None:
            self.answer_ids.append(answer_id)

    async def complete(self, request: CompletionRequest) -> Completion:
        """Return the answer of a model, within the budgets."""
        return await self._model().complete(request, self._tag())

    async def typed(
        self,
        output_type: type[T],
        prompt: str,
        *,
        purpose: Purpose = Purpose.STRONG,
        tools: tuple[Callable[..., Any], ...] = (),
    ) -> T:
        """Return an answer of a type, to the step's instructions and a prompt."""
        return await self._model().typed(
            output_type,
            instructions=self.prompt(),
            prompt=prompt,
            tag=self._tag(),
            purpose=purpose,
            tools=tools,
        )

    def _model(self) -> "ChatClient":
        if self.services.model is None:
            message = f"{self.feature} asks a model and none is set"
            raise RuntimeError(message)
        return self.services.model

    def _tag(self) -> CallTag:
        prompt = load_prompt(self.prompt_name).sha256 if self.prompt_name else None
        return CallTag(
            org_id=self.org_id,
            user_id=self.actor.user_id,
            feature=self.feature,
            key_id=self.actor.api_key_id,
            run_id=self.run_id,
            prompt_hash=prompt,
        )


@dataclass(frozen=True, slots=True)
class WorkflowKind:
    """One kind of workflow; see `docs/adding-a-workflow.md`.

    `run` calls `WorkflowRunner.step` for everything that takes time or money.
    """

    name: str
    version: int
    """Part of every fingerprint: another version repeats the steps of a run."""
    inputs: type[BaseModel]
    result: type[BaseModel]
    run: Callable[["WorkflowRunner", Any], Awaitable[BaseModel]]
    markdown: Callable[[Any], str]
    """Returns a result as Markdown, for its export."""
    needs_model: Callable[[Any], bool] = lambda _inputs: False
    """Whether a run of these inputs can do nothing without a model."""
