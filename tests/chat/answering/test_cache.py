"""The same question under the same circumstances is answered once, and says so."""

import asyncio

from tests.chat.answering.conftest import Chat, OpenChat
from tests.chat.answering.shelf import Paper

from dossier.testing.model_server import ScriptedModelServer

QUESTION = "What is the shelf life of the rose cream?"
CHATS = "/v1/chat/completions"


async def test_same_question_in_a_new_room_is_answered_from_the_store(
    talking: Chat, model: ScriptedModelServer
) -> None:
    first = await talking.answer(QUESTION)
    again = await talking.answer(QUESTION)

    assert again["ai_response"] == first["ai_response"]
    assert again["citations"] == first["citations"]
    assert (first["engine"]["from_cache"], again["engine"]["from_cache"]) == (
        False,
        True,
    )
    assert model.calls.count(CHATS) == 1
    usage = await talking.client.get("/api/v1/ai/usage")
    assert usage.json()["totals"]["calls"] == 1


async def test_answer_is_made_anew_where_anything_differs(
    talking: Chat, model: ScriptedModelServer
) -> None:
    first = await talking.answer(QUESTION)
    await talking.answer(QUESTION + "?")
    await talking.answer(QUESTION, chat_room_id=first["chat_room_id"])
    persona = await talking.client.post(
        "/api/v1/chat/virtual-users", json={"name": "Iris", "tone": "brisk"}
    )
    await talking.answer(QUESTION, virtual_user_id=persona.json()["id"])
    talking.shelf.put(talking.org_id, Paper("new.pdf", "The cream is new."))
    await talking.answer(QUESTION)

    assert model.calls.count(CHATS) == 5


async def test_another_organisation_is_never_answered_from_the_store(
    talking: Chat, open_chat: OpenChat, model: ScriptedModelServer
) -> None:
    other = await open_chat(has_model=True, shelf=talking.shelf)
    talking.shelf.papers[other.org_id] = talking.shelf.papers[talking.org_id]

    await talking.answer(QUESTION)
    answered = await other.answer(QUESTION)

    assert answered["engine"]["from_cache"] is False
    assert model.calls.count(CHATS) == 2


async def test_many_who_ask_at_once_cost_one_call(
    talking: Chat, model: ScriptedModelServer
) -> None:
    model.play(first_token_delay_ms=100)

    async with asyncio.TaskGroup() as group:
        asked = [group.create_task(talking.answer(QUESTION)) for _ in range(5)]

    texts = {task.result()["ai_response"] for task in asked}
    cached = [task.result()["engine"]["from_cache"] for task in asked]
    assert len(texts) == 1
    assert sorted(cached) == [False, True, True, True, True]
    assert model.calls.count(CHATS) == 1


async def test_degraded_answer_is_not_stored(
    talking: Chat, model: ScriptedModelServer
) -> None:
    model.play(reply="Nothing proven here.")
    await talking.answer(QUESTION)
    model.play(reply=None)

    answered = await talking.answer(QUESTION)

    assert answered["engine"]["engine"] == "model"
    assert answered["engine"]["from_cache"] is False
