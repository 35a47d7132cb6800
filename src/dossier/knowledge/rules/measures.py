"""How good a ranking is, against judgements of which documents are relevant."""

import math
from collections.abc import Mapping, Sequence
from typing import Final

NDCG_DEPTH: Final = 10
RECALL_DEPTHS: Final = (10, 100)


def ndcg(ranked: Sequence[str], grades: Mapping[str, int], depth: int) -> float:
    """Return the normalised discounted gain of the first `depth` of a ranking.

    Gains are the grades themselves, as in `trec_eval`; none is below zero.
    """
    ideal = _discounted(sorted(grades.values(), reverse=True)[:depth])
    found = _discounted([grades.get(each, 0) for each in ranked[:depth]])
    return found / ideal if ideal else 0.0


def recall(ranked: Sequence[str], grades: Mapping[str, int], depth: int) -> float:
    """Return the share of relevant documents among the first `depth`."""
    wanted = {each for each, grade in grades.items() if grade > 0}
    return len(wanted.intersection(ranked[:depth])) / len(wanted) if wanted else 0.0


def percentile(values: Sequence[float], rank: int) -> float:
    """Return the value that `rank` percent of the values do not exceed."""
    ordered = sorted(values)
    place = math.ceil(rank / 100 * len(ordered))
    return ordered[max(place - 1, 0)]


def _discounted(gains: Sequence[int]) -> float:
    return sum(max(gain, 0) / math.log2(place + 2) for place, gain in enumerate(gains))
