"""A model's answer passes claim by claim; what fails of it has a name."""

from typing import Any

import httpx2
import pytest
from tests.chat.answering.conftest import Chat, until_text

from dossier.testing.model_server.model import echo
from dossier.testing.model_server.script import FaultKind, Rule, ScriptedFault
from dossier.testing.model_server.server import ScriptedModelServer

QUESTION = "What is the shelf life of the rose cream?"
QUOTE = "The shelf life of the rose cream is 30 months."


def chats(model: ScriptedModelServer) -> list[dict[str, Any]]:
    """Return what the model was asked, the newest last."""
    return [call.body for call in model.calls.last if "messages" in call.body]


async def test_claims_of_a_model_are_shown_with_their_proof(
    talking: Chat, model: ScriptedModelServer
) -> None:
    answered = await talking.answer(QUESTION)

    assert answered["ai_response"].startswith(f"{QUOTE} [1]")
    assert answered["citations"][0]["quote"] == QUOTE
    assert answered["citations"][0]["page"] == 3
    assert answered["engine"]["engine"] == "model"
    assert answered["engine"]["model"] == "scripted"
    assert answered["engine"]["network"] is True
    assert answered["engine"]["degraded"] is None
    assert model.calls.count("/v1/chat/completions") == 1


async def test_extractive_answer_asks_no_model(
    talking: Chat, model: ScriptedModelServer
) -> None:
    answered = await talking.answer(QUESTION, engine="extractive")

    assert answered["engine"]["engine"] == "extractive"
    assert model.calls.count("/v1/chat/completions") == 0


@pytest.mark.parametrize("kind", [FaultKind.FORGED_QUOTE, FaultKind.UNKNOWN_CITATION])
async def test_model_without_proven_claims_is_replaced_by_verbatim_sentences(
    talking: Chat, model: ScriptedModelServer, kind: FaultKind
) -> None:
    model.play(faults=(ScriptedFault(kind=kind),))

    answered = await talking.answer(QUESTION)

    assert answered["engine"]["engine"] == "extractive"
    assert answered["engine"]["degraded"]["code"] == "claims-unsupported"
    assert answered["dropped_claims"] >= 1
    assert answered["citations"][0]["quote"] == QUOTE


async def test_false_claim_is_dropped_and_the_true_one_shown(
    talking: Chat, model: ScriptedModelServer
) -> None:
    lines = (
        "The shelf life is 30 months. ⟦1|The shelf life of the rose cream⟧\n"
        "It is 36 months. ⟦1|The shelf life of the rose cream⟧\n"
        "See https://evil.example/?q=1 ⟦1|The shelf life of the rose cream⟧"
    )
    model.play(reply=lines)

    answered = await talking.answer(QUESTION)

    assert answered["ai_response"] == "The shelf life is 30 months. [1]"
    assert answered["dropped_claims"] == 2


async def test_model_that_finds_nothing_gives_a_refusal(
    talking: Chat, model: ScriptedModelServer
) -> None:
    model.play(reply="⟦none⟧")

    answered = await talking.answer(QUESTION)

    assert answered["ai_response"] == "This was not found in your documents."
    assert answered["engine"]["engine"] == "model"


FAULTS = [
    (FaultKind.RATE_LIMITED, "model_rate_limited", 429),
    (FaultKind.SERVER_ERROR, "model_unavailable", 503),
    (FaultKind.OVERLOADED, "model_unavailable", 503),
    (FaultKind.UNAUTHORISED, "model_unavailable", 503),
    (FaultKind.CONTEXT_TOO_LONG, "model_context_too_long", 422),
    (FaultKind.NEVER_ANSWERS, "model_timeout", 504),
    (FaultKind.MALFORMED, "model_response_malformed", 502),
    (FaultKind.CUT, "model_stream_cut", 502),
    (FaultKind.SILENCE, "model_timeout", 504),
    (FaultKind.STREAM_ERROR, None, None),
    (FaultKind.REFUSAL, "model_refused", 422),
    (FaultKind.CONTENT_FILTER, "model_refused", 422),
]


@pytest.mark.parametrize(("kind", "code", "status"), FAULTS)
async def test_failing_model_is_a_named_problem_and_nothing_is_lost(
    impatient: Chat,
    model: ScriptedModelServer,
    kind: FaultKind,
    code: str | None,
    status: int | None,
) -> None:
    model.play(faults=(ScriptedFault(kind=kind, after_tokens=0),))

    response = await impatient.ask(QUESTION, engine="model")

    problem = response.json()
    assert problem["code"].startswith("model_")
    assert code is None or (problem["code"], response.status_code) == (code, status)
    room = (await impatient.get("/rooms"))["items"][0]
    messages = (await impatient.get(f"/rooms/{room['id']}/messages"))["items"]
    assert [each["state"] for each in messages] == ["failed", "complete"]
    assert messages[0]["engine"]["problem"]["code"] == problem["code"]
    model.play(faults=())
    again = await impatient.client.post(
        f"/api/v1/chat/messages/{messages[0]['id']}/regenerate"
    )
    assert again.status_code == httpx2.codes.OK


@pytest.mark.parametrize("kind", [kind for kind, _code, _status in FAULTS])
async def test_failing_model_is_replaced_by_verbatim_sentences_with_engine_auto(
    impatient: Chat, model: ScriptedModelServer, kind: FaultKind
) -> None:
    model.play(faults=(ScriptedFault(kind=kind, after_tokens=0),))

    answered = await impatient.answer(QUESTION)

    assert answered["engine"]["engine"] == "extractive"
    assert answered["engine"]["degraded"]["code"].startswith("model-")
    assert answered["citations"][0]["quote"] == QUOTE


async def test_claims_proven_before_a_model_failed_are_kept(
    talking: Chat, model: ScriptedModelServer
) -> None:
    model.play(
        reply=f"{QUOTE} ⟦1|{QUOTE}⟧\n" + "more words " * 50,
        faults=(ScriptedFault(kind=FaultKind.CUT, after_tokens=60),),
    )

    answered = await talking.answer(QUESTION)

    assert answered["ai_response"] == f"{QUOTE} [1]"
    assert answered["engine"]["engine"] == "model"
    assert answered["engine"]["degraded"]["code"] == "model-stream-cut"


async def test_plain_answer_is_relayed_token_by_token(
    talking: Chat, model: ScriptedModelServer
) -> None:
    model.play(rules=(Rule(when="hello", reply="Hello! 您好。"),))

    answered = await talking.answer("hello there", grounding="none")

    assert answered["ai_response"] == "Hello! 您好。"
    assert answered["citations"] == []
    assert talking.documents.queries == []


async def test_plain_answer_that_breaks_off_keeps_its_text(
    talking: Chat, model: ScriptedModelServer
) -> None:
    model.play(faults=(ScriptedFault(kind=FaultKind.CUT, after_tokens=5),))

    response = await talking.ask("hello there", grounding="none")

    assert response.json()["code"] == "model_stream_cut"
    room = (await talking.get("/rooms"))["items"][0]
    answer = (await talking.get(f"/rooms/{room['id']}/messages"))["items"][0]
    assert answer["state"] == "failed"
    assert answer["text"].startswith("You asked: hello")


async def test_prompt_contains_the_earlier_messages(
    talking: Chat, model: ScriptedModelServer
) -> None:
    first = await talking.answer(QUESTION)

    await talking.answer("And in months?", chat_room_id=first["chat_room_id"])

    turns = [(m["role"], m["content"]) for m in chats(model)[-1]["messages"]]
    assert turns[1] == ("user", QUESTION)
    assert turns[2] == ("assistant", first["ai_response"])
    assert turns[3][1].endswith("Question:\nAnd in months?")


async def test_passages_are_fenced_by_a_word_of_their_own(
    talking: Chat, model: ScriptedModelServer
) -> None:
    await talking.answer(QUESTION)
    await talking.answer("What is the viscosity of the cream?")

    bodies = chats(model)
    fences = {body["messages"][-1]["content"].split(" ", 1)[0] for body in bodies}
    assert len(fences) == 2
    assert all("tools" not in body for body in bodies)


async def test_stopped_answer_stops_its_model_within_a_second(
    talking: Chat, model: ScriptedModelServer
) -> None:
    model.play(delay_per_token_ms=20, reply_tokens=500)
    response = await talking.client.post(
        "/api/v1/chat",
        json={"message": "hello", "grounding": "none"},
        headers={"prefer": "respond-async"},
    )
    run = response.json()
    await until_text(talking, run["id"])

    cancelled = await talking.client.post(f"/api/v1/chat/runs/{run['id']}/cancel")
    ended = await talking.wait(run["id"], 1)

    assert cancelled.status_code == httpx2.codes.OK
    assert ended.state == "cancelled"
    assert response.headers["location"] == f"/api/v1/chat/runs/{run['id']}"
    room = (await talking.get("/rooms"))["items"][0]
    answer = (await talking.get(f"/rooms/{room['id']}/messages"))["items"][0]
    assert answer["state"] == "incomplete"
    assert answer["text"]
    assert echo("hello", 500).startswith(answer["text"])


async def test_plain_answer_has_no_link_that_no_person_wrote(
    talking: Chat, model: ScriptedModelServer
) -> None:
    model.play(
        reply="Look! ![x](https://evil.example/?q=1) [here](https://evil.example) or "
        "https://evil.example, not https://mine.example/a: pH < 7."
    )

    answered = await talking.answer(
        "Is https://mine.example/a right?", grounding="none"
    )

    assert answered["ai_response"] == (
        "Look!  here or  not https://mine.example/a: pH < 7."
    )
