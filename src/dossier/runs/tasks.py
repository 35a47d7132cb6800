"""What the worker does for runs: logs of long ago are let go."""

from datetime import timedelta
from typing import Final

from dossier.core.clock import now
from dossier.core.database import SessionFactory, system_transaction
from dossier.runs.gateway import log

RUNS_AT_ONCE: Final = 500


async def prune_logs(sessions: SessionFactory, keep_days: int) -> int:
    """Delete the events of runs that ended long ago; return of how many runs.

    The runs stay, and so does what they wrote: an answer is a message. Who still asks
    for such a log is told that nothing more comes. Safe to repeat.
    """
    if not keep_days:
        return 0
    before = now() - timedelta(days=keep_days)
    total = 0
    while True:
        async with system_transaction(sessions) as session:
            pruned = await log.remove_events_for_system(session, before, RUNS_AT_ONCE)
        total += pruned
        if pruned < RUNS_AT_ONCE:
            return total
