"""Answers outlive the process that writes them and the client that reads them."""

import asyncio
import time
from pathlib import Path
from typing import Any

import asyncpg
import httpx2
import pytest
from tests.chat.serving import Served, Stream, question, serving
from tests.processes import Forkers

from dossier.testing.model_server import ScriptedModelServer, scripted_model

CLIENTS = [
    pytest.param(20, marks=pytest.mark.process),
    pytest.param(200, marks=pytest.mark.chaos),
]
IDLE = """
select count(*) filter (where state <> 'idle'), count(*)
from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()
  and backend_type = 'client backend'
"""
UNFINISHED = """
select count(*) from runs where state not in ('completed', 'failed', 'cancelled')
"""


def variables(url: str, model: ScriptedModelServer) -> dict[str, str]:
    return {
        "DOSSIER_DATABASE__URL": url,
        "DOSSIER_DATABASE__MIGRATE_ON_START": "false",
        "DOSSIER_RUNS__LEASE_S": "0.5",
        "DOSSIER_LIMITS__REQUESTS_PER_MINUTE": "0",
        "AI_BASE_URL": model.base_url,
        "AI_MODEL": "scripted",
    }


async def stored_answer(served: Served, stream: Stream) -> dict[str, Any]:
    message_id = stream.created["ai_message_id"]
    answer = await served.http.get(f"/chat/messages/{message_id}")
    message: dict[str, Any] = answer.raise_for_status().json()
    return message


@pytest.mark.process
async def test_stream_goes_on_to_its_end_after_the_process_was_killed(
    tmp_path: Path, fresh_database: str, forkers: Forkers
) -> None:
    stream = Stream()
    async with scripted_model(delay_per_token_ms=20, reply_tokens=50) as model:
        settings = variables(fresh_database, model)
        async with (
            serving(forkers, tmp_path, **settings) as first,
            first.http.stream("POST", "/chat", json=question("Hello")) as response,
        ):
            await stream.read(response, deltas=25)
            first.process.kill()
            await asyncio.to_thread(first.process.wait)
        seen = len(stream.events)
        run_id = stream.created["response"]["id"]
        async with serving(forkers, tmp_path, **settings) as second:
            after = {"Last-Event-ID": str(stream.last_id)}
            path = f"/chat/runs/{run_id}/events"
            async with second.http.stream("GET", path, headers=after) as response:
                await stream.read(response)
            again = await second.http.get(
                path, headers={"Last-Event-ID": str(stream.last_id)}
            )
            message = await stored_answer(second, stream)

    numbers = [number for number, _, _ in stream.events]
    assert numbers == sorted(set(numbers))
    assert stream.events[seen][1] == "run.restarted"
    assert stream.count("run.restarted") == 1
    assert stream.events[-1][1] == "response.completed"
    assert stream.text() == message["text"]
    assert message["text"].startswith("You asked: Hello")
    assert again.status_code == 204


@pytest.mark.process
async def test_process_that_is_told_to_stop_hands_its_streams_over_at_once(
    tmp_path: Path, fresh_database: str, forkers: Forkers
) -> None:
    stream = Stream()
    async with scripted_model(delay_per_token_ms=50, reply_tokens=100) as model:
        settings = variables(fresh_database, model) | {"DOSSIER_RUNS__LEASE_S": "60"}
        async with (
            serving(forkers, tmp_path, **settings) as first,
            serving(forkers, tmp_path, **settings) as second,
        ):
            async with first.http.stream(
                "POST", "/chat", json=question("Hello")
            ) as response:
                reading = asyncio.create_task(stream.read(response))
                async with asyncio.timeout(10):
                    while not stream.text():  # noqa: ASYNC110 - nobody tells
                        await asyncio.sleep(0.02)
                first.process.terminate()
                model.play(delay_per_token_ms=0)
                told_s = time.monotonic()
                await reading
                left_s = time.monotonic() - told_s
            async with asyncio.timeout(5):
                await asyncio.to_thread(first.process.wait)
            path = f"/chat/runs/{stream.created['response']['id']}/events"
            after = {"Last-Event-ID": str(stream.last_id)}
            async with second.http.stream("GET", path, headers=after) as response:
                await stream.read(response)
            message = await stored_answer(second, stream)

    assert left_s < 5  # of a grace of thirty
    assert stream.events[-1][1] == "response.completed"
    assert stream.text() == message["text"]
    assert message["text"].startswith("You asked: Hello")


async def vanish(http: httpx2.AsyncClient, number: int) -> Stream:
    """Ask, hear the first words, and leave without a word."""
    stream = Stream()
    body = question(f"Question {number}")
    async with http.stream("POST", "/chat", json=body) as response:
        await stream.read(response, deltas=1)
    return stream


@pytest.mark.parametrize("clients", CLIENTS)
async def test_clients_that_vanish_leave_no_run_stuck_and_no_connection_taken(
    tmp_path: Path, fresh_database: str, forkers: Forkers, clients: int
) -> None:
    async with (
        scripted_model(delay_per_token_ms=10, reply_tokens=30) as model,
        serving(forkers, tmp_path, **variables(fresh_database, model)) as served,
    ):
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(vanish(served.http, number))
                for number in range(clients)
            ]
        streams = [task.result() for task in tasks]
        connection = await asyncpg.connect(fresh_database)
        try:
            await until_all_are_over(connection, within_s=10 + clients / 4)
            busy, taken = await at_rest(connection, within_s=5)
        finally:
            await connection.close()
        messages = [await stored_answer(served, stream) for stream in streams]

    assert busy == 0
    assert 0 < taken <= 20
    assert model.calls.open == 0
    assert [message["state"] for message in messages] == ["complete"] * clients
    for number, message in enumerate(messages):
        assert message["text"].startswith(f"You asked: Question {number}")


async def at_rest(connection: asyncpg.Connection, within_s: float) -> tuple[int, int]:
    """Look past a lease that is just being renewed: what is held stays busy."""
    deadline = time.monotonic() + within_s
    while True:
        busy, taken = await connection.fetchrow(IDLE) or (-1, -1)
        if busy == 0 or time.monotonic() > deadline:
            return busy, taken
        await asyncio.sleep(0.02)


async def until_all_are_over(connection: asyncpg.Connection, within_s: float) -> None:
    deadline = time.monotonic() + within_s
    while await connection.fetchval(UNFINISHED):
        assert time.monotonic() < deadline, "a run is stuck"
        await asyncio.sleep(0.05)
