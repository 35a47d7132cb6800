"""Findings of what is open: missing, unconfirmed, out of date or not covered."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Final

from dossier.core.findings import Basis, Finding, Message, Severity
from dossier.pif.constants import Coverage, ItemState, JudgementCode, Means
from dossier.pif.rules.board import (
    SIGNED_REQUIREMENT,
    BoardItem,
    BoardRequirement,
    Evidence,
)
from dossier.pif.rules.items import Item, Requirement, rulebook
from dossier.pif.rules.messages import make_finding, place_of, reasons_of, sentences

FORMULA_REQUIREMENT: Final = "tw-3.formula"
CREDENTIALS: Final = "tw-16.credentials"

_GAPS: Final = {
    ItemState.UNCONFIRMED: "unconfirmed-requirement",
    ItemState.STALE: "stale-requirement",
}


def gap_findings(
    items: Sequence[BoardItem],
    evidence: Evidence,
    others: Mapping[str, str],
    market: str,
) -> list[Finding]:
    """Return the findings of open requirements, linked to what they follow from.

    `others` are findings of documents of other products, by the requirement.
    """
    found = list(_missing(items, evidence, others, market))
    causes = {each.subject: each.id for each in found}
    for item in items:
        for requirement in item.requirements:
            if requirement.state not in _GAPS or _is_incomplete(item, requirement):
                continue
            cause = _cause(requirement, evidence, causes, others)
            gap = _gap(item.rule, requirement, evidence, cause, market)
            causes[requirement.rule.code] = gap.id
            found.append(gap)
    return found


def _cause(
    requirement: BoardRequirement,
    evidence: Evidence,
    causes: Mapping[str | None, str],
    others: Mapping[str, str],
) -> str | None:
    """Return the finding that an open requirement follows from, if there is one.

    `causes` are the findings so far, by the requirement.
    """
    code, coverage = requirement.rule.code, requirement.rule.coverage
    gaps = [row for row in requirement.coverage if not row.is_covered]
    if code == CREDENTIALS:
        # Whose credentials are needed is known once 16(1) is signed.
        return causes.get(SIGNED_REQUIREMENT)
    if coverage is Coverage.SITES:
        # The certificate that does not count is why a site has none.
        return others.get(code)
    if coverage is Coverage.MATERIALS and not requirement.coverage:
        return causes.get(FORMULA_REQUIREMENT)
    of_formula: Iterator[str] = iter(())
    if code == FORMULA_REQUIREMENT:
        of_formula = (
            each.id
            for each in evidence.formula_findings
            if each.severity is Severity.BLOCKING
        )
    elif gaps and not any(row.is_identified for row in gaps):
        of_formula = (
            each.id for each in evidence.formula_findings if each.code == "missing-inci"
        )
    return next(of_formula, None)


def unsigned_finding(found: Sequence[Finding], market: str) -> Finding | None:
    """Return the finding that there is no signed 16(1), if there is one."""
    number = rulebook(market).item_of(SIGNED_REQUIREMENT).number
    return next(
        (
            each
            for each in found
            if each.subject == SIGNED_REQUIREMENT
            or (each.code == "missing-item" and each.item == number)
        ),
        None,
    )


def gap_severity(evidence: Evidence) -> Severity:
    """Weigh a gap: it blocks from the day on which the file is asked for."""
    if evidence.phase_in_on is None:
        return Severity.INFO
    is_due = evidence.phase_in_on <= evidence.as_of
    return Severity.BLOCKING if is_due else Severity.WARNING


def _missing(
    items: Sequence[BoardItem],
    evidence: Evidence,
    others: Mapping[str, str],
    market: str,
) -> Iterator[Finding]:
    """Yield one finding for an item that lacks all, else one per requirement.

    One finding names all that is missing of an item that is partly met, where the item
    has a finding for that.
    """
    severity = gap_severity(evidence)
    count = _document_count(evidence, market)
    for item in items:
        rule = item.rule
        missing = [r.rule for r in item.requirements if r.state is ItemState.MISSING]
        unread = [r.rule for r in item.requirements if _is_incomplete(item, r)]
        if not missing and not unread:
            continue
        if len(missing) == len(item.requirements):
            means = frozenset().union(*(each.satisfied_by for each in missing))
            causes = [others.get(each.code) for each in missing]
            yield make_finding(
                "missing-item",
                market,
                severity=severity,
                item=rule,
                words=_searched(means, count),
                closes_by=rule.closes_by,
                blocks_signing=True,
                subject=missing[0].code if len(missing) == 1 else None,
                caused_by=causes[0] if all(causes) else None,
            )
        elif rule.partly:
            parts = [r for r in rule.requirements if r in missing or r in unread]
            yield make_finding(
                rule.partly.code,
                market,
                severity=_lighter(severity, rule.partly.severity),
                item=rule,
                article=rule.partly.article,
                words=_parts(parts),
                basis=rule.partly.basis,
                blocks_signing=True,
            )
        else:
            for each in missing:
                yield make_finding(
                    "missing-requirement",
                    market,
                    severity=severity,
                    item=rule,
                    article=each.article,
                    words=_searched(each.satisfied_by, count) | _parts([each]),
                    closes_by=each.closes_by,
                    blocks_signing=True,
                    subject=each.code,
                    caused_by=others.get(each.code),
                )


def _lighter(one: Severity, other: Severity | None) -> Severity:
    return max(one, other or one, key=list(Severity).index)


def _document_count(evidence: Evidence, market: str) -> int:
    """Return how many documents are linked, without the formula's."""
    items = [
        each
        for each in rulebook(market).items
        if any(rule.documents for rule in each.requirements)
    ]
    numbers = {each.number for each in items}
    linked = {each.document_id for each in evidence.links if each.item in numbers}
    return len(linked - {evidence.formula_document_id})


def _is_incomplete(item: BoardItem, requirement: BoardRequirement) -> bool:
    """Return whether documents were read, but do not state what is asked for.

    One finding names all that such an item does not state.
    """
    return (
        item.rule.partly is not None
        and requirement.state is ItemState.UNCONFIRMED
        and all(
            each.code is JudgementCode.FACTS_NOT_READ
            for each in requirement.judgements
            if each.state is ItemState.UNCONFIRMED
        )
    )


def _searched(means: Collection[Means], document_count: int) -> dict[str, str]:
    """Return where evidence was looked for, in both languages."""
    searched = [words for way, words in sentences()["sought"].items() if way in means]
    zh, en = ([words[language] for words in searched] for language in ("zh", "en"))
    return {
        "sought_zh": "\uff0c".join(zh).format(documents=document_count),
        "sought_en": ", ".join(en).format(documents=document_count),
    }


def _parts(requirements: Sequence[Requirement]) -> dict[str, str]:
    return {
        "part_zh": "、".join(each.name.zh for each in requirements),
        "part_en": ", ".join(each.name.en for each in requirements),
    }


def _gap(
    item: Item,
    requirement: BoardRequirement,
    evidence: Evidence,
    cause: str | None,
    market: str,
) -> Finding:
    """Return the finding of a requirement whose documents do not count, with why."""
    rule = requirement.rule
    decisive = [e for e in requirement.judgements if e.state is requirement.state]
    if rule.coverage is Coverage.MATERIALS and not requirement.coverage:
        # No document can name the materials of a formula that is not known.
        decisive = []
    is_partial = any(row.documents or row.undated for row in requirement.coverage)
    if is_partial or (requirement.coverage and not decisive):
        return _coverage(item, requirement, cause, market)
    # A finding of its own only where every document has that defect: one that was not
    # read may be the valid one.
    own = [
        rule.findings.get(each.code)
        for each in requirement.judgements
        if each.state is not None
    ]
    special = own[0] if own and all(own) else None
    is_changed = {e.code is JudgementCode.FORMULA_CHANGED for e in decisive} == {True}
    otherwise = "formula_undecided" if evidence.has_formula else "no_formula"
    return make_finding(
        special.code if special else _GAPS[requirement.state],
        market,
        severity=(special.severity or gap_severity(evidence))
        if special
        else Severity.WARNING,
        item=item,
        article=special.article if special else rule.article,
        words=_parts([rule]) | reasons_of(decisive, otherwise),
        closes_by=Message(**sentences()["formula_changed"]) if is_changed else None,
        blocks_signing=True,
        subject=rule.code,
        place=place_of(decisive[0]) if len(decisive) == 1 else None,
        caused_by=cause,
    )


def _coverage(
    item: Item, requirement: BoardRequirement, cause: str | None, market: str
) -> Finding:
    """Return one finding for all materials or sites that no document covers."""
    is_late = requirement.state is ItemState.STALE
    return make_finding(
        "gmp-not-valid-then" if is_late else "coverage-incomplete",
        market,
        severity=Severity.WARNING,
        item=item,
        article="Act Art. 8(2)" if is_late else requirement.rule.article,
        words=_coverage_words(requirement, is_late=is_late),
        blocks_signing=True,
        subject=requirement.rule.code,
        caused_by=cause,
    )


def _coverage_words(
    requirement: BoardRequirement, *, is_late: bool = False
) -> dict[str, str]:
    rows = requirement.coverage
    gaps = [row for row in rows if not row.is_covered]
    names = [
        f"{row.name} ({', '.join(map(str, row.undated))})" if is_late else row.name
        for row in gaps
    ]
    return _parts([requirement.rule]) | {
        "covered": str(len(rows) - len(gaps)),
        "total": str(len(rows)),
        "gaps": ", ".join(names),
    }


def coverage_by_confirmation(
    items: Sequence[BoardItem], market: str
) -> Iterator[Finding]:
    """Yield requirements of which a person's confirmation covers what nothing names."""
    for item in items:
        for requirement in item.requirements:
            if (
                requirement.state is ItemState.PRESENT
                and requirement.rule.coverage is Coverage.MATERIALS
                and not all(row.is_covered for row in requirement.coverage)
                and any(
                    each.code is JudgementCode.CONFIRMED
                    for each in requirement.judgements
                )
            ):
                yield make_finding(
                    "coverage-by-confirmation",
                    market,
                    severity=Severity.INFO,
                    item=item.rule,
                    article="",
                    words=_coverage_words(requirement),
                    basis=Basis.PRACTICE,
                    subject=requirement.rule.code,
                )
