"""Reading a budget's meters: does the call fit, and what is told where it does not."""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal

from dossier.ai import rules
from dossier.ai.constants import BUSY_RETRY_S
from dossier.ai.exceptions import BudgetBusyError, BudgetExhaustedError
from dossier.ai.gateway.budgets import Cap, Spent
from dossier.ai.gateway.calls import NewCall
from dossier.ai.rules.budgets import Meter, Verdict
from dossier.core.clock import now


def check(budget: Cap, starts_at: datetime, window: Spent, call: NewCall) -> None:
    """Raise unless a call fits what a budget caps."""
    for meter, wanted in _meters(budget, window, call):
        verdict = meter.verdict(wanted)
        if verdict is Verdict.FITS:
            continue
        ends_at = rules.window_end(budget.window, starts_at)
        limit = _limit(budget, meter, ends_at)
        if verdict is Verdict.BUSY:
            raise BudgetBusyError(
                _told(meter, wanted), retry_after_s=BUSY_RETRY_S, limit=limit
            )
        seconds = max(1, int((ends_at - now()).total_seconds()) + 1)
        raise BudgetExhaustedError(
            _told(meter, wanted), retry_after_s=seconds, limit=limit
        )


def _meters(
    budget: Cap, window: Spent, call: NewCall
) -> Iterator[tuple[Meter, Decimal]]:
    if budget.cap_tokens is not None:
        spent, held = Decimal(window.spent_tokens), Decimal(window.reserved_tokens)
        meter = Meter("tokens", Decimal(budget.cap_tokens), spent, held)
        yield meter, Decimal(call.reserved_tokens)
    if budget.cap_usd is not None:
        meter = Meter("usd", budget.cap_usd, window.spent_usd, window.reserved_usd)
        yield meter, call.reserved_usd or Decimal(0)


def _limit(budget: Cap, meter: Meter, ends_at: datetime) -> dict[str, str | int | None]:
    return {
        "budget_id": str(budget.id),
        "scope": str(budget.scope),
        "window": str(budget.window),
        "unit": meter.unit,
        "cap": plain(meter.cap),
        "spent": plain(meter.spent),
        "reserved": plain(meter.reserved),
        "resets_at": ends_at.isoformat(),
    }


def plain(value: Decimal) -> str:
    """Return a decimal without exponent and without zeros at its end."""
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _told(meter: Meter, wanted: Decimal) -> str:
    return (
        f"The call may take {plain(wanted)} {meter.unit}; of {plain(meter.cap)} "
        f"{plain(meter.spent)} are spent and {plain(meter.reserved)} held."
    )
