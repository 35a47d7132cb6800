"""`dossier serve` and the worker process that is its child."""

import asyncio
import json
import os
import re
import select
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, TextIO

import httpx2
import pytest
from tests.conftest import ORG_ID
from tests.factories.accounts import make_organisation
from tests.factories.jobs import make_job
from tests.processes import Forkers, Process, piped

import dossier.api  # noqa: F401 - declares the kinds of jobs
from dossier.core.database import make_engine, make_sessions

pytestmark = pytest.mark.process

LEAVES_WITHIN_S = 15


class Serving:
    """A web process with a worker, and the log that both write."""

    def __init__(self, process: Process, lines: TextIO) -> None:
        self.process = process
        self._lines = lines

    def until(self, event: str) -> dict[str, Any]:
        """Read the log up to an event; return its line."""
        for line in self._lines:
            if line.startswith("{"):
                members: dict[str, Any] = json.loads(line)
                if members["event"].startswith(event):
                    return members
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


def descendants_of(pid: int) -> list[int]:
    children = children_of(pid)
    return children + [each for child in children for each in descendants_of(child)]


async def enqueue(url: str, kind: str) -> None:
    """Commit a job of an organisation, as a web process would."""
    engine = make_engine(url)
    sessions = make_sessions(engine)
    await make_organisation(sessions, id=ORG_ID, name="Rose Maison")
    await make_job(sessions, ORG_ID, kind)
    await engine.dispose()


@contextmanager
def serving(forkers: Forkers, home: Path, url: str, *options: str) -> Iterator[Serving]:
    environment = os.environ | {
        "DOSSIER_HOME": str(home),
        "DOSSIER_DATABASE__URL": url,
        "DOSSIER_DATABASE__MIGRATE_ON_START": "false",
    }
    command = ["-m", "dossier", "serve", "--port", "0", *options]
    with piped() as (lines, writing):
        process = forkers.start(command, environment, writing, writing)
        os.close(writing)
        try:
            yield Serving(process, lines)
        finally:
            process.kill()


def test_a_terminal_shows_address_mode_and_how_to_stop(
    forkers: Forkers, tmp_path: Path, fresh_database: str
) -> None:
    environment = os.environ | {
        "DOSSIER_HOME": str(tmp_path),
        "DOSSIER_DATABASE__URL": fresh_database,
        "DOSSIER_DATABASE__MIGRATE_ON_START": "false",
    }
    command = ["-m", "dossier", "serve", "--port", "0", "--no-worker"]
    reading, writing = os.openpty()
    process = forkers.start(command, environment, writing, writing)
    os.close(writing)
    with os.fdopen(reading, encoding="utf-8", errors="replace") as terminal:
        shown = ""
        while "Stop  Ctrl+C" not in shown:
            shown += terminal.readline()
        [address] = re.findall(r"at (http://127\.0\.0\.1:[1-9]\d*)\b", shown)
        answer = httpx2.get(address)
        access = terminal.readline() + terminal.readline()
        process.send_signal(signal.SIGINT)
        code = process.wait(LEAVES_WITHIN_S)

    assert "Mode  open" in shown
    assert "{" not in shown
    assert (answer.status_code, answer.headers["location"]) == (307, "/docs")
    assert '"GET / HTTP/1.1" 307' in access
    assert code == 0


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


def test_after_a_reload_a_job_runs_and_no_process_is_left(
    forkers: Forkers,
    tmp_path: Path,
    fresh_database: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)  # the folder that is watched
    with serving(forkers, tmp_path, fresh_database, "--reload") as served:
        served.until("worker.started")
        started = descendants_of(served.process.pid)
        with ExitStack() as stack:
            polls = {pid: stack.enter_context(watched(pid)) for pid in started}
            (tmp_path / "changed.py").touch()
            served.until("worker.started")
            asyncio.run(enqueue(fresh_database, "knowledge.catch_up"))
            job = served.until("jobs.attempt.finished")
            restarted = descendants_of(served.process.pid)
            for pid in set(restarted) - set(started):
                polls[pid] = stack.enter_context(watched(pid))

            served.process.send_signal(signal.SIGINT)
            code = served.process.wait(LEAVES_WITHIN_S)
            left = [pid for pid, poll in polls.items() if not poll.poll(1000)]

    assert job["kind"] == "knowledge.catch_up"
    # The web process and its worker are new; multiprocessing's own helper stays.
    assert len(started) == len(restarted) == len(polls) - 2
    assert (code, left) == (0, [])
