"""Use cases of budgets: set, look, remove."""

from decimal import Decimal
from uuid import UUID

from dossier.accounts.service.api_keys import ApiKeysService
from dossier.accounts.service.members import AccountsService
from dossier.activity.service import ActivityService
from dossier.ai import gateway, rules
from dossier.ai.constants import MANAGERS, BudgetScope, BudgetWindow
from dossier.ai.exceptions import BudgetCapMissingError, BudgetNotFoundError
from dossier.ai.models import AiBudget
from dossier.ai.schemas import BudgetRequest, BudgetResponse
from dossier.core.clock import now
from dossier.core.database import Session
from dossier.core.errors import Fault
from dossier.core.models import new_id
from dossier.core.pagination import PageParams, Slice
from dossier.core.tenancy import Actor


class BudgetsService:
    """The budgets of one organisation."""

    def __init__(
        self,
        session: Session,
        actor: Actor,
        members: AccountsService,
        keys: ApiKeysService,
    ) -> None:
        self._session = session
        self._actor = actor
        self._known = {
            BudgetScope.USER: members.get_user,
            BudgetScope.KEY: keys.get_api_key,
        }
        self._activity = ActivityService(session, actor)

    async def set_budget(self, wanted: BudgetRequest) -> BudgetResponse:
        """Make a budget, or change the caps of the one that counts the same.

        A new one begins with what its calls have cost in the present window. No API key
        may: it would raise the cap that holds it.
        """
        self._actor.require(*MANAGERS)
        self._actor.require_person()
        _refuse_incomplete(wanted)
        if wanted.subject_id is not None:
            await self._known[wanted.scope](wanted.subject_id)
        moment = now()
        budget = await gateway.add_budget(
            self._session,
            wanted.model_dump()
            | {
                "id": new_id(),
                "org_id": self._actor.org_id,
                "created_at": moment,
                "updated_at": moment,
            },
        )
        await gateway.start_window_for_org(
            self._session,
            self._actor.org_id,
            budget,
            rules.window_start(wanted.window, moment),
        )
        await self._record("update", budget)
        return (await self._with_windows([budget]))[0]

    async def get_budget(self, budget_id: UUID) -> BudgetResponse:
        """Return one budget with what it has spent."""
        return (await self._with_windows([await self._budget(budget_id)]))[0]

    async def list_budgets(self, page: PageParams) -> Slice[BudgetResponse]:
        """Return one page of budgets with what they have spent, oldest first."""
        self._actor.require(*MANAGERS)
        found = await gateway.list_budgets_for_org(
            self._session, self._actor.org_id, page
        )
        items = await self._with_windows(found.items)
        return Slice(items, found.total, found.limit, found.offset)

    async def remove_budget(self, budget_id: UUID) -> None:
        """Delete a budget; calls that it holds tokens for go on."""
        self._actor.require_person()
        budget = await self._budget(budget_id)
        await gateway.remove_budget_for_org(
            self._session, self._actor.org_id, budget_id
        )
        await self._record("delete", budget)

    async def _budget(self, budget_id: UUID) -> AiBudget:
        self._actor.require(*MANAGERS)
        budget = await gateway.get_budget_for_org(
            self._session, self._actor.org_id, budget_id
        )
        if budget is None:
            raise BudgetNotFoundError(budget_id)
        return budget

    async def _with_windows(self, budgets: list[AiBudget]) -> list[BudgetResponse]:
        moment = now()
        keys = [
            (each.id, rules.window_start(BudgetWindow(each.window), moment))
            for each in budgets
        ]
        windows = {}
        if keys:
            windows = await gateway.list_windows_for_org(
                self._session, self._actor.org_id, keys
            )
        responses: list[BudgetResponse] = []
        for budget, key in zip(budgets, keys, strict=True):
            used = windows.get(key)
            responses.append(
                BudgetResponse(
                    id=budget.id,
                    scope=BudgetScope(budget.scope),
                    subject_id=budget.subject_id,
                    window=BudgetWindow(budget.window),
                    cap_tokens=budget.cap_tokens,
                    cap_usd=budget.cap_usd,
                    spent_tokens=used.spent_tokens if used else 0,
                    reserved_tokens=used.reserved_tokens if used else 0,
                    spent_usd=used.spent_usd if used else Decimal(0),
                    reserved_usd=used.reserved_usd if used else Decimal(0),
                    starts_at=key[1],
                    resets_at=rules.window_end(BudgetWindow(budget.window), key[1]),
                    created_at=budget.created_at,
                    updated_at=budget.updated_at,
                )
            )
        return responses

    async def _record(self, action: str, budget: AiBudget) -> None:
        cap_usd = budget.cap_usd
        details = {
            "scope": str(budget.scope),
            "window": str(budget.window),
            "cap_tokens": budget.cap_tokens,
            "cap_usd": None if cap_usd is None else rules.plain_decimal(cap_usd),
        }
        await self._activity.record(action, "ai_budget", budget.id, details=details)


def _refuse_incomplete(wanted: BudgetRequest) -> None:
    faults = []
    if wanted.cap_tokens is None and wanted.cap_usd is None:
        detail = "State `cap_tokens`, `cap_usd` or both."
        faults.append(Fault("#/cap_tokens", detail, "cap_missing"))
    if (wanted.scope is BudgetScope.ORGANISATION) != (wanted.subject_id is None):
        detail = "A user or a key is named by `subject_id`; an organisation is not."
        faults.append(Fault("#/subject_id", detail, "subject"))
    if faults:
        raise BudgetCapMissingError(faults[0].detail, faults=tuple(faults))
