"""The ledger: every call of a model, written before it is made and after it ended.

Each step is a short transaction of its own, so that what was paid stays written
whatever becomes of the caller's.
"""

import logging
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from dossier.ai import gateway, rules
from dossier.ai.constants import BUSY_RETRY_S
from dossier.ai.exceptions import (
    BudgetBusyError,
    BudgetExhaustedError,
    ModelPriceUnknownError,
)
from dossier.ai.gateway import NewCall, Settlement
from dossier.ai.rules import plain_decimal
from dossier.ai.types import Cap, Price, PriceOf, Spent, Tokens
from dossier.core.clock import now
from dossier.core.database import Session, SessionFactory, tenant_transaction
from dossier.core.errors import AppError
from dossier.core.models import new_id
from dossier.core.reconnect import retry_until_connected
from dossier.integrations.llm.types import CallOutcome, CallRecord, CallTag

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Open:
    """A call of this process that is not settled yet."""

    org_id: UUID
    price: Price | None
    """By the name that was asked for: servers answer under longer ones."""
    reserved_usd: Decimal | None


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
        call = NewCall(
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
        async with tenant_transaction(self._sessions, tag.org_id) as session:
            budgets = await gateway.lock_caps_for_org(
                session, tag.org_id, user_id=tag.user_id, key_id=tag.key_id
            )
            _refuse_unpriced(budgets, call)
            holds = await self._hold(session, tag.org_id, budgets, call)
            await gateway.add_call(session, tag.org_id, call, holds)
        self._open[call.id] = _Open(tag.org_id, price, call.reserved_usd)
        return call.id

    async def settle(self, reservation: UUID, record: CallRecord) -> None:
        """Replace a reservation by what the call came to."""
        opened = self._open.get(reservation)
        if opened is None:
            logger.warning("ai.call.unknown", extra={"call_id": str(reservation)})
            return

        async def settle() -> bool:
            async with tenant_transaction(self._sessions, opened.org_id) as session:
                return await gateway.settle_call_for_org(
                    session, opened.org_id, reservation, _settlement(opened, record)
                )

        settled = await retry_until_connected(settle)
        self._open.pop(reservation, None)
        if not settled:  # the sweeper took it for lost, or a commit's reply was
            logger.warning("ai.call.late", extra={"call_id": str(reservation)})

    async def _hold(
        self, session: Session, org_id: UUID, budgets: list[Cap], call: NewCall
    ) -> list[tuple[UUID, datetime]]:
        keys = [
            (each.id, rules.window_start(each.window, call.created_at))
            for each in budgets
        ]
        if not keys:
            return []
        windows = await gateway.list_spent_for_org(session, org_id, keys)
        for budget, key in zip(budgets, keys, strict=True):
            window = windows.get(key, Spent())
            meters: list[tuple[rules.Meter, Decimal]] = []
            if budget.cap_tokens is not None:
                cap, spent = Decimal(budget.cap_tokens), Decimal(window.spent_tokens)
                held = Decimal(window.reserved_tokens)
                meter = rules.Meter("tokens", cap, spent, held)
                meters.append((meter, Decimal(call.reserved_tokens)))
            if budget.cap_usd is not None:
                meter = rules.Meter(
                    "usd", budget.cap_usd, window.spent_usd, window.reserved_usd
                )
                meters.append((meter, call.reserved_usd or Decimal(0)))
            for meter, wanted in meters:
                verdict = meter.verdict(wanted)
                if verdict is not rules.BudgetVerdict.FITS:
                    raise _refusal(budget, key[1], meter, wanted, verdict)
        usd = call.reserved_usd or Decimal(0)
        await gateway.add_reservations(session, org_id, keys, call.reserved_tokens, usd)
        return keys


def lost_settlement(
    *, model: str, reserved_tokens: int, reserved_usd: Decimal | None
) -> Settlement:
    """Return the settlement of a call whose process ended before it.

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


def _settlement(opened: _Open, record: CallRecord) -> Settlement:
    price, usage = opened.price, record.usage
    # Input and output are there: what a server did not report has been estimated.
    tokens = Tokens(
        usage.input_tokens or 0, usage.output_tokens or 0, usage.cached_tokens
    )
    cost = rules.cost_usd(price, tokens)
    return Settlement(
        provider=record.provider,
        server=record.server,
        model=record.model,
        input_tokens=tokens.input,
        output_tokens=tokens.output,
        cached_tokens=tokens.cached,
        is_estimated=record.is_estimated,
        charged_tokens=tokens.input + tokens.output,
        cost_usd=cost,
        price_source=price.source if price and cost is not None else None,
        duration_ms=record.duration_ms,
        first_token_ms=record.first_token_ms,
        outcome=record.outcome,
        error_code=record.error_code and record.error_code[:128],
        settled_at=now(),
        # Where a price is missing, a budget in USD keeps all that was reserved.
        charged_usd=opened.reserved_usd or Decimal(0) if cost is None else cost,
    )


def _refusal(
    budget: Cap,
    starts_at: datetime,
    meter: rules.Meter,
    wanted: Decimal,
    verdict: rules.BudgetVerdict,
) -> AppError:
    """Return the problem of a call that does not fit, with the state of the budget."""
    cap, spent = plain_decimal(meter.cap), plain_decimal(meter.spent)
    reserved = plain_decimal(meter.reserved)
    resets_at = rules.window_end(budget.window, starts_at)
    detail = (
        f"The call may take {plain_decimal(wanted)} {meter.unit}; of {cap} {spent} are "
        f"spent and {reserved} held."
    )
    limit: dict[str, str | int | None] = {
        "budget_id": str(budget.id),
        "scope": str(budget.scope),
        "window": str(budget.window),
        "unit": meter.unit,
        "cap": cap,
        "spent": spent,
        "reserved": reserved,
        "resets_at": resets_at.isoformat(),
    }
    if verdict is rules.BudgetVerdict.BUSY:
        return BudgetBusyError(detail, retry_after_s=BUSY_RETRY_S, limit=limit)
    wait_s = max(1, int((resets_at - now()).total_seconds()) + 1)
    return BudgetExhaustedError(detail, retry_after_s=wait_s, limit=limit)
