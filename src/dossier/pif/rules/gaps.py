"""What is amiss on a board, as findings: each with its article and its remedy."""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from dossier.core.findings import Finding, Message, Severity
from dossier.pif.constants import ItemState, Means
from dossier.pif.rules.board import BoardItem, Evidence, strange_links
from dossier.pif.rules.items import Item, Requirement, rulebook

SIGNED_ITEM = 16
"""The item in which the signatory gives the reasons for waivers."""

_RANK = {Severity.BLOCKING: 0, Severity.WARNING: 1, Severity.INFO: 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Gap:
    """A finding before it has its sentences."""

    code: str
    severity: Severity
    item: int | None
    article: str | None
    words: Mapping[str, Any]
    closes_by: Message | None = None


def board_findings(
    items: Sequence[BoardItem], evidence: Evidence, market: str = "tw"
) -> tuple[Finding, ...]:
    """Return the findings of a board and its formula, the gravest first."""
    severity = gap_severity(evidence)
    gaps = [
        *_missing(items, severity, _paper_count(evidence)),
        *_unsigned_waivers(items, severity, market),
        *_strange(evidence, market),
        *_exemption(evidence, market),
    ]
    found = [*evidence.formula_findings, *(_finding(gap, market) for gap in gaps)]
    return tuple(sorted(found, key=_rank))


def gap_severity(evidence: Evidence) -> Severity:
    """Weigh a gap: it blocks from the day on which the file is asked for."""
    if evidence.phase_in_on is None:
        return Severity.INFO
    is_due = evidence.phase_in_on <= evidence.as_of
    return Severity.BLOCKING if is_due else Severity.WARNING


def _rank(finding: Finding) -> tuple[int, int]:
    return (_RANK[finding.severity], finding.item or 0)


def _paper_count(evidence: Evidence) -> int:
    return len({link.document_id for link in evidence.links})


def _missing(
    items: Iterable[BoardItem], severity: Severity, papers: int
) -> Iterable[_Gap]:
    for item in items:
        if item.state is not ItemState.MISSING:
            continue
        gaps = [p.rule for p in item.requirements if p.state is ItemState.MISSING]
        if len(gaps) == len(item.requirements):
            yield _missing_item(item.rule, severity, papers)
        else:
            yield from (_missing_part(item.rule, p, severity, papers) for p in gaps)


def _missing_item(item: Item, severity: Severity, papers: int) -> _Gap:
    means = frozenset().union(*(part.satisfied_by for part in item.requirements))
    return _Gap(
        code="missing-item",
        severity=severity,
        item=item.number,
        article=item.article,
        words=_title(item) | _sought(means, papers),
        closes_by=item.closes_by,
    )


def _missing_part(
    item: Item, part: Requirement, severity: Severity, papers: int
) -> _Gap:
    named = {"part_zh": part.name.zh, "part_en": part.name.en}
    return _Gap(
        code="missing-requirement",
        severity=severity,
        item=item.number,
        article=part.article,
        words=_title(item) | named | _sought(part.satisfied_by, papers),
        closes_by=part.closes_by,
    )


def _title(item: Item) -> dict[str, Any]:
    return {"title_zh": item.title.zh, "title_en": item.title.en}


def _sought(means: Collection[Means], papers: int) -> dict[str, str]:
    """Say where it was looked for: a gap never stands alone."""
    told = [words for way, words in _sentences()["sought"].items() if way in means]
    zh, en = ([words[language] for words in told] for language in ("zh", "en"))
    return {
        "sought_zh": "\uff0c".join(zh).format(papers=papers),
        "sought_en": ", ".join(en).format(papers=papers),
    }


def _unsigned_waivers(
    items: Sequence[BoardItem], severity: Severity, market: str
) -> Iterable[_Gap]:
    if items[SIGNED_ITEM - 1].state is ItemState.PRESENT:
        return
    for item in items:
        if item.state is ItemState.WAIVED:
            yield _Gap(
                code="needs-signatory-reason",
                severity=severity,
                item=item.rule.number,
                article=rulebook(market).waiver_article,
                words={"item": item.rule.number},
            )


def _strange(evidence: Evidence, market: str) -> Iterable[_Gap]:
    for link in strange_links(evidence, market):
        yield _Gap(
            code="unknown-requirement",
            severity=Severity.WARNING,
            item=link.item,
            article=None,
            words={"code": link.requirement},
        )


def _exemption(evidence: Evidence, market: str) -> Iterable[_Gap]:
    if evidence.phase_in_on is None:
        yield _Gap(
            code="file-not-required",
            severity=Severity.INFO,
            item=None,
            article=rulebook(market).exemption_article,
            words={},
        )


def _finding(gap: _Gap, market: str) -> Finding:
    sentences = _sentences()[gap.code]
    message = {
        language: text.format_map(gap.words)
        for language, text in sentences["message"].items()
    }
    return Finding(
        code=gap.code,
        severity=gap.severity,
        market=market,
        item=gap.item,
        article=gap.article,
        message=Message(**message),
        closes_by=gap.closes_by or Message(**sentences["closes_by"]),
    )


@cache
def _sentences() -> Mapping[str, Any]:
    text = resources.files("dossier.pif").joinpath("data/findings.json")
    sentences: Mapping[str, Any] = json.loads(text.read_text(encoding="utf-8"))
    return sentences
