"""A stream resumed anywhere is the same, and its text is the stored message."""

import asyncio
import json
from typing import Any

import httpx2
import pytest
from tests.chat.answering.conftest import (
    STABILITY,
    Chat,
    Event,
    OpenChat,
    Restarting,
    replayed,
    until_text,
)

from dossier.chat.answering.events import DELTA, ITEM_ADDED, SEARCHED
from dossier.chat.answering.outcome import model_label
from dossier.core.database import tenant_transaction
from dossier.core.tenancy import Actor
from dossier.jobs.event_log import JobEventLog
from dossier.testing.model_server.script import Deviation, FaultKind, ScriptedFault
from dossier.testing.model_server.server import ScriptedModelServer

QUESTION = "What is the shelf life of the rose cream?"


def events_of(body: str) -> list[Event]:
    """Read server-sent events."""
    found: list[Event] = []
    for block in body.split("\n\n"):
        lines = dict(
            line.split(": ", 1) for line in block.splitlines() if ": " in line[1:]
        )
        if "data" in lines:
            data = json.loads(lines["data"])
            assert (str(data["sequence_number"]), data["type"]) == (
                lines["id"],
                lines["event"],
            )
            found.append((data["sequence_number"], data["type"], data))
    return found


async def streamed(chat: Chat, message: str, **fields: Any) -> list[Event]:
    response = await chat.ask(message, stream=True, **fields)
    assert response.headers["content-type"].startswith("text/event-stream")
    return events_of(response.text)


async def resumed(chat: Chat, run_id: str, after: int) -> list[Event]:
    response = await chat.client.get(
        f"/api/v1/chat/runs/{run_id}/events", headers={"last-event-id": str(after)}
    )
    return events_of(response.text)


@pytest.mark.parametrize("engine", ["model", "extractive"])
async def test_stream_has_the_event_names_of_responses(
    talking: Chat, engine: str
) -> None:
    events = await streamed(talking, QUESTION, engine=engine)

    kinds = list(dict.fromkeys(kind for _number, kind, _data in events))
    assert kinds[:5] == [
        "response.created",
        "response.in_progress",
        "response.file_search_call.in_progress",
        "response.file_search_call.searching",
        "response.file_search_call.completed",
    ]
    assert kinds[5:8] == [
        "response.output_item.added",
        "response.output_text.delta",
        "response.output_text.annotation.added",
    ]
    assert kinds[8:] == [
        "response.output_text.done",
        "response.output_item.done",
        "response.completed",
    ]
    message = await talking.get(f"/messages/{events[0][2]['ai_message_id']}")
    assert replayed(events).text == message["text"]
    assert replayed(events).citations == message["citations"]
    assert events[-1][2]["engine"]["engine"] == engine


async def test_stream_cut_at_every_event_goes_on_to_the_same_end(
    talking: Chat,
) -> None:
    events = await streamed(talking, QUESTION)
    run_id = events[0][2]["run_id"]

    for number, _kind, _data in events[:-1]:
        rest = await resumed(talking, run_id, number)
        assert rest == [each for each in events if each[0] > number]

    over = await talking.client.get(
        f"/api/v1/chat/runs/{run_id}/events?starting_after={events[-1][0]}"
    )
    assert over.status_code == httpx2.codes.NO_CONTENT


async def test_a_stream_that_is_asked_for_is_given_whatever_is_preferred(
    chat: Chat,
) -> None:
    answer = await chat.client.post(
        "/api/v1/chat",
        json={"message": QUESTION, "stream": True},
        headers={"prefer": "respond-async"},
    )

    assert answer.status_code == httpx2.codes.OK
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert "preference-applied" not in answer.headers


async def test_failed_answer_ends_its_stream_with_the_problem(
    talking: Chat, model: ScriptedModelServer
) -> None:
    model.play(faults=(ScriptedFault(kind=FaultKind.CUT, after_tokens=5),))

    events = await streamed(talking, "hello there", grounding="none")

    assert events[-1][1] == "response.failed"
    assert events[-1][2]["error"]["code"] == "model_stream_cut"
    message = await talking.get(f"/messages/{events[0][2]['ai_message_id']}")
    assert message["text"] == replayed(events).text != ""


@pytest.mark.parametrize("grounding", ["none", "papers"])
@pytest.mark.parametrize("continues", [True, False])
async def test_answer_of_a_worker_that_stopped_is_finished_by_another(
    restarting: Restarting,
    model: ScriptedModelServer,
    *,
    grounding: str,
    continues: bool,
) -> None:
    chat = await restarting.organisations.open(has_model=True, continues=continues)
    chat.documents.add(chat.org_id, STABILITY)
    lines = [
        "It was kept for 3 months. ⟦1|at 40 °C for 3 months⟧",
        "Its viscosity fell by 4.8 %. ⟦1|viscosity fell by 4.8 %⟧",
    ]
    filler = "and so on " * 30
    model.play(
        reply="\n".join([*lines, filler, "Shelf life is 30 months. ⟦1|is 30 months⟧"]),
        prefill="continue" if continues else "restart",
        delay_per_token_ms=4,
    )
    async with restarting.working():
        run_id = (await chat.start(QUESTION, grounding=grounding))["id"]
        before = await until_text(chat, run_id)
    interrupted = await chat.job(run_id)
    model.play(delay_per_token_ms=0)

    async with restarting.working():
        ended = await chat.wait(run_id)

    assert (interrupted.state, interrupted.attempts) == ("pending", 1)
    assert (ended.state, ended.attempts, ended.deaths) == ("done", 2, 0)
    events = await resumed(chat, run_id, 0)
    assert [number for number, _, _ in events] == list(range(1, len(events) + 1))
    restarted = [data for _n, kind, data in events if kind == "run.restarted"]
    message = await chat.get(f"/messages/{events[0][2]['ai_message_id']}")
    assert len(restarted) == 1
    assert message["text"] == replayed(events).text
    assert message["citations"] == replayed(events).citations
    assert message["state"] == "complete"
    assert message["text"].startswith(before[:8])
    survived = [kind for _n, kind, _data in await chat.events(run_id)]
    assert survived.count(SEARCHED) == (0 if grounding == "none" else 1)


async def test_passages_found_anew_survive_the_restart_of_a_text_without_search(
    restarting: Restarting, model: ScriptedModelServer
) -> None:
    chat = await restarting.organisations.open(has_model=True, continues=True)
    chat.documents.add(chat.org_id, STABILITY)
    model.play(reply="It was kept for 3 months. ⟦1|at 40 °C for 3 months⟧")
    run_id = (await chat.start(QUESTION))["id"]
    job = await chat.job(run_id)
    label = model_label("scripted", is_grounded=True).model_dump(mode="json")
    async with tenant_transaction(chat.sessions, chat.org_id) as session:
        log = JobEventLog(session, job)
        await log.append(ITEM_ADDED, {"engine": label})
        await log.append(DELTA, {"delta": "It was", "annotations": 0})

    async with restarting.working():
        ended = await chat.wait(run_id)

    assert ended.state == "done"
    events = await chat.events(run_id)
    message = await chat.get(f"/messages/{events[0][2]['ai_message_id']}")
    assert [kind for _n, kind, _data in events].count(SEARCHED) == 1
    assert replayed(await resumed(chat, run_id, 0)).text == message["text"]
    assert message["text"] == "It was kept for 3 months. [1]"


async def test_run_is_seen_by_members_of_its_room_alone(
    open_chat: OpenChat, talking: Chat
) -> None:
    answered = await talking.answer(QUESTION)
    stranger = await open_chat()
    colleague = talking.speak_as(
        "ann",
        Actor(talking.org_id, stranger.actor.user_id, "owner", "Ann"),
    )
    path = f"/api/v1/chat/runs/{answered['run_id']}"

    async with colleague:
        statuses = [
            (await client.request(verb, path + tail)).status_code
            for client in (colleague, stranger.client)
            for verb, tail in [("GET", ""), ("GET", "/events"), ("POST", "/cancel")]
        ]

    assert statuses == [httpx2.codes.NOT_FOUND] * 6


async def test_clients_that_vanish_leave_no_run_stuck(
    talking: Chat, model: ScriptedModelServer
) -> None:
    model.play(reply_tokens=30, delay_per_token_ms=20)

    clients = [
        asyncio.create_task(talking.ask("hello", grounding="none", stream=True))
        for _ in range(10)
    ]
    states: list[str] = []
    while model.calls.begun < len(clients):  # noqa: ASYNC110 - nobody tells
        await asyncio.sleep(0.01)
    for client in clients:
        client.cancel()

    for room in (await talking.get("/rooms?limit=50"))["items"]:
        answer = (await talking.get(f"/rooms/{room['id']}/messages"))["items"][0]
        await talking.wait(answer["run_id"])
        settled = await talking.get(f"/messages/{answer['id']}")
        states.append(settled["state"])
    assert states == ["complete"] * len(clients)


async def test_thoughts_without_an_opening_tag_are_taken_back(
    talking: Chat, model: ScriptedModelServer
) -> None:
    model.play(reply="Once upon a time.", deviations=[Deviation.THINK_WITHOUT_OPENING])

    events = await streamed(talking, "Tell me a story", grounding="none")

    message = await talking.get(f"/messages/{events[0][2]['ai_message_id']}")
    assert [kind for _, kind, _ in events].count("run.restarted") == 1
    assert replayed(events).text == message["text"] == "Once upon a time."


@pytest.mark.parametrize("shows_thoughts", [True, False])
async def test_search_survives_thoughts_without_an_opening_tag(
    talking: Chat, model: ScriptedModelServer, *, shows_thoughts: bool
) -> None:
    line = "It was kept for 3 months. ⟦1|at 40 °C for 3 months⟧"
    thoughts = f"{line}\n</think>" if shows_thoughts else ""
    model.play(
        reply=thoughts + line,
        deviations=[] if shows_thoughts else [Deviation.THINK_WITHOUT_OPENING],
    )

    events = await streamed(talking, QUESTION)

    survived = replayed(events)
    restarts = [kind for _n, kind, _data in events].count("run.restarted")
    message = await talking.get(f"/messages/{events[0][2]['ai_message_id']}")
    assert restarts == (1 if shows_thoughts else 0)
    assert survived.announced_through > 0
    assert survived.searched is not None
    assert survived.text == message["text"] == "It was kept for 3 months. [1]"


async def test_client_that_leaves_while_it_waits_is_not_followed(
    talking: Chat, model: ScriptedModelServer
) -> None:
    model.play(reply_tokens=400, delay_per_token_ms=20)
    body = json.dumps({"message": "hello", "grounding": "none"}).encode()
    request = talking.client.build_request(
        "POST",
        "/api/v1/chat",
        content=body,
        headers={"content-type": "application/json"},
    )
    messages = [{"type": "http.request", "body": body, "more_body": False}]
    left, sent = asyncio.Event(), list[Any]()

    async def receive() -> Any:
        if messages:
            return messages.pop()
        await left.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/api/v1/chat",
        "raw_path": b"/api/v1/chat",
        "root_path": "",
        "scheme": "http",
        "query_string": b"",
        "headers": [(k.lower(), v) for k, v in request.headers.raw],
        "client": ("127.0.0.1", 1),
        "server": ("test", 80),
        "http_version": "1.1",
    }
    asking = asyncio.create_task(talking.app(scope, receive, send))
    while not model.calls.open:  # noqa: ASYNC110 - nobody tells
        await asyncio.sleep(0.01)

    left.set()

    async with asyncio.timeout(1):
        await asking
    assert sent == []
