"""A worker process whose tasks write down when they begin and end.

`python acting_worker.py URL LEASE_S TRACE`; the trace is appended to line by line, so
that it survives the process: `<job> <begin|end> <monotonic seconds> <pid>`.
"""

import asyncio
import os
import sys
import time
from pathlib import Path

from dossier.core.database import (
    asyncpg_url,
    make_engine,
    make_sessions,
    tenant_transaction,
)
from dossier.core.logging import configure_logging
from dossier.core.settings import Settings
from dossier.core.startup import Database
from dossier.jobs.attempts import JobHandler
from dossier.jobs.constants import JobGroup
from dossier.jobs.context import JobContext
from dossier.jobs.kinds import declare
from dossier.jobs.types import JobKind
from dossier.worker import make_worker, stop_on_signals

DELTA = "text.delta"
KINDS = [declare(JobKind(f"tests.{name}")) for name in ("sleep", "block", "die")]
KINDS.append(declare(JobKind("tests.stream", JobGroup.ANSWERS, streams=True)))


class Trace:
    """An append-only file."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_APPEND | os.O_CREAT | os.O_WRONLY)

    def write(self, who: object, what: str) -> None:
        line = f"{who} {what} {time.monotonic()} {os.getpid()}\n"
        os.write(self._file, line.encode())


def make_acts(trace: Trace) -> dict[str, JobHandler]:
    """Return the tasks, by name."""

    async def sleep(ctx: JobContext, seconds_ms: int) -> None:
        trace.write(ctx.job_id, "begin")
        await asyncio.sleep(seconds_ms / 1000)
        trace.write(ctx.job_id, "end")

    async def block(ctx: JobContext, seconds_ms: int) -> None:
        trace.write(ctx.job_id, "begin")
        time.sleep(seconds_ms / 1000)  # noqa: ASYNC251 - holding up the loop is meant
        trace.write(ctx.job_id, "end")

    async def die(ctx: JobContext) -> None:
        trace.write(ctx.job_id, "begin")
        os._exit(1)

    async def speak(ctx: JobContext, words: int) -> None:
        """Say numbers; go on behind those that an earlier attempt has stored."""
        trace.write(ctx.job_id, "begin")
        stored = await ctx.stored_events()
        texts = [event.data["delta"] for event in stored if event.type == DELTA]
        said = len("".join(texts).split())
        if stored:
            ctx.restarted(kept_through=stored[-1].sequence_number)
        for word in range(said, words):
            ctx.emit(DELTA, {"delta": f"{word} "})
            await asyncio.sleep(0.02)
        async with tenant_transaction(ctx.sessions, ctx.org_id) as session:
            await ctx.finish(session, last_event=("toy.said", {}))

    return {
        "tests.stream": speak,
        "tests.sleep": sleep,
        "tests.block": block,
        "tests.die": die,
    }


async def main(url: str, lease_s: str, path: str) -> None:
    """Work until SIGTERM."""
    trace, stop = Trace(Path(path)), asyncio.Event()
    stop_on_signals(stop)
    settings = Settings.model_validate(
        {"jobs": {"lease_s": float(lease_s), "answers_lease_s": float(lease_s)}}
    )
    engine = make_engine(url)
    database = Database(asyncpg_url(url), engine, make_sessions(engine))
    trace.write("worker", "ready")
    await make_worker(settings, database, make_acts(trace), timers=[]).run(stop)
    await engine.dispose()


if __name__ == "__main__":
    configure_logging("WARNING")
    asyncio.run(main(*sys.argv[1:]))
