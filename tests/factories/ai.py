"""Budgets, calls and ledgers for tests."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from dossier.ai import gateway
from dossier.ai.constants import BudgetScope, BudgetWindow
from dossier.ai.models import AiBudget
from dossier.ai.service.ledger import Ledger
from dossier.ai.types import Price
from dossier.core.clock import now
from dossier.core.database import SessionFactory, tenant_transaction
from dossier.core.models import new_id
from dossier.integrations.llm.types import CallOutcome, CallRecord, CallTag, Usage

PRICE = Price(Decimal(2), Decimal(8), Decimal("0.5"), "settings")


class FixedPrices:
    """Prices that are known beforehand."""

    def __init__(self, price: Price | None = PRICE) -> None:
        self.price = price

    async def price_of(self, _model: str) -> Price | None:
        return self.price


def make_ledger(sessions: SessionFactory, price: Price | None = PRICE) -> Ledger:
    return Ledger(sessions, FixedPrices(price).price_of)


def make_tag(org_id: UUID, **overrides: Any) -> CallTag:
    values: dict[str, Any] = {"user_id": None, "feature": "chat.answer"} | overrides
    return CallTag(org_id=org_id, **values)


def make_record(
    input_tokens: int = 100,
    output_tokens: int = 50,
    cached_tokens: int | None = None,
    **overrides: Any,
) -> CallRecord:
    values: dict[str, Any] = {
        "provider": "openai",
        "server": "models.example:443",
        "model": "large",
        "duration_ms": 1200,
        "first_token_ms": 300,
        "outcome": CallOutcome.COMPLETED,
    } | overrides
    return CallRecord(usage=Usage(input_tokens, output_tokens, cached_tokens), **values)


async def make_budget(
    sessions: SessionFactory, org_id: UUID, **overrides: Any
) -> AiBudget:
    """Insert a budget of tokens for the organisation's month."""
    moment = now()
    values = {
        "id": new_id(),
        "org_id": org_id,
        "created_at": moment,
        "updated_at": moment,
        "scope": BudgetScope.ORGANISATION,
        "subject_id": None,
        "window": BudgetWindow.MONTH,
        "cap_tokens": 1000,
        "cap_usd": None,
    } | overrides
    async with tenant_transaction(sessions, org_id) as session:
        return await gateway.add_budget(session, values)
