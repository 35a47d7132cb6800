"""What is deleted is gone from the runs as well; who is taken out reads no further."""

import asyncio
from collections.abc import Callable
from typing import Any

import httpx2
import pytest
from sqlalchemy import text
from tests.chat.answering.conftest import Chat
from tests.factories.accounts import make_user

from dossier.core.database import tenant_transaction
from dossier.core.models import new_id
from dossier.core.tenancy import Actor
from dossier.testing.model_server.script import Script
from dossier.testing.model_server.server import ScriptedModelServer

ROOMS = "/api/v1/chat/rooms"
CODES = httpx2.codes
SLOW = Script(reply_tokens=400, delay_per_token_ms=20)
"""An answer that is still being written when something happens to it."""
RUNS = "select count(*) from jobs"
EVENTS = "select count(*) from job_events"
ANSWERS = "select count(*) from ai_answers"


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.01)


async def pending(chat: Chat, model: ScriptedModelServer, **fields: Any) -> Any:
    """Ask for an answer that takes long; return its run once the model talks."""
    model.play(SLOW)
    begun = model.calls.begun
    started = await chat.client.post(
        "/api/v1/chat",
        json={"message": "Tell me all", "grounding": "none", **fields},
        headers={"prefer": "respond-async"},
    )
    await until(lambda: model.calls.begun > begun)
    return started.json()


async def count(chat: Chat, query: str) -> int:
    async with tenant_transaction(chat.sessions, chat.org_id) as session:
        return int(await session.scalar(text(query)) or 0)


def following(client: httpx2.AsyncClient, run_id: str) -> asyncio.Task[httpx2.Response]:
    return asyncio.create_task(client.get(f"/api/v1/chat/runs/{run_id}/events"))


async def test_a_deleted_room_stops_its_answer_and_keeps_none_of_its_words(
    talking: Chat, model: ScriptedModelServer
) -> None:
    run = await pending(talking, model)
    stream = following(talking.client, run["id"])
    await asyncio.sleep(0.05)

    deleted = await talking.client.delete(f"{ROOMS}/{run['subject_id']}")

    async with asyncio.timeout(2):
        shown = await stream
        await until(lambda: model.calls.open == 0)
    assert deleted.status_code == CODES.NO_CONTENT
    assert "response.completed" not in shown.text
    gone = await talking.client.get(f"/api/v1/chat/runs/{run['id']}")
    assert gone.json()["code"] == "run_not_found"
    assert [await count(talking, query) for query in (RUNS, EVENTS)] == [0, 0]


async def test_a_deleted_room_takes_its_stored_answers_with_it(talking: Chat) -> None:
    kept = await talking.answer("How far did the viscosity of the cream fall?")
    gone = await talking.answer("What is the shelf life of the rose cream?")
    stored = await count(talking, ANSWERS)

    await talking.client.delete(f"{ROOMS}/{gone['chat_room_id']}")

    assert (stored, await count(talking, ANSWERS)) == (2, 1)
    again = await talking.answer("How far did the viscosity of the cream fall?")
    assert again["engine"]["from_cache"] is True
    assert again["ai_response"] == kept["ai_response"]


@pytest.mark.parametrize("deleted", ["user_message_id", "ai_message_id"])
async def test_what_was_stored_of_a_deleted_message_is_not_given_again(
    talking: Chat, deleted: str
) -> None:
    kept = await talking.answer("How far did the viscosity of the cream fall?")
    gone = await talking.answer("What is the shelf life of the rose cream?")

    await talking.client.delete(f"/api/v1/chat/messages/{gone[deleted]}")

    assert await count(talking, ANSWERS) == 1
    anew = await talking.answer("What is the shelf life of the rose cream?")
    same = await talking.answer("How far did the viscosity of the cream fall?")
    assert anew["engine"]["from_cache"] is False
    assert same["engine"]["from_cache"] is True
    assert same["ai_response"] == kept["ai_response"]


async def test_answer_whose_question_is_deleted_meanwhile_stops_and_is_not_stored(
    talking: Chat, model: ScriptedModelServer
) -> None:
    model.play(Script(first_token_delay_ms=200))
    asking = asyncio.create_task(
        talking.ask("What is the shelf life of the rose cream?")
    )
    await until(lambda: model.calls.begun > 0)
    (room,) = (await talking.get("/rooms"))["items"]
    page = await talking.get(f"/rooms/{room['id']}/messages")
    (question,) = [each for each in page["items"] if each["sender"]["kind"] == "user"]

    await talking.client.delete(f"/api/v1/chat/messages/{question['id']}")

    answer = await asking
    assert (answer.status_code, answer.json()["code"]) == (404, "run_not_found")
    assert [await count(talking, query) for query in (ANSWERS, EVENTS)] == [0, 0]
    (shown, _) = (await talking.get(f"/rooms/{room['id']}/messages"))["items"]
    assert (shown["state"], shown["text"]) == ("incomplete", "")


async def test_answer_given_anew_is_not_stored_where_its_question_was_deleted(
    talking: Chat, model: ScriptedModelServer
) -> None:
    first = await talking.answer("What is the shelf life of the rose cream?")
    model.play(Script(first_token_delay_ms=200))
    begun = model.calls.begun
    path = f"/api/v1/chat/messages/{first['ai_message_id']}/regenerate"
    asking = asyncio.create_task(talking.client.post(path, json={}))
    await until(lambda: model.calls.begun > begun)

    await talking.client.delete(f"/api/v1/chat/messages/{first['user_message_id']}")

    async with asyncio.timeout(2):
        await asking
        await until(lambda: model.calls.open == 0)
    assert await count(talking, ANSWERS) == 0
    earlier = await talking.get(f"/messages/{first['ai_message_id']}")
    assert earlier["text"] == first["ai_response"]


async def test_waiting_request_ends_when_its_room_is_deleted(
    talking: Chat, model: ScriptedModelServer
) -> None:
    model.play(SLOW)
    asking = asyncio.create_task(talking.ask("Tell me all", grounding="none"))
    await until(lambda: model.calls.begun > 0)
    (room,) = (await talking.get("/rooms"))["items"]

    await talking.client.delete(f"{ROOMS}/{room['id']}")

    async with asyncio.timeout(2):
        answer = await asking
    assert (answer.status_code, answer.json()["code"]) == (404, "run_not_found")


async def test_the_words_of_a_deleted_answer_cannot_be_replayed(talking: Chat) -> None:
    answered = await talking.answer("What is the shelf life of the rose cream?")

    path = f"/api/v1/chat/messages/{answered['ai_message_id']}"
    deleted = await talking.client.delete(path)

    assert deleted.status_code == CODES.NO_CONTENT
    replayed = await talking.client.get(
        f"/api/v1/chat/runs/{answered['run_id']}/events"
    )
    assert (replayed.status_code, replayed.json()["code"]) == (404, "run_not_found")
    assert await count(talking, EVENTS) == 0


async def test_an_answer_that_is_deleted_while_it_is_written_stops(
    talking: Chat, model: ScriptedModelServer
) -> None:
    run = await pending(talking, model)
    page = await talking.get(f"/rooms/{run['subject_id']}/messages")
    answer_id = page["items"][0]["id"]

    await talking.client.delete(f"/api/v1/chat/messages/{answer_id}")

    async with asyncio.timeout(2):
        await until(lambda: model.calls.open == 0)
    shown = await talking.get(f"/messages/{answer_id}")
    assert (shown["state"], shown["text"]) == ("incomplete", "")


async def test_a_member_who_is_taken_out_reads_no_further(
    talking: Chat, model: ScriptedModelServer
) -> None:
    user = await make_user(
        talking.sessions, talking.org_id, email=f"{new_id()}@example.com"
    )
    ann = talking.speak_as(
        "ann-taken-out", Actor(talking.org_id, user.id, "viewer", "Ann")
    )
    room = await talking.client.post(ROOMS, json={"kind": "group", "title": "Rose"})
    members = f"{ROOMS}/{room.json()['id']}/members"
    await talking.client.post(members, json={"user_id": str(user.id)})
    run = await pending(talking, model, chat_room_id=room.json()["id"])
    async with ann:
        hers = following(ann, run["id"])
        mine = following(talking.client, run["id"])
        await asyncio.sleep(0.05)

        await talking.client.delete(f"{members}/{user.id}")

        async with asyncio.timeout(2):
            shown = await hers
    assert "response.created" in shown.text
    assert "response.completed" not in shown.text
    assert not mine.done()
    await talking.client.post(f"/api/v1/chat/runs/{run['id']}/cancel")
    await talking.wait(run["id"])
    assert "response.incomplete" in (await mine).text
