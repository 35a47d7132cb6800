"""Looking at the ledger: single calls, and sums of them."""

from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from uuid import UUID

from dossier.ai import gateway
from dossier.ai.constants import (
    MANAGERS,
    MAX_USAGE_ROWS,
    USAGE_DAYS,
    UsageGroup,
)
from dossier.ai.models import AiCall
from dossier.ai.schemas import ModelUsageResponse, UsageRow
from dossier.ai.types import CallFilter
from dossier.core.clock import now
from dossier.core.database import Session
from dossier.core.pagination import PageParams, Slice
from dossier.core.tenancy import Actor

_SUMS = (
    "calls",
    "input_tokens",
    "output_tokens",
    "cached_tokens",
    "charged_tokens",
    "cost_usd",
    "unknown_costs",
)
_GROUP_MEMBERS = {
    UsageGroup.DAY: "day",
    UsageGroup.FEATURE: "feature",
    UsageGroup.MODEL: "model",
    UsageGroup.USER: "user_id",
    UsageGroup.KEY: "key_id",
}


@dataclass(frozen=True, slots=True)
class RunUsage:
    """What the calls of one run came to."""

    requests: int
    input_tokens: int
    output_tokens: int
    usd: Decimal | None
    """`None` where the price of a call is not known."""

    @property
    def tokens(self) -> int:
        """Return all tokens."""
        return self.input_tokens + self.output_tokens


async def usage_of_run(session: Session, org_id: UUID, run_id: UUID) -> RunUsage:
    """Return what a run has paid for, in the caller's transaction."""
    calls, tokens_in, tokens_out, usd, unpriced = await gateway.sum_run_for_org(
        session, org_id, run_id
    )
    return RunUsage(calls, tokens_in, tokens_out, None if unpriced else usd)


class UsageService:
    """What an organisation's calls of models came to."""

    def __init__(self, session: Session, actor: Actor) -> None:
        self._session = session
        self._actor = actor

    async def list_calls(self, wanted: CallFilter, page: PageParams) -> Slice[AiCall]:
        """Return one page of calls, the newest first."""
        self._actor.require(*MANAGERS)
        return await gateway.list_calls_for_org(
            self._session, self._actor.org_id, wanted, page
        )

    async def sum_up(
        self, wanted: CallFilter, groups: list[UsageGroup]
    ) -> ModelUsageResponse:
        """Return sums by the groups, and the whole."""
        self._actor.require(*MANAGERS)
        since = wanted.since or now() - timedelta(days=USAGE_DAYS)
        bounded = replace(wanted, since=since)
        rows = await self._sums(bounded, groups)
        totals = await self._sums(bounded, [])
        return ModelUsageResponse(
            since=since,
            until=wanted.until,
            group_by=groups,
            items=rows[:MAX_USAGE_ROWS],
            is_cut=len(rows) > MAX_USAGE_ROWS,
            totals=totals[0],
        )

    async def _sums(
        self, wanted: CallFilter, groups: list[UsageGroup]
    ) -> list[UsageRow]:
        rows = await gateway.sum_calls_for_org(
            self._session, self._actor.org_id, wanted, groups, MAX_USAGE_ROWS + 1
        )
        names = (*(_GROUP_MEMBERS[group] for group in groups), *_SUMS)
        unset = dict.fromkeys(_GROUP_MEMBERS.values())
        return [
            UsageRow.model_validate(unset | dict(zip(names, row, strict=True)))
            for row in rows
        ]
