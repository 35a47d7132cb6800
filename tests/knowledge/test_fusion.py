"""When vectors take part, how candidates are chosen, how rankings are judged."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dossier.knowledge.rules import plan
from dossier.knowledge.rules.evaluation import ndcg, percentile, recall
from dossier.knowledge.rules.excerpt import Stretch, excerpt
from dossier.knowledge.rules.vectors import (
    VectorState,
    unit,
    why_misfit,
    why_not_embedded,
)

READY = VectorState(is_ready=True, model="m", dimensions=3, languages=("en", "zh"))
ENGLISH = VectorState(is_ready=True, model="m", dimensions=3, languages=("en",))


def words(text: str) -> list[str]:
    return text.lower().replace(".", " ").split()


@pytest.mark.parametrize(
    ("question", "vectors", "reason"),
    [
        ("shelf life", READY, None),
        ("shelf life", ENGLISH, None),
        ("有效期限", READY, None),
        ("有效期限", ENGLISH, "not known to distinguish Chinese"),
        ("SPF 係數", ENGLISH, "not known to distinguish Chinese"),
        ("x", VectorState(False, "m", 3, ("en",)), "no vectors"),  # noqa: FBT003 - a row
        ("x", VectorState(True, None, None, ()), "no vectors"),  # noqa: FBT003 - a row
        ("x", VectorState(True, "old", 3, ("en",)), "vectors of old"),  # noqa: FBT003 - a row
    ],
)
def test_question_is_embedded_only_where_vectors_are_reliable(
    question: str, vectors: VectorState, reason: str | None
) -> None:
    why = why_not_embedded(question, vectors, "m")

    assert why is None if reason is None else reason in (why or "")


def test_a_vector_of_another_size_is_named_with_both_sizes() -> None:
    assert why_misfit([1.0, 0.0, 0.0], READY) is None
    assert "2 dimensions" in (why_misfit([1.0, 0.0], READY) or "")
    assert "has no direction" in (why_misfit(None, READY) or "")


@pytest.mark.parametrize("vector", [[], [0.0, 0.0], [math.nan, 1.0], [math.inf]])
def test_vector_of_zeros_has_no_unit(vector: list[float]) -> None:
    assert unit(vector) is None


def test_a_unit_has_length_one() -> None:
    assert unit([3.0, 4.0]) == [0.6, 0.8]


@given(st.dictionaries(st.integers(1, 50), st.integers(0, 3_000)))
def test_the_rarest_terms_select_few_candidates(held: dict[int, int]) -> None:
    chosen = plan.rarest(held)

    named = sum(held[term] for term in chosen)
    left_out = [n for term, n in held.items() if n and term not in chosen]
    assert len(chosen) <= 1 or named <= plan.CANDIDATES
    assert all(held[term] <= least for term in chosen for least in left_out)
    assert bool(chosen) == any(held.values())


@pytest.mark.parametrize(
    ("chunks", "table", "staged"),
    [
        (5_000, 5_000, False),
        (5_001, 5_001, True),
        (20_000, 300_000, False),
        (20_000, 100_000, True),
        (20_001, 1_000_000, True),
    ],
)
def test_vectors_come_from_their_index_above_a_bound(
    chunks: int, table: int, *, staged: bool
) -> None:
    assert plan.is_dense_staged(chunks, table) is staged


def test_lexical_search_is_exact_up_to_a_bound() -> None:
    assert not plan.is_lexical_staged(plan.LEXICAL_EXACT_CHUNKS)
    assert plan.is_lexical_staged(plan.LEXICAL_EXACT_CHUNKS + 1)


def test_an_excerpt_is_the_sentence_with_the_rarest_terms() -> None:
    text = "Store it dry. The shelf life is two years. Call us."

    found = excerpt(
        text, [Stretch(0, len(text))], {"shelf": 2, "dry": 1}, words, max_characters=40
    )

    assert text[found.start : found.end] == "The shelf life is two years."


def test_an_excerpt_stays_in_one_piece_of_the_text() -> None:
    text = "Lead\tppm\nArsenic\tbelow"

    found = excerpt(
        text, [Stretch(0, 8), Stretch(9, 22)], {"lead": 1, "arsenic": 2}, words
    )

    assert text[found.start : found.end] == "Arsenic\tbelow"


@given(
    st.text("ab 。，.\n", max_size=120),
    st.integers(5, 60),
)
def test_an_excerpt_is_short_and_lies_in_its_text(text: str, longest: int) -> None:
    found = excerpt(
        text, [Stretch(0, len(text))], {"a": 1}, list, max_characters=longest
    )

    assert 0 <= found.start <= found.end <= len(text)
    assert found.end - found.start <= longest
    assert (found.end > found.start) == bool(text)


WRAPPED = (
    "The cream is kept at room temperature in a dry place. Its shelf life is\n"
    "24 months. After opening, in a cool place, it keeps for twelve\n"
    "months."
)


@pytest.mark.parametrize(
    ("asked", "quote"),
    [
        ("shelf", "Its shelf life is\n24 months."),
        ("twelve", "After opening, in a cool place, it keeps for twelve\nmonths."),
        ("named in its title", WRAPPED),
    ],
)
def test_a_wrapped_line_ends_no_sentence(asked: str, quote: str) -> None:
    weights = dict.fromkeys(asked.split(" in "), 1.0)

    found = excerpt(WRAPPED, [Stretch(0, len(WRAPPED))], weights, words)

    assert WRAPPED[found.start : found.end] == quote


def test_a_passage_without_text_has_an_empty_excerpt() -> None:
    assert excerpt("", [], {"a": 1}, words) == Stretch(0, 0)


def test_ranking_measures_equal_known_values() -> None:
    grades = {"a": 2, "b": 1, "c": 0}

    assert ndcg(["a", "b"], grades, 10) == 1
    assert ndcg(["b", "a"], grades, 10) == pytest.approx(
        (1 + 2 / math.log2(3)) / (2 + 1 / math.log2(3))
    )
    assert ndcg(["a"], {}, 10) == 0
    assert ndcg(["c", "a"], {"a": 1, "c": -2}, 10) == ndcg(["c", "a"], {"a": 1}, 10)
    assert ndcg(["a"], {"a": 1, "b": -1}, 10) == 1
    assert ndcg(["a", "b"], {"a": -1, "b": -2}, 10) == 0
    assert recall(["x", "a", "b"], grades, 2) == 0.5
    assert recall(["a"], {}, 2) == 0
    assert percentile([3, 1, 2, 4], 50) == 2
    assert percentile([3, 1], 95) == 3
