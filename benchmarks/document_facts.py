"""`document_facts`: precision and recall of facts read from made-up documents.

A fact counts as read where its value is certain. Precision comes with its Wilson
interval (95 %). `python -m benchmarks.document_facts -v` lists wrong and missed facts.
"""

import math
import sys
import time
from collections import Counter, defaultdict
from typing import Any

from benchmarks.fact_papers import FactPaper, papers
from benchmarks.fact_samples import samples
from benchmarks.fact_unseen import SETS, unseen

from dossier.documents.facts.folding import name_key
from dossier.documents.facts.kinds import document_kind
from dossier.documents.facts.reading import read_facts
from dossier.documents.facts.types import FactState, PageText

Z = 1.96


def wilson(right: int, total: int) -> tuple[float, float]:
    """Return the 95 % interval of a share."""
    if not total:
        return 0.0, 1.0
    share, square = right / total, Z * Z
    centre = (share + square / (2 * total)) / (1 + square / total)
    spread = Z * math.sqrt(share * (1 - share) / total + square / (4 * total * total))
    half = spread / (1 + square / total)
    return max(0.0, centre - half), min(1.0, centre + half)


class Score:
    """Counts of right, wrong and missed facts."""

    def __init__(self) -> None:
        self.right: Counter[str] = Counter()
        self.wrong: Counter[str] = Counter()
        self.missed: Counter[str] = Counter()

    def row(self, keys: list[str]) -> dict[str, Any]:
        right = sum(self.right[key] for key in keys)
        read = right + sum(self.wrong[key] for key in keys)
        stated = right + sum(self.missed[key] for key in keys)
        low, high = wilson(right, read)
        return {
            "stated": stated,
            "read": read,
            "precision": round(right / read, 4) if read else None,
            "interval": [round(low, 4), round(high, 4)],
            "recall": round(right / stated, 4) if stated else None,
        }


def score(listed: list[FactPaper], *, verbose: bool = False) -> dict[str, Any]:
    """Return the figures by fact, by tidiness and by language."""
    total = Score()
    tidy: defaultdict[str, Score] = defaultdict(Score)
    kinds_right, pages = 0, 0
    start = time.perf_counter()
    for paper in listed:
        read_pages = [PageText(n, text) for n, text in enumerate(paper.pages, start=1)]
        pages += len(read_pages)
        kinds_right += document_kind(read_pages).kind == paper.kind
        read = {
            name: {name_key(f.value) for f in facts if f.state is FactState.READ}
            for name, facts in read_facts(read_pages).items()
        }
        for name in {*read, *paper.truth}:
            stated = {name_key(value) for value in paper.truth.get(name, ())}
            got = read.get(name, set())
            for counts in (total, tidy["tidy" if paper.is_tidy else "ugly"],
                           tidy[paper.language]):  # fmt: skip
                counts.right[name] += len(got & stated)
                counts.wrong[name] += len(got - stated)
                counts.missed[name] += len(stated - got)
            if verbose and got != stated:
                print(f"{paper.kind}/{paper.language}/{paper.layout} {name}: "
                      f"wrong {got - stated} missed {stated - got}")  # fmt: skip
    seconds = time.perf_counter() - start
    names = sorted({*total.right, *total.wrong, *total.missed})
    return {
        "documents": len(listed),
        "kinds right": f"{kinds_right} of {len(listed)}",
        "documents per second": round(pages / seconds),
        "all": total.row(names),
        **{key: counts.row(names) for key, counts in sorted(tidy.items())},
        "by fact": {name: total.row([name]) for name in names},
    }


async def measure() -> dict[str, Any]:
    """Score the corpus that the seed gives, and the papers written by hand."""
    return {
        "generated": score(list(papers())),
        "by hand": score(list(samples())),
        **{name: score(list(unseen(name))) for name in SETS},
    }


if __name__ == "__main__":
    sets = [list(unseen(name)) for name in SETS]
    for listed in (list(papers()), list(samples()), *sets):
        figures = score(listed, verbose="-v" in sys.argv)
        facts = figures.pop("by fact")
        for key, value in (figures | facts).items():
            print(f"{key}: {value}")
