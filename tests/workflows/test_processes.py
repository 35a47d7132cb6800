"""A worker that is killed costs a run at most the call that was under way."""

import asyncio
import json
from pathlib import Path
from typing import Any

import httpx2
import pytest
from tests.chat.serving import serving, working
from tests.processes import Forkers

from dossier.testing.model_server.script import Rule, Script
from dossier.testing.model_server.server import ScriptedModelServer
from dossier.testing.model_server.state import RecordedCall

pytestmark = pytest.mark.process

STEPS = 5
"""Calls of a model: the plan, three of agents, and the merging writer."""
PLAN = {
    "steps": [
        {"agent": "researcher", "instruction": f"Look for fact {number}."}
        for number in (1, 2, 3)
    ]
}
SCRIPT = Script(
    first_token_delay_ms=150,
    supports_json_schema=False,
    rules=(Rule(when='"agents"', tool="final_result", arguments=PLAN),),
    reply="Found nothing of note.",
)
KILLED_AFTER = [
    pytest.param(2, id="short"),
    *(pytest.param(n, marks=pytest.mark.chaos) for n in (0, 1, 3, 4)),
]


def variables(database: str, model: ScriptedModelServer) -> dict[str, str]:
    return {
        "DOSSIER_DATABASE__URL": database,
        "DOSSIER_AI__BASE_URL": model.base_url,
        "DOSSIER_AI__MODEL": "scripted",
        "DOSSIER_JOBS__LEASE_S": "1",
        "DOSSIER_LIMITS__REQUESTS_PER_MINUTE": "0",
        "DOSSIER_JOBS__DEQUEUE_TIMEOUT_S": "0.1",
    }


def chats_of(model: ScriptedModelServer) -> list[RecordedCall]:
    """Return the calls of the run; a probe asks other questions."""
    return [each for each in model.calls.last if "Look" in json.dumps(each.body)]


async def steps_of(http: httpx2.AsyncClient, path: str) -> list[dict[str, Any]]:
    answer = await http.get(f"{path}/steps")
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def until_finished(http: httpx2.AsyncClient, path: str) -> dict[str, Any]:
    async with asyncio.timeout(40):
        while True:
            run: dict[str, Any] = (await http.get(path)).json()
            if run["status"] in ("completed", "failed", "cancelled"):
                return run
            await asyncio.sleep(0.1)


@pytest.mark.parametrize("finished", KILLED_AFTER)
async def test_killed_worker_costs_at_most_the_call_under_way(
    tmp_path: Path, fresh_database: str, forkers: Forkers, finished: int
) -> None:
    async with ScriptedModelServer() as model:
        model.play(SCRIPT)
        environment = variables(fresh_database, model)
        async with serving(forkers, tmp_path, **environment) as served:
            async with working(forkers, tmp_path, **environment) as worker:
                started = await served.http.post(
                    "/workflows/multi-agent", json={"task": "Look into it."}
                )
                path = started.headers["location"].removeprefix("/api/v1")
                async with asyncio.timeout(30):
                    while len(chats_of(model)) <= finished:  # noqa: ASYNC110 - a test
                        await asyncio.sleep(0.01)
                worker.kill()
            async with working(forkers, tmp_path, **environment):
                run = await until_finished(served.http, path)
            steps = await steps_of(served.http, path)
            events = await served.http.get(f"{path}/events")

    assert run["status"] == "completed", run
    assert len(steps) == STEPS
    assert STEPS <= len(chats_of(model)) <= STEPS + 1
    numbers = [
        int(line[4:]) for line in events.text.splitlines() if line.startswith("id: ")
    ]
    assert numbers == list(range(1, len(numbers) + 1))
    assert events.text.count("event: complete\n") == 1
    assert events.text.count("event: step_complete") == STEPS
