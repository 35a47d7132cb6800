"""Wiring of model calls."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query

from dossier.accounts.dependencies import ApiKeys, ConfirmedActor
from dossier.accounts.service.members import AccountsService
from dossier.activity.dependencies import Activity
from dossier.ai.service.budgets import BudgetsService
from dossier.ai.service.cache import AnswerCache
from dossier.ai.service.capabilities import CapabilitiesService
from dossier.ai.service.usage import UsageService
from dossier.ai.types import CallFilter
from dossier.core.schemas import Instant, StorableText
from dossier.core.tenancy import Actor
from dossier.core.web import AppSettings, CurrentActor, RequestSession, Sessions
from dossier.integrations.llm.types import CallOutcome


async def get_usage_service(
    session: RequestSession, actor: CurrentActor
) -> UsageService:
    """Build the service from the request's transaction and actor."""
    return UsageService(session, actor)


async def get_budgets_service(
    session: RequestSession,
    actor: ConfirmedActor,
    activity: Activity,
    keys: ApiKeys,
) -> BudgetsService:
    """Build the service; whether a member exists is asked in the system's name.

    Who sets budgets may not list the members.
    """
    asking = Actor.system(actor.org_id)
    members = AccountsService(session, asking, activity)
    return BudgetsService(session, actor, members, keys)


async def get_answer_cache(
    session: RequestSession, actor: CurrentActor, settings: AppSettings
) -> AnswerCache:
    """Build the cache from the request's transaction and actor."""
    return AnswerCache(session, actor, days=settings.chat.cache_days)


async def get_capabilities_service(
    _actor: CurrentActor, sessions: Sessions, settings: AppSettings
) -> CapabilitiesService:
    """Build the service, which reads in transactions of its own."""
    return CapabilitiesService(sessions, settings.ai, settings.knowledge)


async def call_filter(
    *,
    since: Instant | None = None,
    until: Instant | None = None,
    feature: StorableText | None = None,
    model: StorableText | None = None,
    user_id: UUID | None = None,
    key_id: UUID | None = None,
    run_id: UUID | None = None,
    outcome: CallOutcome | None = None,
) -> CallFilter:
    """Return which calls a request asks for."""
    return CallFilter(since, until, feature, model, user_id, key_id, run_id, outcome)


async def answer_scope(
    product_id: UUID | None = None,
    room_id: UUID | None = None,
    document_id: Annotated[
        UUID | None, Query(description="Answers whose scope is this one document.")
    ] = None,
) -> dict[str, UUID]:
    """Return the scope that a request names; empty: everything."""
    named = {"product_id": product_id, "room_id": room_id, "document_id": document_id}
    return {name: value for name, value in named.items() if value is not None}


ModelUsage = Annotated[UsageService, Depends(get_usage_service)]
Budgets = Annotated[BudgetsService, Depends(get_budgets_service)]
CachedAnswers = Annotated[AnswerCache, Depends(get_answer_cache)]
Capabilities = Annotated[CapabilitiesService, Depends(get_capabilities_service)]
WantedCalls = Annotated[CallFilter, Depends(call_filter)]
CachedAnswerScope = Annotated[dict[str, UUID], Depends(answer_scope)]
