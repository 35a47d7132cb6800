from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dossier.integrations.llm.sse import SseEvent, SseParser, SseTooLargeError

ENDS = st.sampled_from([b"\n", b"\r\n", b"\r"])
TEXTS = st.text(
    st.characters(codec="utf-8", exclude_characters="\r\n"), max_size=12
).map(lambda text: text.encode())
LINES = st.one_of(
    TEXTS.map(lambda text: b"data: " + text),
    TEXTS.map(lambda text: b"data:" + text),
    TEXTS.map(lambda text: b"event: " + text),
    TEXTS.map(lambda text: b": " + text),
    TEXTS.map(lambda text: b"id: " + text),
    st.just(b"data"),
    st.just(b""),
)
STREAMS = st.lists(st.tuples(LINES, ENDS).map(b"".join), max_size=20).map(b"".join)


def events_of(*chunks: bytes, limit: int = 10**6) -> list[SseEvent]:
    parser = SseParser(limit)
    return [event for chunk in chunks for event in parser.feed(chunk)]


@given(STREAMS, st.lists(st.integers(0, 400), max_size=8))
def test_any_split_of_the_bytes_gives_the_same_events(
    stream: bytes, cuts: list[int]
) -> None:
    places = sorted({0, *(min(cut, len(stream)) for cut in cuts), len(stream)})
    chunks = [stream[a:b] for a, b in pairwise(places)]

    assert events_of(*chunks) == events_of(stream)


@given(STREAMS)
def test_byte_by_byte_gives_the_same_events(stream: bytes) -> None:
    assert events_of(*(bytes([byte]) for byte in stream)) == events_of(stream)


@given(st.lists(st.lists(TEXTS, min_size=1, max_size=3), max_size=5), ENDS)
def test_what_was_sent_is_what_is_read(events: list[list[bytes]], end: bytes) -> None:
    stream = b"".join(
        b"".join(b"data: " + line + end for line in lines) + end for lines in events
    )

    read = [event.data for event in events_of(stream)]

    assert read == [b"\n".join(lines) for lines in events]


@pytest.mark.parametrize(
    ("stream", "events"),
    [
        (b"\xef\xbb\xbfdata: a\n\n", [(b"", b"a")]),
        (b"event: ping\ndata: {}\n\ndata: b\n\n", [(b"ping", b"{}"), (b"", b"b")]),
        (b"event: lost\n\ndata: c\n\n", [(b"", b"c")]),
        (b": keep-alive\n\ndata: d\n\n", [(b"", b"d")]),
        (b"data:  two blanks\n\n", [(b"", b" two blanks")]),
        (b"data: whole\n\ndata: not whole\n", [(b"", b"whole")]),
        (b"database: no\n\n", []),
    ],
)
def test_fields_are_read_as_the_standard_says(
    stream: bytes, events: list[tuple[bytes, bytes]]
) -> None:
    assert [tuple(event) for event in events_of(stream)] == events


def test_an_event_without_end_is_refused() -> None:
    with pytest.raises(SseTooLargeError):
        events_of(*[b"data: " + b"x" * 94] * 20, limit=1000)


def test_many_lines_of_one_event_are_counted_together() -> None:
    with pytest.raises(SseTooLargeError):
        events_of(*[b"data: " + b"x" * 94 + b"\n"] * 20, limit=1000)
