"""What models can do here, what they cost, what caps them, which answers are stored."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, status

from dossier.ai.constants import UsageGroup
from dossier.ai.dependencies import (
    Budgets,
    CachedAnswers,
    CachedAnswerScope,
    Capabilities,
    ModelUsage,
    WantedCalls,
)
from dossier.ai.models import AiCall
from dossier.ai.schemas import (
    BudgetRequest,
    BudgetResponse,
    CacheResponse,
    CallResponse,
    CapabilitiesResponse,
    ForgottenResponse,
    ModelUsageResponse,
)
from dossier.core.pagination import Paging, Slice
from dossier.core.schemas import Page, StorableText

router = APIRouter(prefix="/ai", tags=["ai"])


@router.get("/capabilities")
async def get_capabilities(capabilities: Capabilities) -> CapabilitiesResponse:
    """Return per feature whether it works, by which engine, and why not."""
    return await capabilities.describe()


@router.get("/usage")
async def get_usage(
    usage: ModelUsage,
    wanted: WantedCalls,
    group_by: Annotated[list[UsageGroup], Query()] = [  # noqa: B006 - FastAPI copies it
        UsageGroup.DAY,
        UsageGroup.FEATURE,
        UsageGroup.MODEL,
    ],
) -> ModelUsageResponse:
    """Sum up the calls of the last 30 days, or of the days that are asked for."""
    return await usage.sum_up(wanted, list(dict.fromkeys(group_by)))


@router.get("/calls", response_model=Page[CallResponse])
async def list_calls(
    usage: ModelUsage, wanted: WantedCalls, page: Paging
) -> Slice[AiCall]:
    """List calls of models, the newest first."""
    return await usage.list_calls(wanted, page)


@router.get("/budgets", response_model=Page[BudgetResponse])
async def list_budgets(budgets: Budgets, page: Paging) -> Slice[BudgetResponse]:
    """List budgets with what they have spent and hold."""
    return await budgets.list_budgets(page)


@router.put("/budgets")
async def set_budget(body: BudgetRequest, budgets: Budgets) -> BudgetResponse:
    """Cap what an organisation, a user or a key may spend in a day or a month.

    There is one budget for each of them and each window; setting it again changes it.
    """
    return await budgets.set_budget(body)


@router.get("/budgets/{budget_id}")
async def get_budget(budget_id: UUID, budgets: Budgets) -> BudgetResponse:
    """Show one budget."""
    return await budgets.get_budget(budget_id)


@router.delete("/budgets/{budget_id}", status_code=status.HTTP_204_NO_CONTENT)
async def remove_budget(budget_id: UUID, budgets: Budgets) -> None:
    """Remove a cap."""
    await budgets.remove_budget(budget_id)


@router.get("/cache")
async def get_cache(answers: CachedAnswers) -> CacheResponse:
    """Return how many answers are stored, and how often they were used again."""
    return await answers.statistics()


@router.delete("/cache")
async def clear_cache(
    answers: CachedAnswers,
    scope: CachedAnswerScope,
    feature: StorableText | None = None,
) -> ForgottenResponse:
    """Delete stored answers: all, those of a feature, or those of a scope."""
    return ForgottenResponse(deleted=await answers.delete(scope, feature=feature))
