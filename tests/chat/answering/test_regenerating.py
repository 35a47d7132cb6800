"""An answer given anew is given on the terms of the one that it replaces."""

from typing import Any

import httpx2
import pytest
from tests.chat.answering.conftest import Chat

from dossier.chat.types import AnswerOptions

QUESTION = "What is the shelf life of the rose cream?"


async def again(chat: Chat, message_id: str, **wish: Any) -> dict[str, Any]:
    path = f"/api/v1/chat/messages/{message_id}/regenerate"
    response = await chat.client.post(path, json=wish)
    assert response.status_code == httpx2.codes.OK, response.text
    answered: dict[str, Any] = response.json()
    return answered


async def test_talk_without_papers_is_answered_anew_without_papers(
    talking: Chat,
) -> None:
    first = await talking.answer("hello there", grounding="none")

    anew = await again(talking, first["ai_message_id"])
    asked_for = await again(talking, first["user_message_id"])

    assert {anew["engine"]["ruleset"], asked_for["engine"]["ruleset"]} == {"plain@3"}
    assert talking.shelf.asked == []


async def test_engine_of_an_answer_is_kept_when_it_is_given_anew(
    talking: Chat,
) -> None:
    first = await talking.answer(QUESTION, engine="extractive")

    anew = await again(talking, first["ai_message_id"])

    assert anew["engine"]["engine"] == "extractive"


async def test_what_is_named_counts_more_than_the_earlier_terms(talking: Chat) -> None:
    first = await talking.answer(QUESTION, grounding="none")

    anew = await again(talking, first["ai_message_id"], grounding="papers")
    quoted = await again(talking, first["ai_message_id"], engine="extractive")

    assert anew["citations"] != []
    assert quoted["engine"]["engine"] == "extractive"


async def test_edited_question_is_answered_on_the_terms_of_its_first_words(
    talking: Chat,
) -> None:
    first = await talking.answer("hello there", grounding="none")
    edited = await talking.client.patch(
        f"/api/v1/chat/messages/{first['user_message_id']}", json={"text": "Good day"}
    )

    anew = await again(talking, edited.json()["id"])

    assert anew["engine"]["ruleset"] == "plain@3"


async def test_answer_in_a_branch_of_its_own_is_given_anew_as_it_was(
    talking: Chat,
) -> None:
    first = await talking.answer("hello there", grounding="none")
    path = f"/api/v1/chat/messages/{first['ai_message_id']}/branches"
    made = await talking.client.post(path)
    copied = await talking.get(f"/rooms/{made.json()['id']}/messages")

    anew = await again(talking, copied["items"][0]["id"])

    assert anew["engine"]["ruleset"] == "plain@3"


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
