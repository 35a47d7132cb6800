"""States of items in made-up dossiers, read from their papers as in a build."""

from benchmarks.dossiers import dossiers
from benchmarks.item_states import score

DOSSIERS = 8


def test_items_of_made_up_dossiers_have_the_states_that_their_papers_give() -> None:
    figures = score(dossiers(DOSSIERS))

    assert figures["wrong present"] == 0
    assert figures["right"] >= 0.97
    assert figures["items"] == DOSSIERS * 16
