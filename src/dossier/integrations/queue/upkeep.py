"""Figures of the queue, and what the engine itself never clears away."""

from dataclasses import dataclass
from datetime import timedelta

from dossier.core.database import Session, raw_rows
from dossier.integrations.queue.names import LOG_TABLE, TABLE

_DEPTH = f"""
select entrypoint as kind, status::text as status, count(*) as jobs,
       extract(epoch from now() - min(created))::float8 as oldest_age_s
from {TABLE} group by 1, 2 order by 1, 2
"""  # noqa: S608 - the name is a constant
_PRUNE = f"""
with gone as (delete from {LOG_TABLE} where created < now() - $1::interval returning 1)
select count(*) as rows from gone
"""  # noqa: S608 - the name is a constant


@dataclass(frozen=True, slots=True)
class Depth:
    """How many jobs of one kind wait or run, and since when the oldest does."""

    kind: str
    status: str
    jobs: int
    oldest_age_s: float


async def queue_depth(session: Session) -> list[Depth]:
    """Return what the engine holds, by kind and status (`queued`, `picked`)."""
    return [Depth(**row) for row in await raw_rows(session, _DEPTH)]


async def prune_log(session: Session, *, keep: timedelta) -> int:
    """Delete older log rows; the engine writes three a job and deletes none."""
    [row] = await raw_rows(session, _PRUNE, keep)
    return int(row["rows"])
