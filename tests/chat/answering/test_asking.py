"""What asking stores, in whatever order people ask."""

import asyncio

from tests.chat.answering.conftest import Chat

from dossier.testing.model_server.server import ScriptedModelServer

QUESTION = "What is the shelf life of the rose cream?"


async def test_questions_at_once_in_one_room_are_stored_one_after_the_other(
    talking: Chat,
) -> None:
    opened = await talking.answer(QUESTION, grounding="none")
    room = opened["chat_room_id"]

    async with asyncio.TaskGroup() as group:
        for number in range(5):
            asked = talking.answer(f"No. {number}", grounding="none", chat_room_id=room)
            group.create_task(asked)

    messages = await talking.get(f"/rooms/{room}/messages")
    questions = [m for m in messages["items"] if m["sender"]["kind"] == "user"]
    assert sorted(m["text"] for m in questions) == sorted(
        [QUESTION, *(f"No. {number}" for number in range(5))]
    )
    assert {m["state"] for m in messages["items"]} == {"complete"}


async def test_changed_virtual_user_answers_as_it_is_now(
    talking: Chat, model: ScriptedModelServer
) -> None:
    before = await talking.answer(QUESTION, grounding="none")
    persona = before["virtual_user"]["id"]
    changed = {"name": "Dr. Lin", "tone": "like a herbalist"}
    path = f"/api/v1/chat/virtual-users/{persona}"
    assert (await talking.client.patch(path, json=changed)).is_success

    after = await talking.answer(QUESTION, grounding="none")

    assert after["virtual_user"] == {"id": persona, "name": "Dr. Lin"}
    assert "like a herbalist" in str(model.calls.last[-1].body["messages"])
