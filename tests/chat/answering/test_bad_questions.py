"""A question that cannot be taken is named, and nothing of it is stored."""

from typing import Any

import httpx2
import pytest
from tests.chat.answering.conftest import Chat, OpenChat
from tests.factories.documents import make_document

from dossier.core.models import new_id

PATH = "/api/v1/chat"
BAD: list[tuple[str, dict[str, Any], int, str, str | None]] = [
    ("empty", {"message": ""}, 422, "message_empty", "#/message"),
    ("blank", {"message": " \u200b\n"}, 422, "message_empty", "#/message"),
    ("bell", {"message": "a\x07b"}, 422, "request_invalid", "#/message"),
    ("long", {"message": "x" * 32_001}, 422, "message_too_long", "#/message"),
    ("megabyte", {"message": "x" * 2**20}, 413, "body_too_large", None),
    ("room", {"chat_room_id": str(new_id())}, 404, "chat_room_not_found", None),
    (
        "persona",
        {"virtual_user_id": str(new_id())},
        404,
        "virtual_user_not_found",
        None,
    ),
    ("document", {"document_ids": [str(new_id())]}, 404, "document_not_found", None),
    ("model", {"engine": "model"}, 409, "model_not_configured", None),
]


def problem_of(answer: httpx2.Response) -> tuple[int, str, str | None]:
    problem = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    pointers = [each["pointer"] for each in problem.get("errors", [])]
    return answer.status_code, problem["code"], pointers[0] if pointers else None


@pytest.mark.parametrize("is_stream", [False, True], ids=["whole", "stream"])
async def test_bad_question_is_named_and_nothing_is_stored(
    chat: Chat, *, is_stream: bool
) -> None:
    answers = {
        name: await chat.ask(**{"message": "Is it?", "stream": is_stream, **body})
        for name, body, *_ in BAD
    }

    assert {name: problem_of(answer) for name, answer in answers.items()} == {
        name: tuple(expected) for name, _body, *expected in BAD
    }
    assert (await chat.get("/rooms"))["items"] == []


async def test_document_still_being_read_is_pointed_at(chat: Chat) -> None:
    document = await make_document(chat.sessions, chat.org_id, filename="slow.pdf")

    answer = await chat.ask("Is it?", document_ids=[str(document.id)])

    assert problem_of(answer) == (409, "attachment_not_ready", "#/document_ids/0")
    assert (await chat.get("/rooms"))["items"] == []


async def test_virtual_user_of_another_organisation_does_not_answer(
    chat: Chat, open_chat: OpenChat
) -> None:
    stranger = await open_chat()
    theirs = await stranger.client.get(f"{PATH}/virtual-users")

    answer = await chat.ask("Is it?", virtual_user_id=theirs.json()["items"][0]["id"])

    assert problem_of(answer) == (404, "virtual_user_not_found", None)
