"""A log tells which passages were found, never what they say."""

import asyncio
from uuid import UUID

import orjson
from tests.chat.answering.conftest import STABILITY, Chat, OpenChat
from tests.factories.runs import expire_lease, kill

from dossier.chat.rules.replay import Event, replay
from dossier.core.database import tenant_transaction
from dossier.runs.models import Run
from dossier.runs.service import RunsService
from dossier.testing.model_server import ScriptedModelServer

QUESTION = "How long is the shelf life?"
CLAIM = "It was kept for 3 months. ⟦1|at 40 °C for 3 months⟧"


async def events_of(chat: Chat, run_id: UUID) -> list[Event]:
    async with tenant_transaction(chat.sessions, chat.org_id) as session:
        stored = await RunsService(session, chat.actor).list_events(run_id, limit=999)
    return [(each.sequence_number, each.type, each.data) for each in stored]


async def run_of(chat: Chat, run_id: UUID) -> Run:
    async with tenant_transaction(chat.sessions, chat.org_id) as session:
        return await RunsService(session, chat.actor).get_run(run_id)


async def begun(chat: Chat) -> UUID:
    """Ask, and return the run once some of its text is stored."""
    answer = await chat.client.post(
        "/api/v1/chat",
        json={"message": QUESTION},
        headers={"prefer": "respond-async"},
    )
    run_id = UUID(answer.json()["id"])
    async with asyncio.timeout(5):
        while not replay(await events_of(chat, run_id)).text:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.01)
    return run_id


async def test_what_was_found_is_named_without_its_words(chat: Chat) -> None:
    chat.shelf.put(chat.org_id, STABILITY)

    answered = await chat.answer(QUESTION)

    told = replay(await events_of(chat, UUID(answered["run_id"]))).searched or {}
    [found] = told["results"]
    assert found["filename"] == STABILITY.filename
    assert found["document_id"] == str(STABILITY.document_id)
    assert STABILITY.text[:30] not in orjson.dumps(told).decode()


async def test_answer_begins_anew_where_its_papers_went_with_the_process(
    open_chat: OpenChat, model: ScriptedModelServer
) -> None:
    first = await open_chat(has_model=True)
    first.shelf.put(first.org_id, STABILITY)
    second = await open_chat(has_model=True, shelf=first.shelf, continues=True)
    filler = "and so on " * 60
    model.play(reply=f"{CLAIM}\n{filler}", prefill="continue", delay_per_token_ms=4)
    run_id = await begun(first)

    await kill(first.engine)
    first.shelf.papers[first.org_id].clear()
    await expire_lease(first.sessions, await run_of(first, run_id))
    await second.engine.take_over()
    ended = await second.engine.wait(first.org_id, run_id, 10)

    events = await events_of(first, run_id)
    [restarted] = [data for _n, kind, data in events if kind == "run.restarted"]
    message = await first.get(f"/messages/{events[0][2]['ai_message_id']}")
    assert ended.state == "completed"
    assert restarted["kept_through"] == 2
    assert message["text"] == replay(events).text
    assert message["citations"] == []
    assert "3 months" not in message["text"]
