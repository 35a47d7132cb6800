"""Prices, budgets, keys of answers, and what works with which settings."""

from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dossier.ai import rules
from dossier.ai.constants import BudgetWindow, Engine
from dossier.ai.rules import (
    BudgetVerdict,
    Capability,
    Facts,
    Meter,
    capabilities,
)
from dossier.ai.service.cache import cache_key
from dossier.ai.types import Price, Tokens

PRICE = Price(Decimal(2), Decimal(8), Decimal("0.5"), "settings")
TOKENS = st.integers(0, 10**7)
USD = st.integers(0, 10**6).map(lambda units: Decimal(units) / 10_000)


def test_cached_tokens_cost_their_own_price() -> None:
    cost = rules.cost_usd(PRICE, Tokens(1_000_000, 500_000, 400_000))

    assert cost == Decimal("1.2") + Decimal("0.2") + Decimal(4)


def test_without_a_price_of_their_own_cached_tokens_cost_what_input_costs() -> None:
    price = Price(Decimal(2), Decimal(8), None, "settings")

    assert rules.cost_usd(price, Tokens(1_000_000, 0, 400_000)) == Decimal(2)


@pytest.mark.parametrize(
    ("price", "tokens"),
    [
        (None, Tokens(10, 10)),
        (Price(None, Decimal(8), None, "x"), Tokens(10, 10)),
        (Price(Decimal(2), None, None, "x"), Tokens(10, 10)),
    ],
)
def test_an_unknown_cost_is_none_and_not_zero(
    price: Price | None, tokens: Tokens
) -> None:
    assert rules.cost_usd(price, tokens) is None


def test_an_embedding_needs_no_price_of_output() -> None:
    price = Price(Decimal(2), None, None, "settings")

    assert rules.cost_usd(price, Tokens(500_000, 0)) == Decimal(1)


def test_a_server_of_ones_own_costs_nothing() -> None:
    free = Price(Decimal(0), Decimal(0), None, "settings")

    assert rules.cost_usd(free, Tokens(10, 10)) == 0


@given(TOKENS, TOKENS, TOKENS, USD, USD, USD)
@settings(max_examples=40)
def test_no_call_costs_more_than_its_ceiling(
    read: int, written: int, cached: int, dear: Decimal, out: Decimal, cheap: Decimal
) -> None:
    price = Price(dear, out, min(cheap, dear), "x")
    cost = rules.cost_usd(price, Tokens(read, written, cached))
    ceiling = rules.ceiling_usd(price, read + written)

    assert cost is not None
    assert ceiling is not None
    assert Decimal(0) <= cost <= ceiling


@given(
    st.integers(0, 1000), st.integers(0, 1000), st.integers(0, 1000), st.integers(0, 99)
)
def test_what_fits_never_passes_the_cap(
    cap: int, spent: int, reserved: int, wanted: int
) -> None:
    meter = Meter("tokens", Decimal(cap), Decimal(spent), Decimal(reserved))
    verdict = meter.verdict(Decimal(wanted))

    assert (verdict is BudgetVerdict.FITS) == (spent + reserved + wanted <= cap)
    assert (verdict is BudgetVerdict.EXHAUSTED) == (spent + wanted > cap)


@given(
    st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)),  # noqa: DTZ001 - below
    st.sampled_from(BudgetWindow),
)
def test_windows_follow_each_other_without_a_gap(
    at: datetime, window: BudgetWindow
) -> None:
    moment = at.replace(tzinfo=UTC)
    start = rules.window_start(window, moment)
    end = rules.window_end(window, start)

    assert start <= moment < end
    assert rules.window_start(window, end) == end
    assert rules.window_start(window, start) == start


def test_the_order_of_members_does_not_change_a_key() -> None:
    one = cache_key(feature="chat", parameters={"a": 1, "b": [1, 2]})
    other = cache_key(parameters={"b": [1, 2], "a": 1}, feature="chat")

    assert one == other
    assert len(one) == 64


@given(st.lists(st.text(max_size=20), max_size=5))
@settings(max_examples=30)
def test_another_question_has_another_key(questions: list[str]) -> None:
    keys = {cache_key(input=each) for each in questions}

    assert len(keys) == len(set(questions))


def test_ids_and_instants_go_into_a_key_as_they_are_written() -> None:
    plain = {
        "org": "018f0000-0000-7000-8000-00000000000a",
        "at": "2026-01-01T00:00:00",
        "amount": "1.50",
        "engine": "model",
    }

    assert cache_key(
        org=UUID(plain["org"]),
        at=datetime(2026, 1, 1),  # noqa: DTZ001 - only to be written
        amount=Decimal("1.50"),
        engine=Engine.MODEL,
    ) == cache_key(**plain)


def test_what_has_no_canonical_form_is_refused() -> None:
    with pytest.raises(TypeError, match="object has no canonical form"):
        cache_key(input=object())
    with pytest.raises(ValueError, match="JSON"):
        cache_key(temperature=float("nan"))


def described(**facts: object) -> dict[str, Capability]:
    return {each.feature: each for each in capabilities(Facts(**facts))}  # type: ignore[arg-type] # the table below


def test_with_nothing_set_answers_are_sentences_of_the_papers() -> None:
    features = described()

    answer = features["chat.answer"]
    assert (answer.available, answer.engine) == (True, Engine.EXTRACTIVE)
    assert answer.why_not == "No model is configured."
    assert answer.setting == "DOSSIER_AI__BASE_URL"
    assert features["search.lexical"].available
    unavailable = {name for name, each in features.items() if not each.available}
    assert unavailable == {
        "chat.plain",
        "chat.summary",
        "search.dense",
        "search.rerank",
        "search.central",
        "ocr",
        "vision",
    }
    assert all(features[name].why_not for name in unavailable)


def test_with_a_model_it_answers() -> None:
    features = described(strong="large", cheap="small", is_reachable=True)

    assert features["chat.answer"] == Capability(
        "chat.answer", available=True, engine=Engine.MODEL, model="large"
    )
    assert features["chat.summary"].model == "small"


def test_before_the_first_probe_a_model_counts_as_there() -> None:
    assert described(strong="large")["chat.answer"].engine is Engine.MODEL


def test_a_server_that_was_away_is_named() -> None:
    features = described(
        strong="large", embedder="e5", is_reachable=False, problem="connection refused"
    )

    answer = features["chat.answer"]
    assert answer.engine is Engine.EXTRACTIVE
    assert "connection refused" in (answer.why_not or "")
    assert not features["chat.plain"].available
    assert not features["search.dense"].available


@pytest.mark.parametrize(
    ("facts", "available"),
    [
        ({"embedder": "e5", "dimensions": 384, "languages": ("en",)}, True),
        ({"embedder": "e5", "dimensions": 384, "is_reachable": True}, False),
        (
            {
                "embedder": "e5",
                "is_reachable": False,  # it lists no model for chats
                "dimensions": 384,
                "languages": ("en",),
            },
            True,
        ),
        ({"local_embedder": "bge", "has_local_library": False}, False),
        ({"embedder": "e5"}, True),
        ({"embedder": "e5", "is_reachable": True}, False),
        ({"local_embedder": "bge"}, True),
        ({}, False),
    ],
)
def test_dense_search_needs_an_embedder_that_answers(
    facts: dict[str, object],
    available: bool,  # noqa: FBT001 - a table
) -> None:
    assert described(**facts)["search.dense"].available is available


def test_an_embedding_model_without_a_server_asks_for_the_server() -> None:
    dense = described(embed_model="e5", strong="claude")["search.dense"]

    assert (dense.available, dense.setting) == (False, "DOSSIER_AI__BASE_URL")


def test_while_the_first_server_is_away_the_fallback_answers() -> None:
    features = described(
        strong="large", fallback="spare", is_reachable=False, problem="refused"
    )

    answer = features["chat.answer"]
    assert (answer.engine, answer.model) == (Engine.MODEL, "spare")
    assert "refused" in (answer.why_not or "")


def test_a_server_of_many_models_asks_for_a_name() -> None:
    features = described(strong="auto", has_name=False, is_reachable=False)

    assert features["chat.plain"].setting == "DOSSIER_AI__MODEL"


def test_services_count_once_they_are_set() -> None:
    features = described(reranker="bge-reranker", has_central=True)

    assert features["search.rerank"].model == "bge-reranker"
    assert features["search.central"].engine is Engine.SERVICE
