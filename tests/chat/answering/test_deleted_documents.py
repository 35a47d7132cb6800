"""The event log names the passages that were found and holds none of their text."""

import orjson
from tests.chat.answering.conftest import (
    STABILITY,
    Chat,
    Restarting,
    replayed,
    until_text,
)

from dossier.testing.model_server.server import ScriptedModelServer

QUESTION = "How long is the shelf life?"
CLAIM = "It was kept for 3 months. ⟦1|at 40 °C for 3 months⟧"


async def test_search_event_names_passages_without_their_text(chat: Chat) -> None:
    chat.documents.add(chat.org_id, STABILITY)

    answered = await chat.answer(QUESTION)

    searched = replayed(await chat.events(answered["run_id"])).searched or {}
    [found] = searched["results"]
    assert found["filename"] == STABILITY.filename
    assert found["document_id"] == str(STABILITY.document_id)
    assert STABILITY.text[:30] not in orjson.dumps(searched).decode()


async def test_answer_begins_anew_when_its_documents_were_deleted(
    restarting: Restarting, model: ScriptedModelServer
) -> None:
    chat = await restarting.organisations.open(has_model=True, continues=True)
    chat.documents.add(chat.org_id, STABILITY)
    filler = "and so on " * 60
    model.play(reply=f"{CLAIM}\n{filler}", prefill="continue", delay_per_token_ms=4)
    async with restarting.working():
        run_id = (await chat.start(QUESTION))["id"]
        await until_text(chat, run_id)
    chat.documents.passages[chat.org_id].clear()

    async with restarting.working():
        ended = await chat.wait(run_id)

    events = await chat.events(run_id)
    [restarted] = [data for _n, kind, data in events if kind == "run.restarted"]
    message = await chat.get(f"/messages/{events[0][2]['ai_message_id']}")
    assert ended.state == "done"
    assert restarted["kept_through"] == 2
    assert message["text"] == replayed(events).text
    assert message["citations"] == []
    assert "3 months" not in message["text"]
