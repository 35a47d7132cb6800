"""`Retry-After` of a server that asks for a pause."""

import math
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

LONGEST_WAIT_S = 20.0
"""A server that asks for more is given up; somebody waits for the answer."""
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
    """Return the pause that a server asks for, a day at most."""
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
