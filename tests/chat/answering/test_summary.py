"""What no longer fits into the window is told in short."""

import json
from functools import partial
from typing import Any, cast
from uuid import UUID

import pytest
from sqlalchemy import text
from tests.chat.answering.conftest import Chat, OpenChat, with_model
from tests.chat.answering.documents import StoredPassage
from tests.draining import drain

from dossier.ai.service.assembly import open_model_services
from dossier.ai.service.capabilities import planned_servers
from dossier.ai.service.prompts import load_prompt
from dossier.ai.tasks import probe_servers
from dossier.chat.answering.pipeline import AnswerPipeline, open_chat_client
from dossier.chat.constants import SUMMARISE_JOB
from dossier.chat.types import ContextWindow
from dossier.core.database import tenant_transaction
from dossier.core.settings import Settings
from dossier.integrations.llm.plan import model_plan
from dossier.integrations.llm.probe import probe
from dossier.integrations.prices import listed_price
from dossier.jobs.attempts import Attempts
from dossier.testing.model_server.script import Rule
from dossier.testing.model_server.server import ScriptedModelServer

SMALL = ContextWindow(1_500, 64)


async def test_turns_that_no_longer_fit_are_summarised_for_the_next_prompt(
    open_chat: OpenChat, chat_settings: Settings, model: ScriptedModelServer
) -> None:
    chat = await open_chat(has_model=True, window=SMALL)
    chat.documents.add(chat.org_id, StoredPassage("a.pdf", "The cream is pink."))
    first = await chat.answer("My name is Mei. " + "I like roses. " * 40)
    room = first["chat_room_id"]
    await chat.answer("And then? " + "It rained. " * 40, chat_room_id=room)
    await chat.answer("Is it pink?", chat_room_id=room)

    model.play(reply="Mei likes roses.", supports_tools=False)
    ran = await work(chat, with_model(chat_settings, model, 5))
    model.play(reply=None, supports_tools=True)
    await chat.answer("What colour is the cream?", chat_room_id=room)

    assert ran == 1
    last = [call.body for call in model.calls.last if "messages" in call.body][-1]
    assert "Mei likes roses." in last["messages"][0]["content"]
    assert "My name is Mei" not in str(last)


def of_the_form(body: dict[str, Any]) -> bool:
    return "open_questions" in json.dumps(body)


async def long_talk(open_chat: OpenChat) -> tuple[Chat, str]:
    """Return a chat with a room of which the first turns no longer fit."""
    chat = await open_chat(has_model=True, window=SMALL)
    chat.documents.add(chat.org_id, StoredPassage("a.pdf", "The cream is pink."))
    first = await chat.answer("My name is Mei. " + "I like 7 roses. " * 40)
    room = first["chat_room_id"]
    await chat.answer("And then? " + "It rained. " * 40, chat_room_id=room)
    await chat.answer("Is it pink?", chat_room_id=room)
    return chat, room


async def summary_of(chat: Chat, room_id: str) -> str | None:
    query = text("select summary from chat_rooms where id = :id")
    async with tenant_transaction(chat.sessions, chat.org_id) as session:
        return cast("str | None", await session.scalar(query, {"id": UUID(room_id)}))


async def test_summary_form_keeps_only_supported_statements(
    open_chat: OpenChat, chat_settings: Settings, model: ScriptedModelServer
) -> None:
    chat, room = await long_talk(open_chat)
    filled = {
        "summary": "Mei asks about roses. She wants 99 of them. See https://e.example.",
        "facts": [
            {"text": "Mei likes 7 roses.", "turns": [1]},
            {"text": "Mei is 30.", "turns": [1]},
            {"text": "It snowed.", "turns": [4711]},
        ],
        "open_questions": ["Is it pink?"],
    }
    model.play(rules=[Rule(when="turns", tool="final_result", arguments=filled)])

    ran = await work(chat, with_model(chat_settings, model, 5))

    assert ran == 1
    (asked,) = [call.body for call in model.calls.last if of_the_form(call.body)]
    assert "stream" not in asked or not asked["stream"]
    assert await summary_of(chat, room) == (
        "Mei asks about roses. See\n- Mei likes 7 roses.\n? Is it pink?"
    )
    calls = (await chat.client.get("/api/v1/ai/calls")).json()["items"]
    (booked,) = [each for each in calls if each["feature"] == "chat.summarise"]
    assert (booked["outcome"], booked["prompt_hash"]) == (
        "completed",
        load_prompt("chat.summary").sha256,
    )


@pytest.mark.parametrize("fills", [True, False])
async def test_scripted_server_fills_the_form_over_its_wire(
    open_chat: OpenChat,
    chat_settings: Settings,
    model: ScriptedModelServer,
    *,
    fills: bool,
) -> None:
    chat, room = await long_talk(open_chat)
    model.play(supports_json_schema=fills)
    settings = with_model(chat_settings, model, 5, f"fills-{fills}")
    plan = model_plan(settings.ai)
    assert plan is not None
    await probe_servers(
        chat.sessions, planned_servers(settings.ai), partial(probe, plan), listed_price
    )

    await work(chat, settings)

    assert await summary_of(chat, room)
    asked = [call.body for call in model.calls.last if of_the_form(call.body)]
    assert {"response_format" in body for body in asked} == {fills}
    assert {"tools" in body for body in asked} == {not fills}


async def test_model_that_cannot_fill_the_form_writes_plain_words(
    open_chat: OpenChat, chat_settings: Settings, model: ScriptedModelServer
) -> None:
    chat, room = await long_talk(open_chat)
    model.play(supports_tools=False, reply="Mei likes roses.")

    ran = await work(chat, with_model(chat_settings, model, 5))

    assert ran == 1
    assert await summary_of(chat, room) == "Mei likes roses."


async def test_summary_in_a_form_keeps_to_the_budget(
    open_chat: OpenChat, chat_settings: Settings, model: ScriptedModelServer
) -> None:
    chat, room = await long_talk(open_chat)
    spent = {"scope": "organisation", "window": "day", "cap_tokens": 1}
    await chat.client.put("/api/v1/ai/budgets", json=spent)
    begun = model.calls.begun

    await work(chat, with_model(chat_settings, model, 5))

    assert model.calls.begun == begun
    assert await summary_of(chat, room) is None


async def work(chat: Chat, settings: Settings) -> int:
    """Run the queued jobs of chat."""
    parts = open_model_services(chat.sessions, settings)
    model = open_chat_client(settings, parts)
    assert model is not None
    pipeline = AnswerPipeline(
        chat.sessions,
        chat.documents.searcher_of,
        model,
        abilities=parts.abilities.current,
        window=SMALL,
        cache_days=0,
    )
    attempts = Attempts(chat.sessions, {SUMMARISE_JOB: pipeline.summarise})
    try:
        return await drain(chat.sessions, {SUMMARISE_JOB: attempts})
    finally:
        await model.close()
