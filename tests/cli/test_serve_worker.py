"""`dossier serve` and the worker process that is its child."""

import json
import os
import select
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

import pytest
from tests.processes import Forkers, Process, piped

pytestmark = pytest.mark.process

LEAVES_WITHIN_S = 15


class Serving:
    """A web process with a worker, and the log that both write."""

    def __init__(self, process: Process, lines: TextIO) -> None:
        self.process = process
        self._lines = lines

    def until(self, event: str) -> None:
        """Read the log up to an event."""
        for line in self._lines:
            if line.startswith("{") and json.loads(line)["event"].startswith(event):
                return
        pytest.fail(f"the log ended before {event}")

    def worker(self) -> int:
        """Return the process id of the one child."""
        [pid] = children_of(self.process.pid)
        return pid


def children_of(pid: int) -> list[int]:
    return [
        int(child)
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    ]


@contextmanager
def serving(forkers: Forkers, home: Path, url: str) -> Iterator[Serving]:
    environment = os.environ | {
        "DOSSIER_HOME": str(home),
        "DOSSIER_DATABASE__URL": url,
        "DOSSIER_DATABASE__MIGRATE_ON_START": "false",
    }
    command = ["-m", "dossier", "serve", "--port", "0"]
    with piped() as (lines, telling):
        process = forkers.start(command, environment, telling, telling)
        os.close(telling)
        try:
            yield Serving(process, lines)
        finally:
            process.kill()


@contextmanager
def watched(pid: int) -> Iterator[select.poll]:
    """Watch for the end of a process that is not our child."""
    handle, poll = os.pidfd_open(pid), select.poll()
    poll.register(handle, select.POLLIN)
    yield poll
    os.close(handle)


def test_the_worker_leaves_with_a_web_process_that_was_killed(
    forkers: Forkers, tmp_path: Path, fresh_database: str
) -> None:
    with serving(forkers, tmp_path, fresh_database) as served:
        served.until("worker.started")
        with watched(served.worker()) as worker:
            served.process.kill()

            assert worker.poll(LEAVES_WITHIN_S * 1000)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_worker_that_was_killed_is_started_again_and_leaves_with_its_parent(
    forkers: Forkers, tmp_path: Path, fresh_database: str, number: signal.Signals
) -> None:
    with serving(forkers, tmp_path, fresh_database) as served:
        served.until("worker.started")
        first = served.worker()
        os.kill(first, signal.SIGKILL)
        served.until("serve.worker.ended")
        served.until("worker.started")
        second = served.worker()
        with watched(second) as worker:
            served.process.send_signal(number)
            code = served.process.wait(LEAVES_WITHIN_S)
            has_left = bool(worker.poll(0))

    assert first != second
    assert (code, has_left) == (0, True)
