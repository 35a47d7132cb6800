"""Answers are jobs: unlisted, recorded however they end, and gone with their room."""

from typing import Any

import httpx2
import pytest
from sqlalchemy import text
from tests.chat.answering.conftest import (
    STABILITY,
    Chat,
    Pipelines,
    Restarting,
    replayed,
)
from tests.chat.answering.test_streaming import resumed

from dossier.core.database import tenant_transaction

QUESTION = "What is the shelf life of the rose cream?"
CODES = httpx2.codes


@pytest.mark.parametrize(
    ("verb", "path"), [("GET", ""), ("POST", "/cancel"), ("POST", "/retry")]
)
async def test_answer_is_not_found_among_the_jobs(
    chat: Chat, verb: str, path: str
) -> None:
    answered = await chat.answer(QUESTION)

    shown = await chat.client.request(verb, f"/api/v1/jobs/{answered['run_id']}{path}")
    listed = await chat.client.get("/api/v1/jobs")

    assert (shown.status_code, shown.json()["code"]) == (404, "job_not_found")
    assert (listed.json()["items"], listed.json()["total"]) == ([], 0)


@pytest.mark.parametrize("engine", ["auto", "extractive"])
async def test_run_of_an_answer_holds_ids_and_no_text(
    talking: Chat, engine: str
) -> None:
    await talking.answer(QUESTION)  # which is stored, and given again

    answered = await talking.answer(QUESTION, engine=engine)

    run = await talking.get(f"/runs/{answered['run_id']}")
    assert run["state"] == "completed"
    assert run["result"] == {"ai_message_id": answered["ai_message_id"]}
    assert run["error"] is None
    events = await talking.events(answered["run_id"])
    assert events[0][1] == "response.created"
    assert replayed(events).text == answered["ai_response"]


async def test_question_is_stored_with_its_first_event_before_a_worker_takes_it(
    restarting: Restarting,
) -> None:
    chat = await restarting.organisations.open()

    run = await chat.start(QUESTION)

    [(number, kind, data)] = await chat.events(run["id"])
    assert (number, kind, run["state"]) == (1, "response.created", "pending")
    assert data["run_id"] == run["id"]
    assert data["chat_room_id"] == run["subject_id"]
    page = await chat.get(f"/rooms/{run['subject_id']}/messages")
    ids = [each["id"] for each in page["items"]]
    assert ids == [data["ai_message_id"], data["user_message_id"]]
    assert page["items"][0]["state"] == "pending"


async def test_answer_that_is_cancelled_before_a_worker_takes_it_ends_its_stream(
    restarting: Restarting,
) -> None:
    chat = await restarting.organisations.open()
    run = await chat.start(QUESTION)

    cancelled = await chat.client.post(f"/api/v1/chat/runs/{run['id']}/cancel")
    again = await chat.client.post(f"/api/v1/chat/runs/{run['id']}/cancel")

    events = await resumed(chat, run["id"], 0)
    message = await chat.get(f"/messages/{events[0][2]['ai_message_id']}")
    assert cancelled.json()["state"] == again.json()["state"] == "cancelled"
    assert [kind for _, kind, _ in events] == [
        "response.created",
        "response.incomplete",
    ]
    assert events[-1][2]["reason"] == "cancelled"
    assert (message["state"], message["text"]) == ("incomplete", "")


async def test_answer_whose_work_breaks_down_is_a_failed_message_with_the_problem(
    chat: Chat, chat_worker: Pipelines
) -> None:
    del chat_worker.of[chat.org_id]

    refused = await chat.ask(QUESTION)

    run_id = refused.headers["location"].rpartition("/")[2]
    run = await chat.get(f"/runs/{run_id}")
    events = await chat.events(run_id)
    message = await chat.get(f"/messages/{events[0][2]['ai_message_id']}")
    assert refused.status_code == CODES.INTERNAL_SERVER_ERROR
    assert run["state"] == message["state"] == "failed"
    assert run["error"]["instance"] == f"/api/v1/chat/runs/{run_id}"
    assert events[-1][1] == "response.failed"
    assert events[-1][2]["error"] == message["engine"]["problem"] == run["error"]


async def test_deleted_room_takes_its_waiting_answers_with_it(
    restarting: Restarting,
) -> None:
    chat = await restarting.organisations.open()
    chat.documents.add(chat.org_id, STABILITY)
    run = await chat.start(QUESTION)

    await chat.client.delete(f"/api/v1/chat/rooms/{run['subject_id']}")

    async with tenant_transaction(chat.sessions, chat.org_id) as session:
        left: Any = await session.scalar(
            text(
                "select (select count(*) from jobs) + (select count(*) from job_events)"
            )
        )
    assert left == 0
    async with restarting.working():
        answered = await chat.answer(QUESTION)
    assert answered["state"] == "complete"


async def test_answer_follows_the_setting_for_readers_who_leave(chat: Chat) -> None:
    settings = chat.app.state.settings
    jobs = settings.jobs.model_copy(update={"on_disconnect": "cancel"})
    chat.app.state.settings = settings.model_copy(update={"jobs": jobs})

    answered = await chat.answer(QUESTION)

    assert (await chat.job(answered["run_id"])).on_disconnect == "cancel"
