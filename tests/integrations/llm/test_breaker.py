from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dossier.integrations.llm.breaker import Breaker
from dossier.integrations.llm.responses import retry_after_s
from dossier.integrations.llm.usage import estimate_tokens

MIXED = st.text("a .玫瑰😀é", max_size=50)
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


class Clock:
    def __init__(self) -> None:
        self.at_s = 100.0

    def __call__(self) -> float:
        return self.at_s


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("3", 3.0),
        ("0.5", 0.5),
        ("-1", 0.0),
        ("Sat, 21 Nov 2026 12:00:07 GMT", 7.0),
        ("Sat, 21 Nov 2026 11:00:00 GMT", 0.0),
        ("soon", None),
        ("nan", None),
        ("inf", None),
        ("99999999999999999999", 86_400.0),
        ("3000000000", 86_400.0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 86_400.0),
        ("Fri, 31 Dec 99999999999999999999 23:59:59 GMT", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(
    header: str | None, seconds: float | None
) -> None:
    assert retry_after_s(header, NOON) == seconds


def test_a_breaker_opens_after_failures_in_a_row() -> None:
    breaker = Breaker(3, 30, Clock())
    for _ in range(2):
        breaker.fail()
    breaker.succeed()
    for _ in range(2):
        breaker.fail()

    assert breaker.admit()
    breaker.fail()
    assert not breaker.admit()
    assert breaker.wait_s() == 30


def test_after_its_rest_one_call_alone_may_try() -> None:
    clock = Clock()
    breaker = Breaker(1, 30, clock)
    breaker.fail()
    clock.at_s += 30

    assert [breaker.admit(), breaker.admit()] == [True, False]
    breaker.fail()
    assert not breaker.admit()
    clock.at_s += 30
    assert breaker.admit()
    breaker.succeed()
    assert [breaker.admit(), breaker.admit()] == [True, True]


def test_a_try_that_was_given_up_leaves_its_place_to_the_next() -> None:
    clock = Clock()
    breaker = Breaker(1, 30, clock)
    breaker.fail()
    clock.at_s += 31

    assert breaker.admit()
    breaker.abandon()
    assert breaker.admit()


@pytest.mark.parametrize(
    ("text", "tokens"),
    [("", 0), ("a", 1), ("abcdefg", 2), ("玫瑰", 2), ("玫瑰 rose", 4), ("😀", 1)],
)
def test_tokens_are_estimated(text: str, tokens: int) -> None:
    assert estimate_tokens(text) == tokens


@given(MIXED, MIXED)
def test_more_text_never_has_fewer_tokens(one: str, other: str) -> None:
    assert estimate_tokens(one + other) >= estimate_tokens(one)
    assert estimate_tokens(one + other) <= estimate_tokens(one) + estimate_tokens(other)
