"""Knobs, counters and the command."""

import json
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from typer.testing import CliRunner

from dossier.cli.fake_model import app
from dossier.testing.model_server.server import ScriptedModelServer, scripted_model

CHAT = "/v1/chat/completions"
QUESTION = {"model": "m", "messages": [{"role": "user", "content": "Hello"}]}


@pytest.fixture
async def client(server: ScriptedModelServer) -> AsyncIterator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient(base_url=server.root_url) as http:
        yield http


async def test_settings_change_while_the_server_runs(
    client: httpx2.AsyncClient,
) -> None:
    turned = await client.post("/_control", json={"reply": "Yes."})
    received = (await client.post(CHAT, json=QUESTION)).json()
    await client.post("/_reset")
    after = (await client.post(CHAT, json=QUESTION)).json()

    assert turned.json()["reply"] == "Yes."
    assert (await client.get("/_control")).json()["reply"] is None
    assert received["choices"][0]["message"]["content"] == "Yes."
    assert after["choices"][0]["message"]["content"].startswith("You asked: Hello")


@pytest.mark.parametrize(
    ("body", "word"),
    [
        (b'{"speed": 3}', "speed"),
        (b'{"faults": [{"kind": "explodes"}]}', "faults.0.kind"),
        (b'{"reply_tokens": 0}', "reply_tokens"),
        (b"[1]", "object"),
        (b"{", "object"),
    ],
)
async def test_unknown_settings_are_refused_and_nothing_changes(
    client: httpx2.AsyncClient, body: bytes, word: str
) -> None:
    before = (await client.get("/_control")).json()
    answer = await client.post("/_control", content=body)

    assert answer.status_code == 400
    assert word in answer.json()["error"]
    assert (await client.get("/_control")).json() == before


async def test_calls_are_counted_by_route_and_outcome(
    client: httpx2.AsyncClient,
) -> None:
    faults = [{"kind": "rate_limited", "times": 1}]
    await client.post("/_control", json={"faults": faults, "reply_tokens": 7})
    for _ in range(3):
        await client.post(CHAT, json=QUESTION)
    await client.get("/v1/models")
    shown = (await client.get("/_calls")).json()

    assert shown["routes"] == {
        CHAT: {"rate_limited": 1, "completed": 2},
        "/v1/models": {"completed": 1},
    }
    assert (shown["total"], shown["open"], shown["disconnected"]) == (4, 0, 0)
    assert shown["tokens_sent"] == 14
    assert shown["last"][0]["body"] == QUESTION
    assert shown["last"][0]["outcome"] == "rate_limited"


async def test_reset_deletes_calls(client: httpx2.AsyncClient) -> None:
    await client.post(CHAT, json=QUESTION)
    await client.post("/_reset")

    assert (await client.get("/_calls")).json()["total"] == 0


@pytest.mark.parametrize("path", ["/rerank", "/v1/rerank"])
async def test_documents_are_reranked_by_shared_words(
    client: httpx2.AsyncClient, path: str
) -> None:
    documents = ["An invoice.", "The pH of the cream.", {"text": "The cream."}]
    asked = {"query": "pH of the cream", "documents": documents, "top_n": 2}
    results = (await client.post(path, json=asked)).json()["results"]

    assert [row["index"] for row in results] == [1, 2]
    assert results[0]["relevance_score"] > results[1]["relevance_score"]


async def test_servers_of_one_process_are_independent() -> None:
    async with scripted_model(reply="left") as left, scripted_model() as right:
        async with httpx2.AsyncClient() as http:
            await http.post(f"{left.base_url}/chat/completions", json=QUESTION)

        assert left.base_url != right.base_url
        assert (left.calls.count(), right.calls.count()) == (1, 0)


@pytest.mark.process
@pytest.mark.parametrize("as_json", [True, False])
def test_command_prints_its_address_first_and_ends_on_a_signal(
    *, as_json: bool, tmp_path: Path
) -> None:
    script = tmp_path / "script.json"
    script.write_text('{"reply": "Scripted."}')
    flags = ["--script", str(script), "--fail", "server_error:1"]
    command = [sys.executable, "-m", "dossier", "fake-model", *flags]
    with subprocess.Popen(  # noqa: S603 - our own command
        [*command, *(["--json"] if as_json else [])], stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout
            line = process.stdout.readline()
            url = json.loads(line)["base_url"] if as_json else line.strip()
            answers = [
                httpx2.post(f"{url}/chat/completions", json=QUESTION) for _ in range(2)
            ]
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=5) == 0
        finally:
            process.kill()

    received: Any = answers[1].json()
    assert [answer.status_code for answer in answers] == [500, 200]
    assert received["choices"][0]["message"]["content"] == "Scripted."


@pytest.mark.parametrize(
    ("flags", "word"),
    [
        (["--fail", "explodes"], "kind"),
        (["--fail", "cut:often"], "times"),
        (["--script", "missing.json"], "missing.json"),
        (["--tokens", "0"], "reply_tokens"),
    ],
)
def test_unknown_flags_are_named(flags: list[str], word: str) -> None:
    answer = CliRunner().invoke(app, flags)

    assert answer.exit_code == 2
    assert word in answer.stderr
