"""What a renderer of GitHub's Markdown makes of filtered texts and of exports."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from time import process_time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from dossier.chat.rules.export import ExportedText, markdown_of
from dossier.chat.rules.links import LinkGuard, without_links

LIVE_KINDS = {"link_open", "image", "html_inline", "html_block"}
AUTOLINK = re.compile(
    r"(?:https?|ftp)://[a-z0-9]|(?<![a-z0-9])www\.[a-z0-9]|[a-z0-9._+-]+@[a-z0-9-]+\.[a-z]",
    re.IGNORECASE,
)
"""What GitHub's extension makes a link of in the text that stands outside code.

Wider than its rules: it is looked for in the text after escapes and entities.
"""
PARTS = [
    *("http://", "https://evil.example/x", "www.", "evil.com/x", "a@b.co", "_", "1"),
    *("<img src=x>", "\\<img src=x>", "<b>", "<!-- ", "-->", "<a", ">", "/", "<"),
    *("![", "[", "](", "]", ")", "(", "x", " ", "\n", "\n\n", ":", "]: ", "\\", "`"),
    *("&#58;", "&lt;", "&commat;", "&", ";", "*", "~", "!", "h", "ttp", ".", "，", "p"),
    *("[1]", "[^1]", "|", "<b", "=", '"', "a", "@", "\u200b"),
]
ATTACKS = st.lists(st.sampled_from(PARTS), max_size=16).map("".join)
AT = datetime(2026, 3, 2, tzinfo=UTC)


def live_in(markdown: str) -> list[str]:
    """Return what acts in a rendered text: links, pictures, markup."""
    parser = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    tokens = list(_flat(parser.parse(markdown)))
    found = [each.type for each in tokens if each.type in LIVE_KINDS]
    for inline in (each for each in tokens if each.type == "inline"):
        # A part that is no text ends an address.
        shown = "".join(
            part.content if part.type.startswith("text") else "\n"
            for part in inline.children or []
        )
        found += AUTOLINK.findall(shown)
    return found


def _flat(tokens: Iterable[Token]) -> Iterable[Token]:
    for token in tokens:
        yield token
        yield from token.children or []


@pytest.mark.parametrize(
    "attack",
    [
        "_http://evil.example/x",
        "1http://evil.example/x",
        "_www.evil.example/x",
        "http://evil.example/\\<img src=x>",
        "www.evil.example\\<img src=x>",
        "_a@evil.example",
        "<x@y.c>http<x@y.c>://evil.example",
    ],
)
def test_message_that_becomes_a_link_elsewhere_is_inert(attack: str) -> None:
    said = ExportedText(attack, AT, f"{attack} and {attack}", [])

    assert not live_in(markdown_of(attack, [said]))
    assert not live_in(without_links(f"See {attack}.", []))


@given(words=ATTACKS, name=ATTACKS)
@example(words="http://[^1]", name="")
def test_export_holds_nothing_live(words: str, name: str) -> None:
    citation = {"number": 1, "filename": name, "quote": words, "page": 1}
    spans = [citation | {"mark_start": 0, "mark_end": len(words)}]
    messages = [ExportedText(name, AT, words, cited) for cited in ([citation], spans)]

    assert not live_in(markdown_of(name, messages))


@given(words=ATTACKS)
def test_filtered_text_holds_nothing_live(words: str) -> None:
    assert not live_in(without_links(words, []))


@given(pieces=st.lists(st.sampled_from(PARTS), max_size=16))
def test_relayed_text_holds_nothing_live(pieces: list[str]) -> None:
    guard = LinkGuard([])

    assert not live_in("".join([*map(guard.feed, pieces), guard.finish()]))


@pytest.mark.parametrize(
    "part",
    [
        *("![", "[", "<", "![a](", "[a](", "](", "<a =", "&#58;", "\n", "\n[", "a@"),
        *("a.", "//a", "<<b>b>", "http", "http://a", "data:", "[[a](b)](c)", "<a@b.c>"),
    ],
)
def test_time_to_filter_grows_with_the_length(part: str) -> None:
    def seconds(size: int) -> float:
        words = part * (size // len(part))
        best = 9.0
        for _attempt in range(3):
            began = process_time()
            without_links(words, [])
            best = min(best, process_time() - began)
        return best

    short, long = seconds(6_000), seconds(48_000)

    # Eight times the length; a quadratic one would take 64 times as long.
    assert long < 0.02 + 24 * short, (short, long)
