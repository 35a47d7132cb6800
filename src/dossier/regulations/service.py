"""Use cases of regulations: a formula is checked; data sets are named."""

import asyncio
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from dossier.regulations.rules.answers import answer
from dossier.regulations.rules.check import CheckedLine, CheckQuestion, check_formula
from dossier.regulations.rules.data_sets import DataSet, shipped
from dossier.regulations.rules.findings import SourceFile, findings_of


def answer_check(
    lines: Iterable[CheckedLine],
    question: CheckQuestion,
    data_set: DataSet | None = None,
    source: SourceFile | None = None,
) -> dict[str, Any]:
    """Return what the lists say of a formula, as clients see it."""
    rules = data_set or shipped()
    results = check_formula(lines, question, rules)
    return answer(
        results, findings_of(results, question, rules, source), question, rules
    )


async def answer_check_aside(
    lines: Iterable[CheckedLine], question: CheckQuestion
) -> dict[str, Any]:
    """Check in a thread: a long formula takes a tenth of a second of a processor."""
    return await asyncio.to_thread(answer_check, lines, question)


def describe_sets() -> list[dict[str, Any]]:
    """Return the sets that can be asked, with their sources and known gaps."""
    data_set = shipped()
    return [
        {
            "id": data_set.id,
            "name": data_set.name,
            "sources": [asdict(each) for each in data_set.sources],
            "rules": sum(len(each) for each in data_set.rules.values()),
        }
    ]
