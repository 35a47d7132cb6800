"""The ledger: every call of a model, written before it is made and after it ended.

Each step is a short transaction of its own, so that what was paid stays written
whatever becomes of the caller's.
"""

import logging
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from dossier.ai import rules
from dossier.ai.constants import CallOutcome
from dossier.ai.exceptions import ModelPriceUnknownError
from dossier.ai.gateway import budgets as budget_gateway
from dossier.ai.gateway import calls as gateway
from dossier.ai.gateway.budgets import Cap, Payer, Spent
from dossier.ai.gateway.calls import NewCall, Settlement
from dossier.ai.rules.pricing import Price, Tokens
from dossier.ai.service.meters import check
from dossier.ai.types import PriceOf
from dossier.core.clock import now
from dossier.core.database import Session, SessionFactory, tenant_transaction
from dossier.core.models import new_id
from dossier.core.reconnect import retry_until_connected
from dossier.integrations.llm.types import CallRecord, CallTag

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Open:
    """A call of this process that is not settled yet."""

    org_id: UUID
    model: str
    tokens: int
    usd: Decimal | None


class Ledger:
    """Writes calls and keeps budgets; satisfies `Recorder`. One per process.

    What is reserved here is settled here; calls of a process that died are settled by
    `ai.tasks.settle_lost`.
    """

    def __init__(self, sessions: SessionFactory, price_of: PriceOf) -> None:
        self._sessions = sessions
        self._price_of = price_of
        self._open: dict[UUID, _Open] = {}

    async def reserve(self, tag: CallTag, model: str, tokens: int) -> UUID:
        """Reserve tokens for a call, or raise where a budget forbids it.

        Every budget that counts the call holds them, or none does. The budgets' rows
        are locked while their windows are read and raised: of callers at once each sees
        what the one before has reserved.
        """
        price = await self._price_of(model)
        call = _new_call(tag, model, tokens, price)
        payer = Payer(tag.user_id, tag.key_id)
        async with tenant_transaction(self._sessions, tag.org_id) as session:
            budgets = await budget_gateway.lock_caps_for_org(session, tag.org_id, payer)
            _refuse_unpriced(budgets, call)
            holds = await self._hold(session, tag.org_id, budgets, call)
            await gateway.add_call(session, tag.org_id, call, holds)
        self._open[call.id] = _Open(tag.org_id, model, tokens, call.reserved_usd)
        return call.id

    async def settle(self, reservation: UUID, record: CallRecord) -> None:
        """Replace a reservation by what the call came to."""
        opened = self._open.get(reservation)
        if opened is None:
            logger.warning("ai.call.unknown", extra={"call_id": str(reservation)})
            return
        settled = await retry_until_connected(
            lambda: self._settle(reservation, opened, record)
        )
        self._open.pop(reservation, None)
        if not settled:  # the sweeper took it for lost, or a commit's reply was
            logger.warning("ai.call.late", extra={"call_id": str(reservation)})

    async def _settle(
        self, reservation: UUID, opened: _Open, record: CallRecord
    ) -> bool:
        # By the name that was asked for: servers answer under longer ones.
        price = await self._price_of(opened.model)
        settlement = _settlement(opened, record, price)
        async with tenant_transaction(self._sessions, opened.org_id) as session:
            return await gateway.settle_call_for_org(
                session, opened.org_id, reservation, settlement
            )

    async def _hold(
        self, session: Session, org_id: UUID, budgets: list[Cap], call: NewCall
    ) -> list[tuple[UUID, datetime]]:
        keys = [
            (each.id, rules.window_start(each.window, call.created_at))
            for each in budgets
        ]
        if not keys:
            return []
        windows = await budget_gateway.list_spent_for_org(session, org_id, keys)
        for budget, key in zip(budgets, keys, strict=True):
            check(budget, key[1], windows.get(key, Spent()), call)
        usd = call.reserved_usd or Decimal(0)
        await budget_gateway.add_reservations(
            session, org_id, keys, call.reserved_tokens, usd
        )
        return keys


def lost_settlement(
    *, model: str, reserved_tokens: int, reserved_usd: Decimal | None
) -> Settlement:
    """Return how a call is settled that nobody saw end.

    Its budgets are charged with all that was reserved, since the provider may bill it;
    its cost stays unknown.
    """
    return Settlement(
        provider=None,
        server=None,
        model=model,
        input_tokens=None,
        output_tokens=None,
        cached_tokens=None,
        is_estimated=True,
        charged_tokens=reserved_tokens,
        cost_usd=None,
        price_source=None,
        duration_ms=None,
        first_token_ms=None,
        outcome=CallOutcome.LOST,
        error_code="process_lost",
        settled_at=now(),
        charged_usd=reserved_usd or Decimal(0),
    )


def _new_call(tag: CallTag, model: str, tokens: int, price: Price | None) -> NewCall:
    return NewCall(
        id=new_id(),
        created_at=now(),
        user_id=tag.user_id,
        key_id=tag.key_id,
        run_id=tag.run_id,
        feature=tag.feature,
        prompt_hash=tag.prompt_hash,
        model=model,
        reserved_tokens=tokens,
        reserved_usd=rules.ceiling_usd(price, tokens),
    )


def _refuse_unpriced(budgets: list[Cap], call: NewCall) -> None:
    """Refuse rather than let money go uncounted."""
    if call.reserved_usd is None and any(each.cap_usd is not None for each in budgets):
        detail = (
            f"A budget counts USD, and the price of `{call.model}` is not known: set "
            "DOSSIER_AI__PRICE_INPUT_USD_PER_MTOK and "
            "DOSSIER_AI__PRICE_OUTPUT_USD_PER_MTOK (0 for a server of your own), or "
            "cap tokens instead."
        )
        raise ModelPriceUnknownError(detail)


def _settlement(opened: _Open, record: CallRecord, price: Price | None) -> Settlement:
    usage = record.usage
    tokens = Tokens(usage.input_tokens, usage.output_tokens, usage.cached_tokens)
    outcome = CallOutcome(record.outcome)
    cost = rules.cost_usd(price, tokens)
    return Settlement(
        provider=record.provider,
        server=record.server,
        model=record.model,
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        cached_tokens=usage.cached_tokens,
        is_estimated=record.is_estimated,
        charged_tokens=rules.charged_tokens(outcome, tokens.total, opened.tokens),
        cost_usd=cost,
        price_source=price.source if price and cost is not None else None,
        duration_ms=record.duration_ms,
        first_token_ms=record.first_token_ms,
        outcome=outcome,
        error_code=record.error_code and record.error_code[:128],
        settled_at=now(),
        charged_usd=rules.charged_usd(outcome, cost, opened.usd),
    )
