"""Whether a call fits a budget, and when a budget starts anew."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from dossier.ai.constants import FREE_OUTCOMES, BudgetWindow, CallOutcome


class Verdict(StrEnum):
    """Whether a call may go."""

    FITS = "fits"
    BUSY = "busy"
    """It fits once running calls have settled for less than they hold."""
    EXHAUSTED = "exhausted"
    """What has been spent alone forbids it."""


@dataclass(frozen=True, slots=True)
class Meter:
    """One thing that a budget counts: tokens or USD."""

    unit: str
    cap: Decimal
    spent: Decimal
    reserved: Decimal

    def verdict(self, wanted: Decimal) -> Verdict:
        """Tell whether so much more fits."""
        if self.spent + wanted > self.cap:
            return Verdict.EXHAUSTED
        if self.spent + self.reserved + wanted > self.cap:
            return Verdict.BUSY
        return Verdict.FITS


def window_start(window: BudgetWindow, at: datetime) -> datetime:
    """Return when the window began that holds an instant in UTC."""
    midnight = at.replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight if window is BudgetWindow.DAY else midnight.replace(day=1)


def window_end(window: BudgetWindow, start: datetime) -> datetime:
    """Return when the next window begins."""
    if window is BudgetWindow.DAY:
        return start + timedelta(days=1)
    return (start + timedelta(days=31)).replace(day=1)


def charged_tokens(outcome: CallOutcome, told: int | None, reserved: int) -> int:
    """Return what a call is charged with.

    What the server told, where it did. Else nothing if it did no work, and all that was
    reserved if it may have: a provider bills what it wrote, whoever listened.
    """
    if told is not None:
        return told
    return 0 if outcome in FREE_OUTCOMES else reserved


def charged_usd(
    outcome: CallOutcome, cost: Decimal | None, reserved: Decimal | None
) -> Decimal:
    """Return what a budget in USD is charged with, by the same rule."""
    if cost is not None:
        return cost
    if outcome in FREE_OUTCOMES or reserved is None:
        return Decimal(0)
    return reserved
