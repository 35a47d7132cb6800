"""From an uploaded document to an answer with its page, over HTTP, without a model."""

import httpx2
import pytest
from tests.chat.answering.conftest import Chat, OpenChat
from tests.draining import drain
from tests.factories.documents import joined_pdf_bytes, pdf_bytes, scanned_pdf_bytes

from dossier.ai.service.assembly import open_model_services
from dossier.core.settings import Settings
from dossier.core.startup import Database
from dossier.jobs.attempts import Attempts
from dossier.knowledge.service.assembly import Searchers
from dossier.worker import make_handlers

REPORT = pdf_bytes(
    ["Three batches were stored at 40 degrees.", "The shelf life is 30 months."]
)
PARTLY = joined_pdf_bytes(REPORT, scanned_pdf_bytes())
LABEL = "請置於陰涼乾燥處。玫瑰霜的淨重為五十毫升。".encode()


MATERIALS = (
    b"material,CAS,supplier,lead time days\n"
    b"Niacinamide,98-92-0,Vita Chem,28\nSqualane,111-01-3,Oleos SARL,21\n"
)


@pytest.fixture
async def reading(
    open_chat: OpenChat, chat_database: Database, chat_settings: Settings
) -> Chat:
    """Chat that searches what was uploaded, as it does in use."""
    sessions = chat_database.sessions
    recorder = open_model_services(sessions, chat_settings).recorder
    searchers = Searchers(sessions, chat_settings, recorder)
    return await open_chat(searcher_of=searchers.searcher_of)


async def upload(chat: Chat, name: str, content: bytes) -> str:
    files = {"file": (name, content)}
    answer = await chat.client.post("/api/v1/documents", files=files)
    assert answer.status_code == httpx2.codes.CREATED, answer.text
    document_id: str = answer.json()["id"]
    return document_id


async def test_uploaded_documents_answer_in_either_language(
    reading: Chat, chat_settings: Settings
) -> None:
    report = await upload(reading, "report.pdf", REPORT)
    label = await upload(reading, "label.txt", LABEL)
    materials = await upload(reading, "materials.csv", MATERIALS)
    tasks = make_handlers(chat_settings)
    await drain(
        reading.sessions, dict.fromkeys(tasks, Attempts(reading.sessions, tasks))
    )

    english = await reading.answer("How long is the shelf life?")
    chinese = await reading.answer("玫瑰霜的淨重是多少？")
    row = await reading.answer("Who supplies CAS 111-01-3?")

    quoted = [
        (c["quote"], c["document_id"], c["page"])
        for c in (english["citations"][0], chinese["citations"][0], row["citations"][0])
    ]
    assert quoted == [
        ("The shelf life is 30 months.", report, 2),
        ("玫瑰霜的淨重為五十毫升。", label, 1),
        ("Squalane\t111-01-3\tOleos SARL\t21", materials, 1),
    ]
    assert "supplier: Oleos SARL" in row["ai_response"]
    assert english["engine"]["parser"] == "analyser@1"
    assert english["engine"]["network"] is False


async def test_document_still_being_read_is_named_and_cannot_be_attached(
    reading: Chat,
) -> None:
    late = await upload(reading, "late.pdf", REPORT)

    answered = await reading.answer("How long is the shelf life?")
    attached = await reading.ask("What does it say?", document_ids=[late])

    assert answered["citations"] == []
    assert [each["filename"] for each in answered["not_ready"]] == ["late.pdf"]
    assert attached.status_code == httpx2.codes.CONFLICT
    assert attached.json()["code"] == "attachment_not_ready"


async def test_what_could_not_be_read_is_said_in_the_answer_and_its_citations(
    reading: Chat, chat_settings: Settings
) -> None:
    await upload(reading, "partly.pdf", PARTLY)
    await upload(reading, "broken.pdf", b"%PDF-1.7 no more than this")
    tasks = make_handlers(chat_settings)
    await drain(
        reading.sessions, dict.fromkeys(tasks, Attempts(reading.sessions, tasks))
    )

    found = await reading.answer("How long is the shelf life?")
    nothing = await reading.answer("Who audited the warehouse in Lyon?")

    assert [each["is_partly_read"] for each in found["citations"]] == [True]
    assert {each["filename"]: each["state"] for each in found["not_ready"]} == {
        "partly.pdf": "read_partly",
        "broken.pdf": "unreadable",
    }
    assert nothing["ai_response"].split("\n")[1:] == [
        "Cannot be read: broken.pdf.",
        "Read partly: partly.pdf.",
    ]
