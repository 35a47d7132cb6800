"""The worker process that `dossier serve` starts, watches and ends."""

import asyncio
import contextlib
import logging
import os
import sys
import time
from collections.abc import AsyncIterator

logger = logging.getLogger(__name__)

FIRST_PAUSE_S = 1.0
LONGEST_RESTART_PAUSE_S = 30.0
STEADY_S = 60.0
"""A worker that ran for this long is started again without a longer pause."""
STOP_TIMEOUT_S = 30.0
"""Longer than a worker takes to stop: it drains for 25 s."""


class WorkerChild:
    """A child process that runs `dossier worker`, started again when it ends.

    It reads from a pipe whose other end this process holds, and stops at its end: so it
    stops also when its parent was killed. It is in a session of its own, so that Ctrl-C
    reaches the parent alone, which then stops it.
    """

    def __init__(self) -> None:
        self._stopping = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Start the worker; called in the loop of a web process that is serving."""
        self._task = asyncio.create_task(self._supervise(), name="worker child")

    async def stop(self) -> None:
        """Stop the worker and wait for its end; may be called twice."""
        self._stopping.set()
        if self._task is not None:
            await asyncio.wait({self._task})

    async def _supervise(self) -> None:
        pause_s = FIRST_PAUSE_S
        while not self._stopping.is_set():
            began_s = time.monotonic()
            try:
                async with self._started() as process:
                    code = await self._until_ended(process)
            except OSError:  # no process or pipe is left, perhaps for a moment
                logger.exception("serve.worker.not_started")
            else:
                if self._stopping.is_set():
                    return
                logger.warning("serve.worker.ended", extra={"code": code})
            if time.monotonic() - began_s > STEADY_S:
                pause_s = FIRST_PAUSE_S
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause_s):
                    await self._stopping.wait()
            pause_s = min(2 * pause_s, LONGEST_RESTART_PAUSE_S)

    async def _until_ended(self, process: asyncio.subprocess.Process) -> int | None:
        """Wait until the worker ends by itself, or is to be ended."""
        ended = asyncio.create_task(process.wait())
        stopping = asyncio.create_task(self._stopping.wait())
        await asyncio.wait({ended, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        ended.cancel()
        return process.returncode

    @contextlib.asynccontextmanager
    async def _started(self) -> AsyncIterator[asyncio.subprocess.Process]:
        """Run one process; leaving ends the pipe and waits for it."""
        reading, writing = os.pipe()  # not inherited, but for the end that is passed
        try:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "dossier", "worker"),
                *("--parent-pipe", str(reading)),
                stdin=asyncio.subprocess.DEVNULL,
                pass_fds=(reading,),
                start_new_session=True,
            )
        except BaseException:
            os.close(writing)
            raise
        finally:
            os.close(reading)
        try:
            yield process
        finally:
            os.close(writing)
            try:
                async with asyncio.timeout(STOP_TIMEOUT_S):
                    await process.wait()
            except TimeoutError:
                logger.warning("serve.worker.killed", extra={"pid": process.pid})
                process.kill()
                await process.wait()


def stop_at_end_of(pipe: int, stop: asyncio.Event) -> None:
    """Set an event when the other end of a pipe is closed: nothing is ever written."""
    loop = asyncio.get_running_loop()

    def ended() -> None:
        loop.remove_reader(pipe)
        stop.set()

    loop.add_reader(pipe, ended)
