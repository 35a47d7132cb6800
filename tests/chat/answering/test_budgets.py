"""A spent budget ends the model's part, and leaves the word to the papers."""

from typing import Any

import httpx2
import pytest
from tests.chat.answering.conftest import Chat

from dossier.testing.model_server.server import ScriptedModelServer

QUESTION = "What is the shelf life of the rose cream?"
CHATS = "/v1/chat/completions"
SPENT = {"scope": "organisation", "window": "month", "cap_tokens": 1}


@pytest.fixture
async def poor(talking: Chat) -> Chat:
    """Chat with a model that no budget pays."""
    response = await talking.client.put("/api/v1/ai/budgets", json=SPENT)
    assert response.status_code == httpx2.codes.OK
    return talking


async def test_spent_budget_is_answered_with_verbatim_sentences(
    poor: Chat, model: ScriptedModelServer
) -> None:
    answered = await poor.answer(QUESTION)

    label = answered["engine"]
    assert (label["engine"], label["network"]) == ("extractive", False)
    assert label["degraded"]["code"] == "budget-exhausted"
    assert "of 1 0 are spent" in label["degraded"]["detail"]
    assert "30 months" in answered["ai_response"]
    assert model.calls.count(CHATS) == 0


async def test_answer_that_no_budget_paid_is_not_stored(
    poor: Chat, model: ScriptedModelServer
) -> None:
    await poor.answer(QUESTION)
    await poor.client.put("/api/v1/ai/budgets", json=SPENT | {"cap_tokens": 10**6})

    answered = await poor.answer(QUESTION)

    assert answered["engine"]["engine"] == "model"
    assert model.calls.count(CHATS) == 1


@pytest.mark.parametrize("wish", [{"engine": "model"}, {"grounding": "none"}])
async def test_budget_refusal_of_engine_model_names_the_free_alternative(
    poor: Chat, wish: dict[str, Any]
) -> None:
    response = await poor.ask(QUESTION, **wish)

    problem = response.json()
    assert (response.status_code, problem["code"]) == (402, "budget_exhausted")
    assert "engine `extractive`" in problem["detail"]
    assert problem["limit"]["cap"] == "1"
    assert response.headers["retry-after"] == str(problem["retry_after"])
    assert problem["instance"] == "/api/v1/chat"


async def test_problem_of_an_answer_given_anew_names_where_it_happened(
    poor: Chat,
) -> None:
    first = await poor.answer(QUESTION)
    path = f"/api/v1/chat/messages/{first['ai_message_id']}/regenerate"

    response = await poor.client.post(path, json={"engine": "model"})

    assert response.status_code == httpx2.codes.PAYMENT_REQUIRED
    assert response.json()["instance"] == path


async def test_call_whose_price_is_unknown_names_what_costs_nothing(
    talking: Chat, model: ScriptedModelServer
) -> None:
    cap = {"scope": "organisation", "window": "month", "cap_usd": "1"}
    await talking.client.put("/api/v1/ai/budgets", json=cap)

    refused = await talking.ask(QUESTION, grounding="none")
    answered = await talking.answer(QUESTION)

    assert refused.json()["code"] == "model_price_unknown"
    assert "engine `extractive`" in refused.json()["detail"]
    assert answered["engine"]["network"] is False
    assert model.calls.count(CHATS) == 0
