"""HTTP responses of model servers: bodies of bounded size, pauses asked for."""

import math
import re
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx2
import orjson

from dossier.core import clock

LONGEST_RETRY_AFTER_S = 20.0
"""A server that asks for a longer pause is not asked again: a person is waiting."""
_LONGEST_PAUSE_S = 86_400.0
_NO_QUOTA = re.compile(
    rb"(?i)insufficient_quota|billing_hard_limit|credit_balance|spend_limit"
)

_REFUSES = re.compile(
    r"(?i)not support|unsupported|unrecogni|unknown|unexpected"
    r"|not permitted|not allowed|extra_forbidden"
)
_REASONS = ("message", "param", "type", "msg", "loc")


class BodyCutError(httpx2.ReadError):
    """A server broke off in the middle of a body."""


async def read_body(response: httpx2.Response, most_bytes: int) -> bytes:
    """Read the body of a response, and no more of it than is taken."""
    stream: Any = response.stream
    content = bytearray()
    try:
        async for piece in stream:
            content += piece
            if len(content) > most_bytes:
                break
    except httpx2.TransportError as error:
        raise BodyCutError(str(error)) from error
    finally:
        await stream.aclose()
    response.stream = httpx2.ByteStream(bytes(content[:most_bytes]))
    return bytes(content[:most_bytes])


def is_retry_pointless(response: httpx2.Response, content: bytes) -> bool:
    """Return whether a retry is of no use, or only after too long a pause."""
    wait_s = retry_after_s(response.headers.get("retry-after"), clock.now()) or 0
    is_limited = response.status_code == httpx2.codes.TOO_MANY_REQUESTS
    return wait_s > LONGEST_RETRY_AFTER_S or bool(
        is_limited and _NO_QUOTA.search(content)
    )


def retry_after_s(header: str | None, now: datetime) -> float | None:
    """Read `Retry-After`, seconds or a date; `None` where it says nothing."""
    if header is None:
        return None
    with suppress(ValueError):
        return bounded_s(float(header))
    try:
        at = parsedate_to_datetime(header)
    except (ValueError, OverflowError):  # a year of more digits than years have
        return None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return bounded_s((at - now).total_seconds())


def bounded_s(asked_s: float | None) -> float | None:
    """Return the pause that a server asks for, a day at most."""
    if asked_s is None or not math.isfinite(asked_s):
        return None
    return min(_LONGEST_PAUSE_S, max(0.0, asked_s))


def refusal_in(content: bytes) -> str:
    """Return what a server says of a part that it does not know; empty: nothing.

    Only its reasons count: servers repeat the request itself beside them.
    """
    with suppress(ValueError, TypeError, AttributeError):
        answer = orjson.loads(content)
        faults: list[Any] = []
        for said in (answer.get("error") or answer, answer.get("detail") or []):
            faults += said if isinstance(said, list) else [said]
        texts = [
            str(fault.get(name, "")) if isinstance(fault, dict) else str(fault)
            for fault in faults
            for name in _REASONS
        ]
        reason = " ".join(texts)
        return reason if _REFUSES.search(reason) else ""
    return ""
