"""Without a model the papers answer in their own words, or say that they do not."""

import httpx2
import pytest
from tests.chat.answering.conftest import Chat
from tests.chat.answering.documents import StoredPassage

from dossier.core.models import new_id
from dossier.knowledge.types import NotReady


@pytest.mark.parametrize(
    ("question", "quote", "filename", "page"),
    [
        (
            "What is the shelf life of the rose cream?",
            "The shelf life of the rose cream is 30 months.",
            "stability.pdf",
            3,
        ),
        ("玫瑰霜的保存期限是多久？", "玫瑰霜的保存期限為三十個月。", "label.pdf", 1),
    ],
)
async def test_question_is_answered_with_quote_page_and_file(
    chat: Chat, question: str, quote: str, filename: str, page: int
) -> None:
    answered = await chat.answer(question)

    first = answered["citations"][0]
    assert (first["quote"], first["filename"], first["page"]) == (quote, filename, page)
    assert answered["ai_response"].startswith(f"{quote} [{first['number']}]")
    assert answered["engine"]["engine"] == "extractive"
    assert answered["engine"]["network"] is False
    assert answered["state"] == "complete"


async def test_offsets_of_a_quote_count_in_its_page(chat: Chat) -> None:
    answered = await chat.answer("What is the shelf life of the rose cream?")

    first = answered["citations"][0]
    text = chat.documents.passages[chat.org_id][0].text
    assert first["start"] == 100 + text.index(first["quote"])
    assert first["end"] - first["start"] == len(first["quote"])


async def test_question_without_support_is_refused(chat: Chat) -> None:
    chat.documents.not_ready = [
        NotReady(new_id(), "half.pdf", "read_partly"),
        NotReady(new_id(), "new.pdf", "reading"),
        NotReady(new_id(), "locked.pdf", "unreadable"),
        NotReady(new_id(), "newer.pdf", "indexing"),
    ]

    answered = await chat.answer("Who audited the warehouse in Lyon?")

    assert answered["ai_response"] == (
        "This was not found in your documents.\n"
        "Not searchable yet: new.pdf, newer.pdf.\n"
        "Cannot be read: locked.pdf.\n"
        "Read partly: half.pdf."
    )
    assert answered["citations"] == []
    assert [each["filename"] for each in answered["not_ready"]] == [
        "half.pdf",
        "new.pdf",
        "locked.pdf",
        "newer.pdf",
    ]


async def test_quotes_of_one_passage_share_its_number(chat: Chat) -> None:
    answered = await chat.answer("玫瑰霜的保存期限，請置於陰涼乾燥處")

    citations = answered["citations"]
    lines = answered["ai_response"].split("\n")
    assert len(citations) > 1
    assert {(each["number"], each["filename"]) for each in citations} == {
        (1, "label.pdf")
    }
    assert lines == [f"{each['quote']} [1]" for each in citations]


async def test_quoted_passages_are_numbered_from_one(chat: Chat) -> None:
    chat.documents.add(
        chat.org_id,
        StoredPassage("a.pdf", "Lilac lotion: viscosity, colour, odour, batch size."),
        StoredPassage("b.pdf", "The lilac lotion has a viscosity of 12,000 mPa·s."),
    )

    answered = await chat.answer(
        "What viscosity, colour, odour and batch size does the lilac lotion have?"
    )

    numbers = [each["number"] for each in answered["citations"]]
    assert numbers[0] == 1
    assert sorted(set(numbers)) == list(range(1, len(set(numbers)) + 1))
    for each in answered["citations"]:
        mark = answered["ai_response"][each["mark_start"] : each["mark_end"]]
        assert mark == f"[{each['number']}]"


async def test_signed_document_is_quoted_before_a_draft_and_the_draft_is_named(
    chat: Chat,
) -> None:
    chat.documents.add(
        chat.org_id,
        StoredPassage(
            "draft.pdf", "The lilac lotion has a pH of 7.1 at 25 °C.", is_draft=True
        ),
        StoredPassage("signed.pdf", "The lilac lotion has a pH of 5.5."),
    )

    answered = await chat.answer("What pH has the lilac lotion at 25 °C?")

    assert [each["filename"] for each in answered["citations"]] == [
        "signed.pdf",
        "draft.pdf",
    ]
    assert [each["is_draft"] for each in answered["citations"]] == [False, True]
    assert answered["ai_response"].split("\n")[-1] == (
        "A draft, or unsigned: draft.pdf."
    )


async def test_simplified_question_gets_simplified_words(chat: Chat) -> None:
    answered = await chat.answer("里昂的仓库由谁稽核，产品保存期限为何？")

    assert answered["ai_response"].startswith("文件中没有直接的答案")


async def test_refusal_is_in_the_language_of_the_question(chat: Chat) -> None:
    answered = await chat.answer("里昂的倉庫由誰稽核？")

    assert answered["ai_response"] == "在您的文件中找不到答案。"


@pytest.mark.parametrize(
    ("wish", "way_out"),
    [
        ({"engine": "model"}, "with the engine `auto` or `extractive`"),
        ({"grounding": "none"}, "with the grounding `papers`"),
        (
            {"grounding": "none", "engine": "extractive"},
            "with the grounding `papers`",
        ),
        ({"grounding": "none", "engine": "model"}, "with the grounding `papers`"),
    ],
)
async def test_model_that_is_not_configured_is_a_problem_with_a_way_out(
    chat: Chat, wish: dict[str, str], way_out: str
) -> None:
    response = await chat.ask("Hello", **wish)

    assert response.status_code == httpx2.codes.CONFLICT
    assert response.json()["code"] == "model_not_configured"
    assert way_out in response.json()["detail"]
    rooms = await chat.get("/rooms")
    assert rooms["items"] == []


async def test_answer_is_stored_in_its_room_with_label_and_quotes(chat: Chat) -> None:
    answered = await chat.answer("What is the shelf life of the rose cream?")

    stored = await chat.get(f"/messages/{answered['ai_message_id']}")
    assert stored["text"] == answered["ai_response"]
    assert stored["state"] == "complete"
    assert stored["parent_id"] == answered["user_message_id"]
    assert stored["engine"]["ruleset"] == "extract@8"
    assert stored["sender"]["virtual_user_id"] == answered["virtual_user"]["id"]


async def test_second_question_goes_on_in_the_room(chat: Chat) -> None:
    first = await chat.answer("What is the shelf life of the rose cream?")
    again = await chat.answer(
        "What is the viscosity?", chat_room_id=first["chat_room_id"]
    )

    messages = await chat.get(f"/rooms/{first['chat_room_id']}/messages")
    assert len(messages["items"]) == 4
    assert again["chat_room_id"] == first["chat_room_id"]


async def test_earlier_question_of_ones_own_is_offered(chat: Chat) -> None:
    first = await chat.answer("What is the shelf life of the rose cream?")
    again = await chat.answer("And what is the shelf life of rose cream")

    assert again["similar"]["message_id"] == first["user_message_id"]
    assert first["similar"] is None


async def test_earlier_question_that_found_nothing_is_not_offered(chat: Chat) -> None:
    for message in ("Who audits the warehouse in Lyon?", "里昂的倉庫由誰稽核？"):
        await chat.answer(message)

    again = await chat.answer("Who audits the warehouse in Lyon")
    anew = await chat.answer("里昂的倉庫由誰稽核")

    assert (again["similar"], anew["similar"]) == (None, None)


async def test_answer_can_be_given_anew_beside_the_first(chat: Chat) -> None:
    first = await chat.answer("What is the shelf life of the rose cream?")
    response = await chat.client.post(
        f"/api/v1/chat/messages/{first['ai_message_id']}/regenerate"
    )

    again = response.json()
    assert again["user_message_id"] == first["user_message_id"]
    assert again["ai_message_id"] != first["ai_message_id"]
    stored = await chat.get(f"/messages/{again['ai_message_id']}")
    assert (stored["version"], stored["supersedes_id"]) == (2, first["ai_message_id"])


@pytest.mark.parametrize(
    ("message", "status"),
    [("", 422), ("   ", 422), ("a\x00b", 422), ("x" * 40_000, 422), ("x" * 2**20, 413)],
)
async def test_message_that_cannot_be_taken_stores_nothing(
    chat: Chat, message: str, status: int
) -> None:
    response = await chat.ask(message)

    assert response.status_code == status
    assert (await chat.get("/rooms"))["items"] == []


@pytest.mark.parametrize("field", ["chat_room_id", "virtual_user_id"])
async def test_unknown_room_or_virtual_user_is_not_found(
    chat: Chat, field: str
) -> None:
    response = await chat.ask("Hello", **{field: str(new_id())})

    assert response.status_code == httpx2.codes.NOT_FOUND
    assert (await chat.get("/rooms"))["items"] == []


async def test_reference_in_a_document_is_no_mark_of_a_citation(chat: Chat) -> None:
    words = "The shelf life of the blue balm is 24 months, as proven [1], [2, 3] [^4]."
    chat.documents.passages[chat.org_id] = [StoredPassage("[1].pdf", words)]

    answered = await chat.answer("What is the shelf life of the blue balm?")

    text, (citation,) = answered["ai_response"], answered["citations"]
    assert text == words.translate({91: 0xFF3B, 93: 0xFF3D}) + " [1]"
    assert text[citation["mark_start"] : citation["mark_end"]] == "[1]"
    assert citation["quote"] == words


async def test_citations_name_the_places_of_their_marks(chat: Chat) -> None:
    answered = await chat.answer("玫瑰霜的保存期限，請置於陰涼乾燥處")

    text = answered["ai_response"]
    places = [
        text[each["mark_start"] : each["mark_end"]] for each in answered["citations"]
    ]
    assert places == [f"[{each['number']}]" for each in answered["citations"]]
    assert len(places) == text.count("[") == 2
