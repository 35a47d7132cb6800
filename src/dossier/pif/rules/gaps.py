"""What a board lacks, as findings: each with its article and how to close it."""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cache
from importlib import resources
from typing import Any

from dossier.core.findings import Finding, Message, Severity
from dossier.pif.constants import ItemState, Means
from dossier.pif.rules.board import BoardItem, Evidence, unknown_requirement_links
from dossier.pif.rules.items import rulebook

SIGNED_ITEM = 16
"""The item in which the signatory gives the reasons for waivers."""

_RANK = {Severity.BLOCKING: 0, Severity.WARNING: 1, Severity.INFO: 2}


def board_findings(
    items: Sequence[BoardItem], evidence: Evidence, market: str = "tw"
) -> tuple[Finding, ...]:
    """Return the findings of a board and its formula, the gravest first."""
    severity = gap_severity(evidence)
    found = [
        *evidence.formula_findings,
        *_missing(items, evidence, severity, market),
        *_unsigned_waivers(items, severity, market),
    ]
    found += [
        _finding(
            "unknown-requirement",
            market,
            severity=Severity.WARNING,
            item=link.item,
            article=None,
            words={"code": link.requirement},
        )
        for link in unknown_requirement_links(evidence, market)
    ]
    if evidence.phase_in_on is None:
        found.append(
            _finding(
                "file-not-required",
                market,
                severity=Severity.INFO,
                item=None,
                article=rulebook(market).exemption_article,
                words={},
            )
        )
    return tuple(sorted(found, key=lambda each: (_RANK[each.severity], each.item or 0)))


def gap_severity(evidence: Evidence) -> Severity:
    """Weigh a gap: it blocks from the day on which the file is asked for."""
    if evidence.phase_in_on is None:
        return Severity.INFO
    is_due = evidence.phase_in_on <= evidence.as_of
    return Severity.BLOCKING if is_due else Severity.WARNING


def _missing(
    items: Sequence[BoardItem], evidence: Evidence, severity: Severity, market: str
) -> Iterator[Finding]:
    """Yield one finding for an item that lacks all, else one per requirement."""
    document_count = len({link.document_id for link in evidence.links})
    for item in items:
        if item.state is not ItemState.MISSING:
            continue
        rule = item.rule
        title = {"title_zh": rule.title.zh, "title_en": rule.title.en}
        missing = [p.rule for p in item.requirements if p.state is ItemState.MISSING]
        if len(missing) == len(item.requirements):
            means = frozenset().union(*(part.satisfied_by for part in missing))
            yield _finding(
                "missing-item",
                market,
                severity=severity,
                item=rule.number,
                article=rule.article,
                words=title | _searched(means, document_count),
                closes_by=rule.closes_by,
            )
            continue
        for part in missing:
            name = {"part_zh": part.name.zh, "part_en": part.name.en}
            yield _finding(
                "missing-requirement",
                market,
                severity=severity,
                item=rule.number,
                article=part.article,
                words=title | name | _searched(part.satisfied_by, document_count),
                closes_by=part.closes_by,
            )


def _searched(means: Collection[Means], document_count: int) -> dict[str, str]:
    """Return where evidence was looked for, in both languages."""
    searched = [words for way, words in _sentences()["sought"].items() if way in means]
    zh, en = ([words[language] for words in searched] for language in ("zh", "en"))
    return {
        "sought_zh": "\uff0c".join(zh).format(documents=document_count),
        "sought_en": ", ".join(en).format(documents=document_count),
    }


def _unsigned_waivers(
    items: Sequence[BoardItem], severity: Severity, market: str
) -> Iterator[Finding]:
    if items[SIGNED_ITEM - 1].state is ItemState.PRESENT:
        return
    for item in items:
        if item.state is ItemState.WAIVED:
            yield _finding(
                "needs-signatory-reason",
                market,
                severity=severity,
                item=item.rule.number,
                article=rulebook(market).waiver_article,
                words={"item": item.rule.number},
            )


def _finding(
    code: str,
    market: str,
    *,
    severity: Severity,
    item: int | None,
    article: str | None,
    words: Mapping[str, Any],
    closes_by: Message | None = None,
) -> Finding:
    """Return a finding with the sentences of its code, filled with the words."""
    sentences = _sentences()[code]
    message = {
        language: text.format_map(words)
        for language, text in sentences["message"].items()
    }
    return Finding(
        code=code,
        severity=severity,
        market=market,
        item=item,
        article=article,
        message=Message(**message),
        closes_by=closes_by or Message(**sentences["closes_by"]),
    )


@cache
def _sentences() -> Mapping[str, Any]:
    text = resources.files("dossier.pif").joinpath("data/findings.json")
    sentences: Mapping[str, Any] = json.loads(text.read_text(encoding="utf-8"))
    return sentences
