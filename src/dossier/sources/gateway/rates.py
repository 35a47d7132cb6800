"""When a host may be asked next, over all processes."""

from datetime import timedelta

from sqlalchemy import Interval, bindparam, text

from dossier.core.database import Session

# The row's lock lets callers in one after the other; each takes the next free instant.
_TURN = text(
    """
insert into source_rates as rate (host, next_at)
values (:host, clock_timestamp() + :every)
on conflict (host) do update
set next_at = greatest(rate.next_at, clock_timestamp()) + :every
returning extract(epoch from rate.next_at - :every - clock_timestamp())::float8
"""
).bindparams(bindparam("every", type_=Interval()))


async def take_turn_for_system(session: Session, host: str, every: timedelta) -> float:
    """Book the next free instant of a host; return how many seconds it is away."""
    wait_s: float = (
        await session.execute(_TURN, {"host": host, "every": every})
    ).scalar_one()
    return wait_s
