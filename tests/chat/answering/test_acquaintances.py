"""Whoever asked lately is known, and nothing of it is believed unseen."""

from typing import Any
from uuid import UUID

from sqlalchemy import text
from tests.chat.answering.conftest import Chat

from dossier.chat.service.answers import Question
from dossier.chat.service.answers_first import Acquaintances
from dossier.core.database import tenant_transaction
from dossier.testing.model_server import ScriptedModelServer

QUESTION = "What is in the cream?"


async def counted(chat: Chat, table: str) -> int:
    async with tenant_transaction(chat.sessions, chat.org_id) as session:
        found = await session.scalar(text(f"select count(*) from {table}"))  # noqa: S608 - our own
    return int(found or 0)


async def introduced(chat: Chat) -> dict[str, Any]:
    """Ask twice: the first time profile and virtual user have yet to be made."""
    await chat.answer(QUESTION, grounding="none")
    return await chat.answer(QUESTION, grounding="none")


def acquaintances(chat: Chat) -> Acquaintances:
    known: Acquaintances = chat.app.state.acquaintances
    return known


def last_prompt(model: ScriptedModelServer) -> str:
    body: dict[str, Any] = model.calls.last[-1].body
    return str(body["messages"])


async def test_changed_virtual_user_answers_as_it_is_now(
    talking: Chat, model: ScriptedModelServer
) -> None:
    before = await introduced(talking)
    persona = before["virtual_user"]["id"]
    changed = {"name": "Dr. Lin", "tone": "like a herbalist"}
    path = f"/api/v1/chat/virtual-users/{persona}"
    assert (await talking.client.patch(path, json=changed)).is_success

    after = await talking.answer(QUESTION, grounding="none")

    assert after["virtual_user"] == {"id": persona, "name": "Dr. Lin"}
    assert "like a herbalist" in last_prompt(model)
    assert await counted(talking, "chat_rooms") == 3
    assert await counted(talking, "chat_messages") == 6
    assert await counted(talking, "runs") == 3


async def test_somebody_known_is_not_read_again(talking: Chat) -> None:
    await introduced(talking)
    known = acquaintances(talking).get(talking.actor, Question(message="?"))
    await talking.answer(QUESTION, grounding="none")

    assert known is not None
    assert acquaintances(talking).get(talking.actor, Question(message="?")) is known


async def test_somebody_who_changed_meanwhile_is_read_again(talking: Chat) -> None:
    first = await introduced(talking)
    known = acquaintances(talking).get(talking.actor, Question(message="?"))
    assert known is not None
    forged = {**known, "profile_version": "0"}
    acquaintances(talking).put(talking.actor, Question(message="?"), forged)

    second = await talking.answer(QUESTION, grounding="none")

    assert first["virtual_user"] == second["virtual_user"]
    read = acquaintances(talking).get(talking.actor, Question(message="?"))
    assert read == known
    assert UUID(second["chat_room_id"]) != UUID(first["chat_room_id"])
