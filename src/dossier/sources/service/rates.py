"""How fast a host may be asked, by all processes together."""

import asyncio
from datetime import timedelta

from dossier.core.database import SessionFactory, system_transaction
from dossier.sources.gateway import rates as gateway


class SourceRates:
    """Hands out turns, one host after another instant."""

    def __init__(self, sessions: SessionFactory) -> None:
        self._sessions = sessions

    async def turn(self, host: str, every_s: float) -> None:
        """Return when it is our turn to ask a host, at most once in `every_s`.

        The turn is booked in a short transaction; the waiting holds nothing.
        """
        async with system_transaction(self._sessions) as session:
            wait_s = await gateway.take_turn_for_system(
                session, host, timedelta(seconds=every_s)
            )
        if wait_s > 0:
            await asyncio.sleep(wait_s)
