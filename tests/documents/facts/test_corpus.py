"""The targets of the reading of facts, on a part of the benchmark's corpus."""

import pytest
from benchmarks.document_facts import score, wilson
from benchmarks.fact_papers import papers
from benchmarks.fact_samples import samples


@pytest.mark.slow
def test_no_fact_of_the_corpus_is_read_wrongly_and_most_are_read() -> None:
    """Slow: some 600 facts, so that a wrong one is noticed."""
    figures = score([*list(papers())[::5], *samples()])

    assert figures["all"]["precision"] >= 0.99
    assert figures["all"]["recall"] >= 0.85


def test_interval_of_a_share_without_errors_has_a_lower_bound() -> None:
    low, high = wilson(300, 300)

    assert (round(low, 3), round(high, 9)) == (0.987, 1.0)
