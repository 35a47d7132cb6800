"""Answers outlive the process that writes them and the client that reads them."""

import asyncio
import time
from pathlib import Path
from typing import Any

import asyncpg
import httpx2
import pytest
from tests.chat.serving import Served, Stream, question, serving, working
from tests.processes import Forkers

from dossier.testing.model_server.server import ScriptedModelServer, scripted_model

CLIENTS = [
    pytest.param(20, marks=pytest.mark.process),
    pytest.param(200, marks=pytest.mark.chaos),
]
IDLE = """
select count(*) filter (where state <> 'idle'), count(*)
from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()
  and backend_type = 'client backend'
"""
UNFINISHED = "select count(*) from jobs where finished_at is null"


def variables(url: str, model: ScriptedModelServer) -> dict[str, str]:
    return {
        "DOSSIER_DATABASE__URL": url,
        "DOSSIER_DATABASE__MIGRATE_ON_START": "false",
        "DOSSIER_JOBS__ANSWERS_LEASE_S": "1",
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
async def test_stream_goes_on_after_the_web_process_was_killed(
    tmp_path: Path, fresh_database: str, forkers: Forkers
) -> None:
    stream = Stream()
    async with scripted_model(delay_per_token_ms=20, reply_tokens=50) as model:
        settings = variables(fresh_database, model)
        async with working(forkers, tmp_path, **settings):
            async with (
                serving(forkers, tmp_path, **settings) as first,
                first.http.stream("POST", "/chat", json=question("Hello")) as response,
            ):
                await stream.read(response, deltas=3)
                first.process.kill()
                await asyncio.to_thread(first.process.wait)
            async with serving(forkers, tmp_path, **settings) as second:
                again, message = await read_on(second, stream)

    assert_whole(stream, message)
    assert stream.count("run.restarted") == 0
    assert again.status_code == 204


@pytest.mark.process
async def test_stream_goes_on_after_the_worker_was_killed(
    tmp_path: Path, fresh_database: str, forkers: Forkers
) -> None:
    stream = Stream()
    async with scripted_model(delay_per_token_ms=20, reply_tokens=50) as model:
        settings = variables(fresh_database, model)
        async with serving(forkers, tmp_path, **settings) as served:
            async with (
                working(forkers, tmp_path, **settings) as first,
                served.http.stream("POST", "/chat", json=question("Hello")) as response,
            ):
                reading = asyncio.create_task(stream.read(response))
                await until_text(stream)
                first.kill()
                async with working(forkers, tmp_path, **settings):
                    await reading
            _again, message = await read_on(served, stream)

    assert_whole(stream, message)
    assert stream.count("run.restarted") == 1


@pytest.mark.process
async def test_stopped_worker_requeues_its_answers_at_once(
    tmp_path: Path, fresh_database: str, forkers: Forkers
) -> None:
    stream = Stream()
    async with scripted_model(delay_per_token_ms=50, reply_tokens=100) as model:
        lease = {"DOSSIER_JOBS__ANSWERS_LEASE_S": "60"}
        settings = variables(fresh_database, model) | lease
        async with serving(forkers, tmp_path, **settings) as served:
            async with (
                working(forkers, tmp_path, **settings) as first,
                served.http.stream("POST", "/chat", json=question("Hello")) as response,
            ):
                reading = asyncio.create_task(stream.read(response))
                await until_text(stream)
                async with working(forkers, tmp_path, **settings):
                    model.play(delay_per_token_ms=0)
                    stopped_s = time.monotonic()
                    first.terminate()
                    await reading
                    went_on_s = time.monotonic() - stopped_s
            _again, message = await read_on(served, stream)

    assert went_on_s < 20  # of a lease of sixty
    assert_whole(stream, message)


async def until_text(stream: Stream) -> None:
    async with asyncio.timeout(20):
        while not stream.text():  # noqa: ASYNC110 - a test
            await asyncio.sleep(0.02)


async def read_on(
    served: Served, stream: Stream
) -> tuple[httpx2.Response, dict[str, Any]]:
    """Read the rest; return what is answered to who has all, and the message."""
    path = f"/chat/runs/{stream.created['response']['id']}/events"
    after = {"Last-Event-ID": str(stream.last_id)}
    async with served.http.stream("GET", path, headers=after) as response:
        if response.status_code == httpx2.codes.OK:
            await stream.read(response)
    after = {"Last-Event-ID": str(stream.last_id)}
    again = await served.http.get(path, headers=after)
    return again, await stored_answer(served, stream)


def assert_whole(stream: Stream, message: dict[str, Any]) -> None:
    numbers = [number for number, _, _ in stream.events]
    assert numbers == list(range(1, len(numbers) + 1))
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
        working(forkers, tmp_path, **variables(fresh_database, model)),
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
    assert 0 < taken <= 40
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
