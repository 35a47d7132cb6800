"""Papers written by hand after the rules, to measure wording that no rule was made for.

`unseen_papers.txt` holds them: a line `########## kind language`, the text (`⇥` is the
tab between two cells), and after `---facts---` one line `name: value` for each fact.
The figure of the first run, before any rule was changed for them, stands in ADR 0032.
All names are invented.
"""

from collections.abc import Iterator
from pathlib import Path

from benchmarks.fact_papers import FactPaper, Truth

SETS = ("unseen_papers.txt", "unseen_papers_3.txt", "unseen_papers_4.txt")


def unseen(name: str = SETS[0]) -> Iterator[FactPaper]:
    """Yield the papers of a set."""
    text = Path(__file__).with_name(name).read_text(encoding="utf-8")
    for block in text.split("########## ")[1:]:
        head, _, rest = block.partition("\n")
        kind, language = head.split()
        body, _, facts = rest.partition("---facts---\n")
        truth: Truth = {}
        for line in facts.splitlines():
            name, _, value = line.partition(": ")
            truth.setdefault(name, set()).add(value)
        pages = (body.replace("⇥", "\t"),)
        yield FactPaper(kind, language, "unseen", pages, truth, is_tidy=False)
