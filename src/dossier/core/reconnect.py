"""Recognises a lost database connection, and repeats what it interrupted."""

import asyncio
import random
import traceback
from collections.abc import Awaitable, Callable, Iterator
from typing import TypeVar

import asyncpg
from sqlalchemy.exc import DBAPIError, PendingRollbackError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from dossier.core.listening import GONE

T = TypeVar("T")

FIRST_WAIT_S = 0.05
LONGEST_RETRY_WAIT_S = 2.0
_TRANSIENT = ("40", "55P03", "57014")
"""SQLSTATE of serialisation failures and deadlocks, lock and statement timeouts."""
_INVALIDATED = "8s2b"
"""SQLAlchemy's code of a transaction whose connection is gone."""
_SURE = (
    PoolTimeoutError,  # every connection is in use: it passes like an outage
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.TooManyConnectionsError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.InternalClientError,  # see `GONE`
)


def is_lost(error: BaseException) -> bool:
    """Return whether the failure is the database being away.

    A bare `ConnectionError` counts only where our database driver raised it: another
    server that refuses us is a fault of the task.
    """
    return any(_is_lost(link) for link in _chain(error))


def is_transient(error: BaseException) -> bool:
    """Return whether the same transaction may succeed when it is tried again."""
    states = (str(getattr(link, "sqlstate", "")) for link in _chain(error))
    return is_lost(error) or any(state.startswith(_TRANSIENT) for state in states)


async def retry_until_connected(
    action: Callable[[], Awaitable[T]], gives_up: Callable[[], bool] = lambda: False
) -> T:
    """Repeat an action that is safe to repeat until the database answers."""
    wait_s = FIRST_WAIT_S
    while True:
        try:
            return await action()
        except (*GONE, OSError, DBAPIError, PoolTimeoutError) as exc:
            if not is_lost(exc) or (gives_up() and wait_s >= LONGEST_RETRY_WAIT_S):
                raise
        await asyncio.sleep(wait_s * random.uniform(0.7, 1.3))  # noqa: S311 - jitter
        wait_s = min(wait_s * 2, LONGEST_RETRY_WAIT_S)


def _is_lost(error: BaseException) -> bool:
    if isinstance(error, DBAPIError):
        return error.connection_invalidated
    if isinstance(error, PendingRollbackError):
        return error.code == _INVALIDATED  # used again after the loss
    if isinstance(error, _SURE):
        return True
    if isinstance(error, asyncpg.InterfaceError):
        # "connection is closed", "pool is closing"; the others are faults of ours.
        return "closed" in str(error) or "closing" in str(error)
    # Only where the database driver raised it.
    return isinstance(error, OSError) and any(
        frame.f_globals.get("__name__", "").startswith("asyncpg")
        for frame, _line in traceback.walk_tb(error.__traceback__)
    )


def _chain(error: BaseException) -> Iterator[BaseException]:
    link: BaseException | None = error
    seen: set[int] = set()  # `raise error from error` makes a circle
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        yield link
        link = getattr(link, "orig", None) or link.__cause__
