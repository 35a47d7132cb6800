"""Regenerating keeps the options of the earlier answer and waits for a pending one."""

from typing import Any

import httpx2
import pytest
from tests.chat.answering.conftest import Chat

from dossier.chat.types import AnswerOptions
from dossier.testing.model_server.script import FaultKind, ScriptedFault
from dossier.testing.model_server.server import ScriptedModelServer

QUESTION = "What is the shelf life of the rose cream?"


async def again(chat: Chat, message_id: str, **options: Any) -> dict[str, Any]:
    path = f"/api/v1/chat/messages/{message_id}/regenerate"
    response = await chat.client.post(path, json=options)
    assert response.status_code == httpx2.codes.OK, response.text
    answered: dict[str, Any] = response.json()
    return answered


async def test_regenerated_plain_answer_stays_plain(
    talking: Chat,
) -> None:
    first = await talking.answer("hello there", grounding="none")

    anew = await again(talking, first["ai_message_id"])
    asked_for = await again(talking, first["user_message_id"])

    assert {anew["engine"]["ruleset"], asked_for["engine"]["ruleset"]} == {"plain@3"}
    assert talking.documents.queries == []


async def test_regenerated_answer_keeps_its_engine(
    talking: Chat,
) -> None:
    first = await talking.answer(QUESTION, engine="extractive")

    anew = await again(talking, first["ai_message_id"])

    assert anew["engine"]["engine"] == "extractive"


async def test_named_options_replace_those_of_the_earlier_answer(talking: Chat) -> None:
    first = await talking.answer(QUESTION, grounding="none")

    anew = await again(talking, first["ai_message_id"], grounding="papers")
    quoted = await again(talking, first["ai_message_id"], engine="extractive")

    assert anew["citations"] != []
    assert quoted["engine"]["engine"] == "extractive"


async def test_edited_question_keeps_the_options_of_its_first_version(
    talking: Chat,
) -> None:
    first = await talking.answer("hello there", grounding="none")
    edited = await talking.client.patch(
        f"/api/v1/chat/messages/{first['user_message_id']}", json={"text": "Good day"}
    )

    anew = await again(talking, edited.json()["id"])

    assert anew["engine"]["ruleset"] == "plain@3"


async def test_regenerated_copy_in_a_branch_keeps_its_options(
    talking: Chat,
) -> None:
    first = await talking.answer("hello there", grounding="none")
    path = f"/api/v1/chat/messages/{first['ai_message_id']}/branches"
    made = await talking.client.post(path)
    copied = await talking.get(f"/rooms/{made.json()['id']}/messages")

    anew = await again(talking, copied["items"][0]["id"])

    assert anew["engine"]["ruleset"] == "plain@3"


@pytest.mark.parametrize("name", ["user_message_id", "ai_message_id"])
async def test_regenerating_while_the_answer_is_pending_is_a_conflict(
    talking: Chat, model: ScriptedModelServer, name: str
) -> None:
    model.play(faults=(ScriptedFault(kind=FaultKind.SILENCE, after_tokens=1),))
    run = await talking.start("hello there", grounding="none")
    created = (await talking.events(run["id"]))[0][2]
    path = f"/api/v1/chat/messages/{created[name]}/regenerate"

    refused = await talking.client.post(path, json={})
    cancelled = await talking.client.post(f"/api/v1/chat/runs/{run['id']}/cancel")
    await talking.wait(run["id"])

    assert refused.status_code == httpx2.codes.CONFLICT
    assert refused.json()["type"] == "/problems/answer-pending"
    assert f"POST /api/v1/chat/runs/{run['id']}/cancel" in refused.json()["detail"]
    assert cancelled.status_code == httpx2.codes.OK
    messages = await talking.get(f"/rooms/{created['chat_room_id']}/messages")
    assert len(messages["items"]) == 2
    model.reset()
    assert (await again(talking, created["user_message_id"]))["ai_response"]


@pytest.mark.parametrize("name", ["user_message_id", "ai_message_id"])
async def test_regenerating_while_another_answer_is_pending_is_a_conflict(
    talking: Chat, model: ScriptedModelServer, name: str
) -> None:
    first = await talking.answer("hello there", grounding="none")
    path = f"/api/v1/chat/messages/{first[name]}/regenerate"
    model.play(faults=(ScriptedFault(kind=FaultKind.SILENCE, after_tokens=1),))
    headers = {"prefer": "respond-async"}
    run = (await talking.client.post(path, json={}, headers=headers)).json()

    refused = await talking.client.post(path, json={})
    await talking.client.post(f"/api/v1/chat/runs/{run['id']}/cancel")
    await talking.wait(run["id"])

    assert refused.status_code == httpx2.codes.CONFLICT
    assert refused.json()["type"] == "/problems/answer-pending"
    assert f"POST /api/v1/chat/runs/{run['id']}/cancel" in refused.json()["detail"]


@pytest.mark.parametrize(
    ("engine", "grounding", "before", "expected"),
    [
        (None, None, ("model", "none"), ("model", "none")),
        ("auto", None, ("model", "none"), ("auto", "none")),
        (None, "papers", ("auto", "none"), ("auto", "papers")),
        ("extractive", None, ("auto", "none"), ("extractive", "papers")),
        ("extractive", "none", ("auto", "papers"), ("extractive", "none")),
    ],
)
def test_options_are_kept_where_none_are_named(
    engine: str | None,
    grounding: str | None,
    before: tuple[str, str],
    expected: tuple[str, str],
) -> None:
    changed = AnswerOptions(*before).changed(engine, grounding)

    assert changed == AnswerOptions(*expected)
