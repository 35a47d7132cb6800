"""How long to wait before the same server is asked again."""

import math
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

_FIRST_S = 0.5
_LONGEST_S = 8.0
LONGEST_ASKED_S = 20.0
"""A server that wants a longer rest is left; somebody is waiting for the answer."""
_LONGEST_TOLD_S = 86_400.0


def retry_after_s(header: str | None, now: datetime) -> float | None:
    """Read `Retry-After`, seconds or a date; `None` where it says nothing."""
    if header is None:
        return None
    try:
        seconds = float(header)
    except ValueError:
        return _until(header, now)
    return bounded_s(seconds)


def bounded_s(asked_s: float | None) -> float | None:
    """Return the rest that a server asks for, a day at most."""
    if asked_s is None or not math.isfinite(asked_s):
        return None
    return min(_LONGEST_TOLD_S, max(0.0, asked_s))


def _until(date: str, now: datetime) -> float | None:
    try:
        at = parsedate_to_datetime(date)
    except (ValueError, OverflowError):  # a year of more digits than years have
        return None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return bounded_s((at - now).total_seconds())


def pause_s(attempt: int, asked_s: float | None, chance: float) -> float | None:
    """Return the rest before the next attempt, from 1 on; `None`: give this server up.

    `chance` in [0, 1) spreads callers that failed at once.
    """
    grown_s = min(_LONGEST_S, math.ldexp(_FIRST_S, attempt - 1)) * (0.5 + chance / 2)
    if asked_s is None:
        return grown_s
    if asked_s > LONGEST_ASKED_S:
        return None
    return asked_s + grown_s * chance / 2
