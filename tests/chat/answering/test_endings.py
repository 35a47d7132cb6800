"""How the end of an answer is told: cut, stopped, too long, made anew."""

import httpx2
import pytest
from tests.chat.answering.conftest import (
    STABILITY,
    Chat,
    OpenChat,
    Restarting,
    replayed,
    until_text,
)
from tests.chat.answering.test_streaming import streamed

from dossier.chat.types import ContextWindow
from dossier.testing.model_server.script import FaultKind, Rule, ScriptedFault
from dossier.testing.model_server.server import ScriptedModelServer, scripted_model

QUESTION = "What is the shelf life of the rose cream?"
QUOTE = "The shelf life of the rose cream is 30 months."
CHATS = "/v1/chat/completions"
SHORT = ContextWindow(16_384, 40)


@pytest.fixture
async def curt(open_chat: OpenChat) -> Chat:
    """Chat with a model that may not say much."""
    opened = await open_chat(has_model=True, window=SHORT)
    opened.documents.add(opened.org_id, STABILITY)
    return opened


async def test_plain_answer_that_was_cut_is_labelled(
    curt: Chat, model: ScriptedModelServer
) -> None:
    model.play(reply_tokens=200)

    events = await streamed(curt, "hello there", grounding="none")

    message = await curt.get(f"/messages/{events[0][2]['ai_message_id']}")
    for told in (events[-1][2], message):
        assert told["engine"]["degraded"]["code"] == "answer-cut"


async def test_answer_that_was_cut_is_labelled_and_not_cached(
    curt: Chat, model: ScriptedModelServer
) -> None:
    model.play(reply=f"{QUOTE} ⟦1|{QUOTE}⟧\n" + "It is pink. " * 50)

    first = await curt.answer(QUESTION)
    again = await curt.answer(QUESTION)

    assert first["ai_response"] == f"{QUOTE} [1]"
    assert first["engine"]["degraded"]["code"] == "answer-cut"
    assert again["engine"]["from_cache"] is False
    assert model.calls.count(CHATS) == 2


async def test_answer_cut_before_its_first_claim_is_replaced_by_verbatim_sentences(
    curt: Chat, model: ScriptedModelServer
) -> None:
    model.play(reply="Well, " * 200)

    answered = await curt.answer(QUESTION)

    assert answered["engine"]["engine"] == "extractive"
    assert answered["engine"]["degraded"]["code"] == "answer-cut"


async def test_question_that_leaves_no_room_for_passages_is_refused(
    talking: Chat, model: ScriptedModelServer
) -> None:
    question = QUESTION + "霜" * 17_000

    refused = await talking.ask(question, engine="model")
    talk = await talking.ask(question, grounding="none")
    answered = await talking.answer(question)

    for each in (refused, talk):
        assert each.status_code == httpx2.codes.UNPROCESSABLE_CONTENT
        assert each.json()["code"] == "question_too_long"
    assert answered["engine"]["engine"] == "extractive"
    assert answered["engine"]["degraded"]["code"] == "question-too-long"
    assert model.calls.count(CHATS) == 0


async def test_claims_beyond_the_last_that_is_shown_are_counted(
    open_chat: OpenChat, model: ScriptedModelServer
) -> None:
    chat = await open_chat(has_model=True, window=ContextWindow(16_384, 2_048))
    chat.documents.add(chat.org_id, STABILITY)
    lines = [f"The rose cream {'x' * n}. ⟦1|{QUOTE}⟧" for n in range(1, 16)]
    model.play(reply="\n".join([*lines, lines[0]]))

    events = await streamed(chat, QUESTION)

    message = await chat.get(f"/messages/{events[0][2]['ai_message_id']}")
    assert message["text"].count("[1]") == 12
    assert (message["dropped_claims"], events[-1][2]["dropped_claims"]) == (3, 3)
    assert events[-1][2]["dropped"] == {"too_many": 3}


@pytest.mark.parametrize("grounding", ["none", "papers"])
async def test_stopped_answer_keeps_its_label(
    talking: Chat, model: ScriptedModelServer, grounding: str
) -> None:
    reply = f"{QUOTE} ⟦1|{QUOTE}⟧\n" + "It is pink. " * 500
    model.play(delay_per_token_ms=2, reply=reply)
    run_id = (await talking.start(QUESTION, grounding=grounding))["id"]
    await until_text(talking, run_id)

    await talking.client.post(f"/api/v1/chat/runs/{run_id}/cancel")
    await talking.wait(run_id)

    room = (await talking.get("/rooms"))["items"][0]
    answer = (await talking.get(f"/rooms/{room['id']}/messages"))["items"][0]
    assert answer["state"] == "incomplete"
    assert answer["text"]
    label = answer["engine"]
    assert (label["engine"], label["model"]) == ("model", "scripted")
    assert label["prompt_hash"]


async def test_answer_cancelled_without_a_worker_keeps_its_text(
    restarting: Restarting, model: ScriptedModelServer
) -> None:
    chat = await restarting.organisations.open(has_model=True)
    reply = "It is pink. " * 500
    model.play(delay_per_token_ms=2, reply=reply)
    async with restarting.working():
        run_id = (await chat.start(QUESTION, grounding="none"))["id"]
        await until_text(chat, run_id)

    cancelled = await chat.client.post(f"/api/v1/chat/runs/{run_id}/cancel")

    room = (await chat.get("/rooms"))["items"][0]
    answer = (await chat.get(f"/rooms/{room['id']}/messages"))["items"][0]
    events = await chat.events(run_id)
    assert cancelled.json()["state"] == "cancelled"
    assert events[-1][1] == "response.incomplete"
    assert answer["state"] == "incomplete"
    assert answer["text"] == replayed(events).text
    assert reply.startswith(answer["text"])
    assert answer["engine"]["model"] == "scripted"


async def test_each_last_event_describes_its_run_as_responses_do(
    talking: Chat, model: ScriptedModelServer
) -> None:
    whole = await streamed(talking, QUESTION)
    model.play(reply=" ")
    failed = await streamed(talking, "hello", grounding="none")

    done, broken = whole[-1][2], failed[-1][2]
    run = {"id": whole[0][2]["run_id"], "object": "response", "status": "completed"}
    assert done["response"] == run
    assert broken["response"]["status"] == "failed"
    assert broken["response"]["error"]["code"] == broken["error"]["code"]


@pytest.mark.parametrize(("grounding", "index"), [("papers", 1), ("none", 0)])
async def test_each_delta_names_its_item(
    talking: Chat, model: ScriptedModelServer, grounding: str, index: int
) -> None:
    model.play(rules=(Rule(when="hello", reply="Hello! 您好。"),))
    message = QUESTION if grounding == "papers" else "hello"

    events = await streamed(talking, message, grounding=grounding)

    told = [data for _number, kind, data in events if "output_text" in kind]
    places = {(each["output_index"], each["content_index"]) for each in told}
    assert places == {(index, 0)}
    items = [data for _number, kind, data in events if "output_item" in kind]
    assert [each["item"]["status"] for each in items] == ["in_progress", "completed"]
    assert {each["output_index"] for each in items} == {index}


@pytest.mark.parametrize(
    ("prefer", "status", "applied"),
    [
        ("wait=5", 200, "wait=5"),
        ("wait=0", 202, "wait=0"),
        ("respond-async", 202, "respond-async"),
        ("Respond-Async", 202, "respond-async"),
        (None, 200, None),
    ],
)
async def test_preference_that_is_followed_is_named(
    talking: Chat, prefer: str | None, status: int, applied: str | None
) -> None:
    headers = {} if prefer is None else {"prefer": prefer}

    response = await talking.client.post(
        "/api/v1/chat", json={"message": QUESTION}, headers=headers
    )

    assert response.status_code == status
    assert response.headers.get("preference-applied") == applied
    await talking.wait(response.headers["location"].rpartition("/")[2])


async def test_answer_given_anew_is_not_the_stored_one_and_takes_its_place(
    talking: Chat, model: ScriptedModelServer
) -> None:
    first = await talking.answer(QUESTION)
    model.play(reply=f"Its shelf life is 30 months. ⟦1|{QUOTE}⟧")

    path = f"/api/v1/chat/messages/{first['ai_message_id']}/regenerate"
    anew = (await talking.client.post(path)).json()
    stored = await talking.answer(QUESTION)

    assert anew["engine"]["from_cache"] is False
    assert anew["ai_response"] == "Its shelf life is 30 months. [1]"
    assert stored["engine"]["from_cache"] is True
    assert stored["ai_response"] == anew["ai_response"]
    assert model.calls.count(CHATS) == 2


async def test_answer_of_a_fallback_is_not_kept_as_the_first_servers(
    open_chat: OpenChat, model: ScriptedModelServer
) -> None:
    async with scripted_model() as spare:
        chat = await open_chat(has_model=True, fallback_url=spare.base_url)
        chat.documents.add(chat.org_id, STABILITY)
        fault = ScriptedFault(kind=FaultKind.SERVER_ERROR, after_tokens=0)

        model.play(faults=(fault,))
        first = await chat.answer(QUESTION)
        model.play(faults=())
        again = await chat.answer(QUESTION)

    assert (first["engine"]["model"], again["engine"]["model"]) == ("spare", "scripted")
    assert again["engine"]["from_cache"] is False
