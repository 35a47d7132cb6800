"""Statements that must not run inside a migration's transaction.

Concurrent indexes and back-fills, each safe to repeat, in order, after the
migrations. One that fails stops start-up with its name; nothing is swallowed.
"""

import logging
import time
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from dossier.core.errors import AppError

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class OnlineStatement:
    """One idempotent statement with the name that logs and errors show."""

    name: str
    sql: str


STATEMENTS: tuple[OnlineStatement, ...] = ()


class OnlineStatementFailedError(AppError):
    """A statement after the migrations failed; start-up stops."""

    status = 503
    title = "Database statement failed"


async def run_online(
    connection: AsyncConnection, statements: tuple[OnlineStatement, ...] = STATEMENTS
) -> None:
    """Run the statements in order on a connection in autocommit mode."""
    for statement in statements:
        started = time.monotonic()
        try:
            await connection.execute(text(statement.sql))
        except DBAPIError as exc:
            detail = f"`{statement.name}` failed: {exc.orig}"
            raise OnlineStatementFailedError(detail) from exc
        logger.info(
            "database.online.applied",
            extra={
                "statement": statement.name,
                "ms": round((time.monotonic() - started) * 1000, 1),
            },
        )
