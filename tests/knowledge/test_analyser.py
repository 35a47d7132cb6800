"""Terms of texts and questions, and what they weigh."""

import math
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dossier.knowledge.rules.analyser import (
    TERM_IDS,
    language_of,
    normalised,
    term_id,
    terms,
)
from dossier.knowledge.rules.weights import (
    MAX_ELEMENTS,
    count_terms,
    has_drifted,
    inverse_frequency,
    sparse_text,
    weigh,
    weighed_text,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("CAS 56-81-5.", ["cas", "56-81-5"]),
        ("0.5%", ["0.5", "0", "5"]),
        ("SPF50", ["spf50", "spf", "50"]),
        ("sodium-lauryl sulfates", ["sodium-lauryl", "sodium", "lauryl", "sulfat"]),
        ("brand’s", ["brand's", "brand"]),  # noqa: RUF001 - as documents print it
        ("What is the shelf life?", ["shelf", "life"]),
        ("安定性", ["安", "定", "性", "安定", "定性"]),
        ("防腐劑0.5%", ["防", "腐", "剂", "防腐", "腐剂", "0.5", "0", "5"]),
        ("ＰＨ５．５", ["ph5.5", "ph", "5", "5"]),  # noqa: RUF001 - full width
        ("的", []),
        ("", []),
    ],
)
def test_terms_of_a_text(text: str, expected: list[str]) -> None:
    assert terms(text) == expected


@pytest.mark.parametrize(
    ("traditional", "simplified"),
    [("乾燥", "干燥"), ("檢驗報告", "检验报告"), ("製程簡述", "制程简述")],
)
def test_traditional_and_simplified_give_the_same_terms(
    traditional: str, simplified: str
) -> None:
    assert terms(traditional) == terms(simplified)


@given(st.text())
def test_terms_do_not_depend_on_case_width_or_normal_form(text: str) -> None:
    once = normalised(text)

    assert terms(once) == terms(text)


@given(st.text(), st.text())
def test_terms_of_two_lines_are_those_of_each(first: str, second: str) -> None:
    assert terms(f"{first}\n\n{second}") == terms(first) + terms(second)


@given(st.text(min_size=1))
def test_ids_have_their_place_in_a_sparse_vector(term: str) -> None:
    assert 1 <= term_id(term) <= TERM_IDS


def test_a_product_of_weights_and_frequencies_is_bm25() -> None:
    k1, b, tf, length, average = 0.9, 0.6, 3, 50, 40.0

    [weight] = weigh({7: tf}, length, average).values()

    assert weight == pytest.approx(
        tf * (k1 + 1) / (tf + k1 * (1 - b + b * length / average))
    )
    assert inverse_frequency(10, 2) == pytest.approx(math.log(1 + 8.5 / 2.5))


@given(st.dictionaries(st.integers(1, TERM_IDS), st.integers(1, 50), min_size=1))
def test_more_occurrences_weigh_more_and_never_without_bound(
    counts: dict[int, int],
) -> None:
    length = sum(counts.values())

    weights = weigh(counts, length, 100.0)

    assert all(0 < each < 1.9 for each in weights.values())
    for (one, few), (other, many) in zip(counts.items(), counts.items(), strict=True):
        assert (few < many) == (weights[one] < weights[other])


def test_a_vector_has_no_more_elements_than_the_database_takes() -> None:
    counts = count_terms([*range(1, MAX_ELEMENTS + 10), 5, 5])

    assert len(counts) == MAX_ELEMENTS
    assert counts[5] == 3
    assert list(counts) == sorted(counts)


@given(st.lists(st.integers(1, 9)))
def test_terms_are_counted_as_often_as_they_occur(ids: list[int]) -> None:
    assert count_terms(ids) == Counter(ids)


def test_a_sparse_vector_is_written_as_the_database_reads_it() -> None:
    assert sparse_text({3: 0.5, 12: 1.25}) == "{3:0.5,12:1.25}/1000000000"


def test_weights_have_drifted_beyond_a_fifth() -> None:
    moved = [has_drifted(100, average) for average in (79, 81, 119, 121)]

    assert moved == [True, False, False, True]


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("本產品含 Glycerin 與 Phenoxyethanol", "zh"),
        ("Glycerin (甘油) keeps the water in the skin", "en"),
        ("これはテストです", "other"),
        ("12.5 %", "other"),
    ],
)
def test_language_of_a_passage(text: str, language: str) -> None:
    assert language_of(text) == language


@given(
    st.dictionaries(st.integers(1, TERM_IDS), st.integers(1, 50)),
    st.integers(1, 500),
    st.floats(1, 500),
)
def test_text_of_weights_equals_their_sparse_text(
    counts: dict[int, int], length: int, average: float
) -> None:
    written = weighed_text(counts, length, average)

    assert written == sparse_text(weigh(counts, length, average))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a\u00adb\u200bc", "abc"),  # a soft hyphen, and a space without width
        ("e\u200d\u0301", "\u00e9"),
        ("\u7919\u2019s", "\u788d's"),
        ("A\u2014B", "a-b"),
    ],
)
def test_invisible_characters_are_folded_before_and_after_normal_form(
    text: str, expected: str
) -> None:
    assert normalised(text) == expected
