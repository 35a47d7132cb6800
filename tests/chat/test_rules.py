"""Rules of chat: what is empty, what fits, what is written down."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dossier.chat.constants import ROOM_TITLE_CHARACTERS
from dossier.chat.rules import messages
from dossier.chat.rules.export import ExportedText, export_filename, markdown_of
from dossier.chat.rules.messages import next_instant
from dossier.chat.rules.prompting import TURN_TOKENS, HistoryWindow, turn_tokens
from dossier.chat.service import shares
from dossier.chat.types import Turn

WORDS = st.text(st.sampled_from("ab7 水。\n\t\u200b\u3000"))
AT = datetime(2026, 11, 21, 14, 4, tzinfo=UTC)


def turn(text: str) -> Turn:
    return Turn(uuid4(), "user", "Mei", text)


@given(WORDS)
def test_a_text_is_blank_where_nothing_is_printed(text: str) -> None:
    assert not (messages.is_blank(text) and any(char.isalnum() for char in text))
    assert not messages.is_blank(f"{text}水")


@given(WORDS)
def test_a_title_is_one_short_line(text: str) -> None:
    title = messages.title_of(text)

    assert title
    assert len(title) <= ROOM_TITLE_CHARACTERS
    assert title == " ".join(title.split())


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("Is it\n safe?", "Is it safe?"),
        ("word " * 30, "word word word word word word word word word word word…"),
        ("水" * 70, "水" * 59 + "…"),
        ("", "…"),
    ],
)
def test_a_title_ends_at_a_word_where_there_are_words(text: str, title: str) -> None:
    assert messages.title_of(text) == title


@pytest.mark.parametrize(
    ("text", "tokens"), [("", 0), ("ab", 1), ("abcd", 2), ("防腐劑", 3), ("水ab", 2)]
)
def test_tokens_are_estimated(text: str, tokens: int) -> None:
    assert messages.estimated_tokens(text) == tokens


@given(st.lists(WORDS, max_size=12), st.integers(0, 120))
def test_a_window_holds_the_newest_turns_and_no_more_than_fits(
    texts: list[str], limit_tokens: int
) -> None:
    newest_first = [turn(text) for text in texts]
    window = HistoryWindow(limit_tokens)

    window.add(newest_first)

    taken = list(reversed(window.turns))
    assert taken == newest_first[: len(taken)]
    price = sum(turn_tokens(t) for t in taken)
    assert price <= limit_tokens
    rest = newest_first[len(taken) :]
    assert window.cut_at == (rest[0].message_id if rest else None)
    if rest:
        assert price + turn_tokens(rest[0]) > limit_tokens


def test_window_that_was_cut_takes_no_older_turns() -> None:
    long, older = turn("word " * 200), turn("ok")
    window = HistoryWindow(30)

    window.add([long])
    window.add([older])

    assert (window.turns, window.cut_at) == ((), long.message_id)


def test_a_turn_takes_its_words_its_name_and_what_stands_around_it() -> None:
    assert turn_tokens(turn("水" * 9)) == 9 + 1 + TURN_TOKENS


@given(st.timedeltas(timedelta(-9), timedelta(9)))
def test_the_next_message_is_behind_the_newest(ahead: timedelta) -> None:
    newest = AT + ahead

    following = next_instant(AT, newest)

    assert following > newest
    assert following >= AT
    assert next_instant(AT, None) == AT


def test_two_tokens_are_never_alike() -> None:
    tokens = {shares.new_token() for _ in range(50)}

    assert len(tokens) == 50
    assert len({shares.token_sha256(each) for each in tokens}) == 50
    assert min(map(len, tokens)) >= 43


def test_a_stranger_sees_no_id_in_a_citation() -> None:
    citation = {
        "number": 1,
        "document_id": str(UUID(int=1)),
        "chunk_id": str(UUID(int=2)),
        "filename": "inci.pdf",
        "page": 3,
        "quote": "Phenoxyethanol 0.8 %",
    }

    assert shares.shown_citation(citation) == {
        "number": 1,
        "filename": "inci.pdf",
        "page": 3,
        "label": None,
        "quote": "Phenoxyethanol 0.8 %",
        "mark_start": None,
        "mark_end": None,
    }


def test_citations_become_footnotes() -> None:
    citations = [
        {"number": 1, "filename": "inci.pdf", "page": 3, "quote": "Phenoxy-\nethanol"},
        {"number": 2, "filename": "formula.xlsx", "label": "Sheet1", "quote": "0.8 %"},
    ]
    messages = [
        ExportedText("Mei", AT, "Which one?", ()),
        ExportedText("Dossier", AT, "Phenoxyethanol [1]; see [7].", citations),
        ExportedText("Dossier", AT, "Again.", [{"filename": "a.pdf", "page": 1}]),
    ]

    assert markdown_of("Rose\ncream", messages) == (
        "# Rose cream\n\n"
        "**Mei** · 2026-11-21 14:04 UTC\n\n"
        "Which one?\n\n"
        "**Dossier** · 2026-11-21 14:04 UTC\n\n"
        "Phenoxyethanol [^1]; see \\[7\\]. [^2]\n\n"
        "**Dossier** · 2026-11-21 14:04 UTC\n\n"
        "Again. [^3]\n\n"
        "[^1]: inci.pdf, p. 3: “Phenoxy- ethanol”\n\n"
        "[^2]: formula.xlsx, Sheet1: “0.8 %”\n\n"
        "[^3]: a.pdf, p. 1\n"
    )


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("玫瑰面霜", "玫瑰面霜.md"),
        ("a/b\\c:d", "a-b-c-d.md"),
        ("..", "chat.md"),
    ],
)
def test_the_name_of_a_download_is_one_that_file_systems_take(
    title: str, name: str
) -> None:
    assert export_filename(title, "md") == name
