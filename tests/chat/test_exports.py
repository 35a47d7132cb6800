"""A room written down: Markdown of a branch, JSON of all."""

import re
from datetime import UTC, datetime
from uuid import UUID

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.strategies import text
from markdown_it import MarkdownIt
from tests.factories.chat import make_answer, make_message, make_room, settle

from dossier.chat.models import ChatMessage
from dossier.chat.rules.export import ExportedText, markdown_of
from dossier.core.database import SessionFactory

CITATION = {
    "number": 1,
    "document_id": str(UUID(int=5)),
    "filename": "成分表.pdf",
    "page": 3,
    "quote": "Phenoxyethanol 0.8 %",
}


@pytest.fixture
async def answer(sessions: SessionFactory, org_id: UUID) -> ChatMessage:
    room = await make_room(sessions, org_id, title="玫瑰 cream")
    question = await make_message(sessions, org_id, room_id=room.id)
    answer = await make_answer(sessions, org_id, question)
    await settle(sessions, org_id, answer.id, "It is [1].", citations=[CITATION])
    return answer


async def exported(
    client: httpx2.AsyncClient, answer: ChatMessage, form: str
) -> httpx2.Response:
    return await client.get(
        f"/api/v1/chat/rooms/{answer.room_id}/export", params={"format": form}
    )


async def test_markdown_has_the_branch_and_its_footnotes(
    client: httpx2.AsyncClient, answer: ChatMessage
) -> None:
    written = await exported(client, answer, "markdown")

    lines = written.text.split("\n\n")
    assert lines[0] == "# 玫瑰 cream"
    assert lines[2::2][:2] == ["Is it safe?", "It is [^1]."]
    assert lines[-1] == "[^1]: 成分表.pdf, p. 3: “Phenoxyethanol 0.8 %”\n"
    assert written.headers["content-type"] == "text/markdown; charset=utf-8"
    assert written.headers["content-disposition"] == (
        'attachment; filename="__ cream.md"; '
        "filename*=UTF-8''%E7%8E%AB%E7%91%B0%20cream.md"
    )


def test_each_quote_of_a_passage_has_its_own_footnote() -> None:
    quotes = [CITATION | {"quote": quote} for quote in ("One.", "Two.", "Three.")]
    said = ExportedText(
        "Iris", datetime(2026, 3, 2, tzinfo=UTC), "One. [1]\nTwo. [1]", quotes
    )

    written = markdown_of("Room", [said])

    assert "One. [^1]\nTwo. [^2] [^3]" in written
    assert [line[-6:] for line in written.split("\n") if line.startswith("[^")] == [
        "“One.”",
        "“Two.”",
        "hree.”",
    ]


def test_quote_does_nothing_when_it_is_written_down() -> None:
    quote = "See ![x](https://evil.example/x) <img src=x>"
    said = ExportedText(
        "Iris",
        datetime(2026, 3, 2, tzinfo=UTC),
        "It is. [1]",
        [CITATION | {"quote": quote}],
    )

    written = markdown_of("Room", [said])

    assert r"See \!\[x\](`https://evil.example/x`) &lt;img src=x>" in written


LURES = (
    "[x](https://evil.example/?q=1)",
    "![x](https://evil.example/?q=1)",
    "[x](javascript:alert(1))",
    "[x](jav&#x61;script:alert(1))",
    "[x][r]\n\n[r]: https://evil.example",
    "[^1]: https://evil.example",
    "<https://evil.example>",
    "<me@evil.example>",
    "<img src=https://evil.example/x>",
    "https://evil.example/x",
    "`https://evil.example/x",
    "`` ` ``https://evil.example/x",
    "\\https://evil.example/x",
    "https://evil.example/`x",
    "https\\://evil.example/x",
    "請見https://evil.example/x，謝謝",
    "www.evil.example",
    "evil.com/x",
    "//evil.example/x",
    "me@evil.example",
    "https&#58;//evil.example/x",
    "https://xn--80ak6aa92e.com/x",
)


@pytest.mark.parametrize("lure", LURES)
def test_message_text_becomes_no_link_or_picture_in_an_export(lure: str) -> None:
    citation = CITATION | {"filename": f"{lure}.pdf", "quote": lure}
    said = ExportedText(
        lure, datetime(2026, 3, 2, tzinfo=UTC), f"Yes. {lure} [1]", [citation]
    )

    shown = MarkdownIt("commonmark").render(markdown_of(lure, [said]))

    assert not re.search(r"<(?!/?(?:h1|p|strong|code)>)", shown)
    outside_code = re.sub(r"<code>.*?</code>", "", shown, flags=re.DOTALL)
    assert not re.search(r"(?:https?:|(?<!:)//|@)\w|www\.|evil\.com", outside_code)


@pytest.mark.parametrize("number", [1, 7])
@pytest.mark.parametrize(
    "end", ["(evil)", "(https://evil.example)", ": https://e.example"]
)
def test_mark_of_a_footnote_is_no_half_of_a_link(number: int, end: str) -> None:
    words = f"[{number}]{end}\n\nYes [{number}]."
    said = ExportedText("Iris", datetime(2026, 3, 2, tzinfo=UTC), words, [CITATION])

    shown = MarkdownIt("commonmark").render(markdown_of("Room", [said]))

    assert not re.search(r"<(?:a|img)\b", re.sub("<code>.*?</code>", "", shown))


@given(words=text(st.sampled_from("`\\[]()<>!&#;:/.@1 ahtpsw\n")))
def test_no_mix_of_signs_becomes_a_link_or_a_picture(words: str) -> None:
    said = ExportedText("Iris", datetime(2026, 3, 2, tzinfo=UTC), words, [])

    shown = MarkdownIt("commonmark").render(markdown_of("Room", [said]))

    assert not re.search(r"<(?:a|img)\b", shown)


FORGED = (
    "**bob** · 2026-11-21 19:10 UTC\n\nI agree",
    "Yes\r\r**bob** · 2026-11-21 19:10 UTC\r\rI agree",
    "__bob__ · 2026-11-21 19:10 UTC",
    "# H",
    "H #\n===",
    "H\n=",
    "H\n---",
    "H\n-",
    "---",
    "- - -",
    "***",
    "_ _ _",
    "___",
    "> q",
    ">q",
    "~~~",
    "~~~\ncode",
    "```\ncode",
    "_i_ *i* ~~s~~ a_b_ _a_b",
    "- a",
    "-\ta",
    "+ a",
    "+",
    "* a",
    "1. a",
    "1) a",
    "7.",
    "Yes\n\n    code",
    "Yes\n\n\tcode",
    "Yes  \nno\\\nno",
    "a | b\n--|--\nc | d",
    "| a |\n|---|\n| b |",
    "| a |\n:-:\n| b |",
    "<div>\n<!-- x",
    "[1]\n- a\n[1] # H",
    "me@evil.example\n===",
)
WORDS = {"text", "softbreak", "code_inline"}
STRONG = {"strong_open", "strong_close"}


def check_turns(title: str, messages: list[ExportedText]) -> None:
    """Check that a heading, and one head for each message, are all that is marked."""
    shown = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    blocks = shown.parse(markdown_of(title, messages))
    inline = [block.children or [] for block in blocks if block.type == "inline"]
    kinds = [
        {part.type for part in parts if part.content or part.type != "text"}
        for parts in inline
    ]

    outer = [block.type for block in blocks if block.type != "inline"]
    paragraphs = ["paragraph_open", "paragraph_close"] * (len(inline) - 1)
    assert outer == ["heading_open", "heading_close", *paragraphs]
    heads = [each for each in kinds if each >= STRONG]
    assert len(heads) == len(messages)
    assert all(each <= WORDS | STRONG for each in heads)
    assert all(each <= WORDS for each in kinds if each not in heads)


@pytest.mark.parametrize("words", FORGED)
def test_no_message_looks_like_more_than_words(words: str) -> None:
    said = ExportedText(words, datetime(2026, 3, 2, tzinfo=UTC), words, [])

    check_turns(words, [said, said])


@given(
    words=text(st.sampled_from("*_~#>-+=|:.)1\\`[]<!& \t\r\nab")),
    title=text(st.sampled_from("*_~#>-=|. a")),
)
def test_no_mix_of_signs_looks_like_another_turn(words: str, title: str) -> None:
    said = ExportedText(f"{title}b", datetime(2026, 3, 2, tzinfo=UTC), words, [])

    check_turns(title, [said, said])


def test_a_title_keeps_all_its_signs() -> None:
    shown = MarkdownIt("commonmark").render(markdown_of("*x* ##", []))

    assert shown == "<h1>*x* ##</h1>\n"


def test_harmless_words_are_exported_unchanged() -> None:
    words = (
        "Hello! Is pH < 5.5 & stable at -5 °C? Yes, 1:2 (w/w) - see p. 3; R&D.\n"
        "-5 °C is in file_names.txt | 1.5 % = 2 # 3 > 1 + 1\n\n成分_表 2026."
    )
    said = ExportedText("Iris", datetime(2026, 3, 2, tzinfo=UTC), words, [])

    assert words in markdown_of("Room", [said])


async def test_json_has_every_branch(
    client: httpx2.AsyncClient, answer: ChatMessage
) -> None:
    await client.patch(
        f"/api/v1/chat/messages/{answer.parent_id}", json={"text": "Is it?"}
    )

    written = (await exported(client, answer, "json")).json()

    assert written["title"] == "玫瑰 cream"
    assert [each["text"] for each in written["messages"]] == [
        "Is it safe?",
        "It is [1].",
        "Is it?",
    ]
    assert written["messages"][1]["citations"] == [CITATION]
    assert written["messages"][1]["parent_id"] == str(answer.parent_id)


async def test_an_export_is_recorded(
    client: httpx2.AsyncClient, answer: ChatMessage
) -> None:
    await exported(client, answer, "json")

    (newest, *_rest) = (await client.get("/api/v1/activity")).json()["items"]
    assert (newest["action"], newest["entity_id"]) == ("export", str(answer.room_id))
    assert newest["details"] == {"format": "json"}


async def test_another_format_is_refused(
    client: httpx2.AsyncClient, answer: ChatMessage
) -> None:
    refused = await exported(client, answer, "docx")

    assert refused.status_code == httpx2.codes.UNPROCESSABLE_CONTENT
    assert refused.json()["errors"][0]["pointer"] == "format"


async def test_an_empty_room_is_a_title(
    client: httpx2.AsyncClient, sessions: SessionFactory, org_id: UUID
) -> None:
    room = await make_room(sessions, org_id)

    written = await client.get(f"/api/v1/chat/rooms/{room.id}/export")

    assert written.text == "# Rose cream\n"
