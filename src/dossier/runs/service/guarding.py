"""What the engine does with failures of others: it outlives them, and tells the log."""

import logging
from collections.abc import Awaitable

from dossier.integrations.queue.lost import is_lost

logger = logging.getLogger(__name__)


async def guarded(work: Awaitable[None]) -> None:
    """Keep the failure of one run from ending those of the others."""
    try:
        await work
    except Exception as exc:  # noqa: BLE001 - the process outlives every run
        log_failure(exc)


def log_failure(exc: Exception) -> None:
    """Tell of an outage as such, and of anything else in full."""
    if is_lost(exc):
        logger.warning("runs.database.away", extra={"reason": str(exc)})
    else:
        logger.error("runs.engine.failed", exc_info=exc)
