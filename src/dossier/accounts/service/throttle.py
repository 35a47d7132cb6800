"""The throttle of password guesses: counted in the database, for all web processes.

Wrong passwords are counted by account and by address (of IPv6 by /64), never by the
credentials that a request carries. What is refused is not counted: a delay ends.
An address from which the account logged in lately is not delayed by what others do.
"""

import hashlib
import math
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from dossier.accounts import gateway, rules
from dossier.accounts.exceptions import LoginThrottledError
from dossier.accounts.models import LoginCount
from dossier.core.clock import now
from dossier.core.database import Session, SessionFactory, system_transaction

ADDRESS_FACTOR: Final = 4
"""An address may fail so many times as often as an account: people share it."""
FORGOTTEN_AFTER: Final = timedelta(minutes=15)
"""Counts end when nobody failed for so long."""
TRUSTED_FOR: Final = timedelta(days=30)
"""How long a log-in counts as lately."""
TRUST_RENEWED_AFTER: Final = timedelta(days=1)
MAX_TRUSTED_FAILURES: Final = 100
"""So many wrong passwords from a trusted address since a right one end the trust: else
a colleague behind the same address could guess without end."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt that may go on, and the keys under which it is counted."""

    account: str
    address: str
    pair: str
    trusted: LoginCount | None
    """The count of the pair, where it is not held back by the others."""
    has_account_failures: bool


class LoginThrottle:
    """Delays attempts after wrong passwords; `allowed` 0 switches it off."""

    def __init__(self, sessions: SessionFactory, allowed: int) -> None:
        self._sessions = sessions
        self._allowed = allowed

    async def admit(
        self, session: Session, email: str, address: str | None
    ) -> Attempt | None:
        """Count an attempt as a failure until it succeeds, or raise 429.

        Counted before the password is checked: else attempts at the same time would
        all be admitted. `session` is a system transaction, which must commit.
        """
        if self._allowed == 0:
            return None
        network = rules.address_network(address)
        account, pair = _digest("account", email), _digest("pair", email, network)
        counts = await gateway.find_login_counts_for_system(session, account, pair)
        trusted = counts.get(pair)
        if trusted is not None and trusted.failures >= MAX_TRUSTED_FAILURES:
            trusted = None
        attempt = Attempt(
            account,
            _digest("address", network),
            pair,
            trusted,
            has_account_failures=account in counts and counts[account].failures > 0,
        )
        if trusted is None:
            await self._count(session, attempt)
        return attempt

    async def _count(self, session: Session, attempt: Attempt) -> None:
        limits = {
            attempt.account: self._allowed,
            attempt.address: self._allowed * ADDRESS_FACTOR,
        }
        await gateway.lock_login_counts_for_system(session, *limits)
        wait_s = 0.0
        counts = await gateway.find_login_counts_for_system(session, *limits)
        for key, count in counts.items():
            since_last_s = (now() - count.failed_at).total_seconds()
            left_s = rules.login_wait_s(count.failures, limits[key], since_last_s)
            wait_s = max(wait_s, left_s)
        if wait_s > 0:
            detail = "Too many wrong passwords; wait, then try again."
            raise LoginThrottledError(detail, retry_after_s=math.ceil(wait_s))
        await gateway.count_failures_for_system(session, [*limits], FORGOTTEN_AFTER)

    async def record(self, attempt: Attempt | None, *, is_success: bool) -> None:
        """Record how an admitted attempt ended."""
        if attempt is None:
            return
        trusted = attempt.trusted
        had_failures = attempt.has_account_failures or (trusted and trusted.failures)
        if is_success and trusted is not None and not had_failures:
            age = TRUSTED_FOR - (trusted.expires_at - now())
            if age < TRUST_RENEWED_AFTER:
                return  # nothing would change: the usual log-in writes nothing here
        if is_success:
            async with system_transaction(self._sessions) as session:
                await gateway.record_success_for_system(
                    session,
                    attempt.account,
                    attempt.address if trusted is None else None,
                    attempt.pair,
                    TRUSTED_FOR,
                )
        elif trusted is not None:
            async with system_transaction(self._sessions) as session:
                # Failures do not prolong the trust.
                await gateway.count_failures_for_system(
                    session, [attempt.pair], timedelta(0)
                )


def _digest(kind: str, *parts: str) -> str:
    text = "\x00".join((kind, *parts))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
