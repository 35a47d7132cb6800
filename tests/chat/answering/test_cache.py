"""The same question under the same circumstances is answered once, and says so."""

import asyncio
from dataclasses import replace
from typing import Any

import httpx2
import pytest
from tests.chat.answering.conftest import STABILITY, WINDOW, Chat, OpenChat
from tests.chat.answering.documents import StoredPassage
from tests.factories.accounts import make_user
from tests.factories.products import make_product

from dossier.chat.answering.cache import key_of
from dossier.chat.answering.retrieval import RetrievedPassages
from dossier.chat.types import (
    AnswerContext,
    AnswerJobInput,
    AnswerScope,
    ContextWindow,
    History,
    Turn,
)
from dossier.core.models import new_id
from dossier.core.tenancy import Actor
from dossier.testing.model_server.server import ScriptedModelServer

QUESTION = "What is the shelf life of the rose cream?"
MANNER: dict[str, Any] = {"name": "Dossier", "tone": None}
MADE_BY: dict[str, Any] = {
    "model": "scripted",
    "server": "models.example:443",
    "window": WINDOW,
}
SPOKEN = History(None, (Turn(new_id(), "user", "Mei", "Hello."),), None, None)
CHAT = "/api/v1/chat"
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
    talking.documents.add(talking.org_id, StoredPassage("new.pdf", "The cream is new."))
    await talking.answer(QUESTION)

    assert model.calls.count(CHATS) == 5


async def test_another_organisation_is_never_answered_from_the_store(
    talking: Chat, open_chat: OpenChat, model: ScriptedModelServer
) -> None:
    other = await open_chat(has_model=True, documents=talking.documents)
    talking.documents.passages[other.org_id] = talking.documents.passages[
        talking.org_id
    ]

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


async def test_members_share_an_answer_where_all_that_made_it_is_the_same(
    talking: Chat, model: ScriptedModelServer
) -> None:
    first = await talking.answer(QUESTION)
    async with await colleague(talking) as ann:
        again = await answered_to(ann)

    assert again["ai_response"] == first["ai_response"]
    assert again["virtual_user"]["id"] != first["virtual_user"]["id"]
    assert again["engine"]["from_cache"] is True
    assert model.calls.count(CHATS) == 1


async def test_members_share_no_answer_where_the_virtual_user_is_another(
    talking: Chat, model: ScriptedModelServer
) -> None:
    await talking.answer(QUESTION)
    async with await colleague(talking) as ann:
        (assistant,) = (await ann.get(f"{CHAT}/virtual-users")).json()["items"]
        path = f"{CHAT}/virtual-users/{assistant['id']}"
        changed = await ann.patch(path, json={"personality": "Terse to a fault."})
        answered = await answered_to(ann)

    assert changed.status_code == httpx2.codes.OK
    assert answered["engine"]["from_cache"] is False
    assert model.calls.count(CHATS) == 2


async def test_members_share_no_cached_answer_after_earlier_messages(
    talking: Chat, model: ScriptedModelServer
) -> None:
    await talking.answer(QUESTION)
    async with await colleague(talking) as ann:
        said = await answered_to(ann, "What is its viscosity?")
        answered = await answered_to(ann, chat_room_id=said["chat_room_id"])

    assert answered["engine"]["from_cache"] is False
    assert model.calls.count(CHATS) == 3


async def test_members_share_no_answer_where_another_product_is_meant(
    talking: Chat,
) -> None:
    await talking.answer(QUESTION)
    product = await make_product(talking.sessions, talking.org_id)
    async with await colleague(talking) as ann:
        fields = {"title": "Rose", "product_id": str(product.id)}
        room = await ann.post(f"{CHAT}/rooms", json=fields)
        answered = await answered_to(ann, chat_room_id=room.json()["id"])

    assert answered["engine"]["from_cache"] is False
    assert answered["citations"] == []


@pytest.mark.parametrize(
    ("change", "is_shared"),
    [
        ({"persona": MANNER | {"backstory": ""}}, True),
        ({"persona": MANNER | {"tone": "brisk"}}, False),
        ({"scope": AnswerScope(new_id(), ())}, False),
        ({"scope": AnswerScope(None, (new_id(),))}, False),
        ({"history": History("We spoke of roses.", (), None, None)}, False),
        ({"question": "Is it?"}, False),
        ({"asker": "Ann"}, True),
        ({"history": SPOKEN}, False),
        ({"history": SPOKEN, "asker": "Ann"}, False),
    ],
)
def test_key_of_an_answer_holds_what_made_it_and_not_who_asked(
    change: dict[str, Any], *, is_shared: bool
) -> None:
    job = AnswerJobInput(new_id(), new_id(), new_id(), "auto", "papers")
    scope = AnswerScope(None, ())
    history = History(None, (), None, None)
    context = AnswerContext(job, QUESTION, "Mei", MANNER, history, scope)
    found = RetrievedPassages((), {}, 1, "lexical", [])

    def key(of: AnswerContext) -> str:
        return key_of(job.room_id, of, found, **MADE_BY)

    assert (key(replace(context, **change)) == key(context)) is is_shared


@pytest.mark.parametrize(
    "change",
    [
        {"model": "other"},
        {"server": "other:443"},
        {"window": ContextWindow(8_192, 256)},
        {"window": ContextWindow(16_384, 512)},
    ],
)
def test_key_of_an_answer_holds_who_makes_it_and_within_which_bounds(
    change: dict[str, Any],
) -> None:
    job = AnswerJobInput(new_id(), new_id(), new_id(), "auto", "papers")
    scope = AnswerScope(None, ())
    history = History(None, (), None, None)
    context = AnswerContext(job, QUESTION, "Mei", MANNER, history, scope)
    found = RetrievedPassages((), {}, 1, "lexical", [])

    changed = key_of(job.room_id, context, found, **MADE_BY | change)

    assert changed != key_of(job.room_id, context, found, **MADE_BY)


async def test_first_question_to_a_model_without_a_name_is_paid_once(
    open_chat: OpenChat, model: ScriptedModelServer
) -> None:
    chat = await open_chat(has_model=True, model_name=None)
    chat.documents.add(chat.org_id, STABILITY)

    await chat.answer(QUESTION)
    again = await chat.answer(QUESTION)

    assert again["engine"]["from_cache"] is True
    assert again["engine"]["model"] == "scripted"
    assert model.calls.count(CHATS) == 1


async def test_what_was_just_answered_from_the_store_is_not_offered_as_well(
    talking: Chat,
) -> None:
    first = await talking.answer(QUESTION)
    await talking.answer("What is the shelf life of rose cream?")

    again = await talking.answer(QUESTION)

    assert again["engine"]["from_cache"] is True
    assert again["similar"] is not None
    assert again["similar"]["message_id"] != first["user_message_id"]


async def colleague(chat: Chat) -> httpx2.AsyncClient:
    """Return a client of another member of the same organisation."""
    email = f"{new_id()}@example.com"
    user = await make_user(chat.sessions, chat.org_id, email=email)
    return chat.speak_as(email, Actor(chat.org_id, user.id, "editor", "Ann"))


async def answered_to(
    client: httpx2.AsyncClient, message: str = QUESTION, **fields: Any
) -> dict[str, Any]:
    response = await client.post(CHAT, json={"message": message, **fields})
    assert response.status_code == httpx2.codes.OK, response.text
    answered: dict[str, Any] = response.json()
    return answered
