"""The ledger: every call of a model, written as it is made and after it ended.

Where a budget counts a call, its row stands before the call is made; where none does,
it may stand a moment later, but before anything of the answer is told.

Each step is a short transaction of its own, so that what was paid stays written
whatever becomes of the caller's.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from functools import partial
from uuid import UUID

from dossier.ai import rules
from dossier.ai.constants import CallOutcome
from dossier.ai.exceptions import ModelPriceUnknownError
from dossier.ai.gateway import budgets as budget_gateway
from dossier.ai.gateway import calls as gateway
from dossier.ai.gateway.budgets import Cap, Payer, Spent
from dossier.ai.gateway.calls import NewCall, Settlement
from dossier.ai.ports import Prices
from dossier.ai.rules.pricing import Price, Tokens
from dossier.ai.service.meters import check
from dossier.ai.service.uncounted import Uncounted
from dossier.core.clock import now
from dossier.core.database import (
    Session,
    SessionFactory,
    raw_rows,
    tenant_transaction,
)
from dossier.core.errors import AppError
from dossier.core.models import new_id
from dossier.core.reads import Statements, raw_transaction
from dossier.integrations.llm.models import CallRecord, CallTag, Outcome, Settle

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Open:
    """A call of this process that is not settled yet."""

    org_id: UUID
    model: str
    tokens: int
    usd: Decimal | None
    defer: Callable[[Settle], None] | None


class Ledger:
    """Writes calls and keeps budgets; satisfies `Recorder`. One per process.

    What is reserved here is settled here; calls of a process that died are settled by
    `ai.tasks.settle_lost`.
    """

    def __init__(self, sessions: SessionFactory, prices: Prices) -> None:
        self.uncounted = Uncounted()
        self._sessions = sessions
        self._prices = prices
        self._open: dict[UUID, _Open] = {}

    def is_uncounted(self, tag: CallTag) -> bool:
        """Tell whether no budget counts a call, as far as is known here."""
        return self.uncounted.knows(_payer(tag))

    async def reserve(
        self, tag: CallTag, model: str, tokens: int, *, goes_ahead: bool = False
    ) -> UUID:
        """Set tokens aside for a call, or raise where a budget forbids it."""
        price = await self._prices.price_of(model)
        call = _new_call(tag, model, tokens, price)
        if not await self._added_unlimited(tag, call):
            try:
                await self._reserve_within(tag, call)
            except AppError:
                if goes_ahead:
                    await self._note_cut(tag, call)
                raise
        opened = _Open(tag.org_id, model, tokens, call.reserved_usd, tag.defer)
        self._open[call.id] = opened
        return call.id

    async def settle(self, reservation: UUID, record: CallRecord) -> None:
        """Replace what was set aside by what it came to."""
        opened = self._open.pop(reservation, None)
        if opened is None:
            logger.warning("ai.call.unknown", extra={"call_id": str(reservation)})
            return
        # By the name that was asked for: servers answer under longer ones.
        price = await self._prices.price_of(opened.model)
        settlement = _settlement(opened, record, price)
        write = partial(_write, opened.org_id, reservation, settlement)
        # What failed may be tried again, and needs the room that it gives back.
        if opened.defer is not None and record.outcome is Outcome.COMPLETED:
            opened.defer(write)
            return
        async with raw_transaction(self._sessions, opened.org_id) as statements:
            await write(statements)

    async def _added_unlimited(self, tag: CallTag, call: NewCall) -> bool:
        """Write a call that no budget counts; else believe nothing of its payer."""
        since, is_added = self.uncounted.look(), False
        try:
            is_added = await gateway.add_unlimited_call(
                self._sessions, tag.org_id, call
            )
        finally:
            if not is_added:
                self.uncounted.forget(_payer(tag))
        if is_added:
            self.uncounted.note(_payer(tag), since)
        return is_added

    async def _note_cut(self, tag: CallTag, call: NewCall) -> None:
        """Write a call that was made in the instant of a new budget, and was cut."""
        async with raw_transaction(self._sessions, tag.org_id) as statements:
            await gateway.add_call(statements, tag.org_id, call, [])
            await _write(tag.org_id, call.id, cut_settlement(call), statements)

    async def _reserve_within(self, tag: CallTag, call: NewCall) -> None:
        """Reserve in every budget that counts the call, or in none.

        The budgets' rows are locked while their windows are read and raised: of callers
        at once each sees what the one before has set aside.
        """
        payer = Payer(tag.user_id, tag.key_id)
        async with tenant_transaction(self._sessions, tag.org_id) as session:
            budgets = await budget_gateway.lock_caps_for_org(session, tag.org_id, payer)
            _refuse_unpriced(budgets, call)
            holds = await self._hold(session, tag.org_id, budgets, call)
            statements = partial(raw_rows, session)
            await gateway.add_call(statements, tag.org_id, call, holds)

    async def _hold(
        self, session: Session, org_id: UUID, budgets: list[Cap], call: NewCall
    ) -> list[tuple[UUID, datetime]]:
        keys = [
            (each.id, rules.window_start(each.window, call.created_at))
            for each in budgets
        ]
        if not keys:  # the last budget was deleted a moment ago
            return []
        windows = await budget_gateway.list_spent_for_org(session, org_id, keys)
        for budget, key in zip(budgets, keys, strict=True):
            check(budget, key[1], windows.get(key, Spent()), call)
        usd = call.reserved_usd or Decimal(0)
        await budget_gateway.add_reservations(
            session, org_id, keys, call.reserved_tokens, usd
        )
        return keys


def _payer(tag: CallTag) -> tuple[UUID, UUID | None, UUID | None]:
    return tag.org_id, tag.user_id, tag.key_id


async def _write(
    org_id: UUID, call_id: UUID, settlement: Settlement, statements: Statements
) -> None:
    settled = await gateway.settle_call_for_org(statements, org_id, call_id, settlement)
    if not settled:  # the sweeper took it for lost
        logger.warning("ai.call.late", extra={"call_id": str(call_id)})


def cut_settlement(call: NewCall) -> Settlement:
    """Return how a call is settled that a budget refused while it was being made."""
    lost = lost_settlement(model=call.model, reserved_tokens=0, reserved_usd=None)
    return replace(lost, outcome=CallOutcome.CANCELLED, error_code="budget")


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
        is_estimated=getattr(record, "is_estimated", False),
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
