"""Findings of a board: what is missing, unconfirmed, out of date, wrong or unsigned.

The messages are in `data/findings.json`.
"""

import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from functools import cache
from importlib import resources
from typing import Any, Final

from dossier.core.findings import Basis, Finding, Message, Place, Severity
from dossier.documents.facts.folding import name_key
from dossier.documents.facts.types import Fact, FactName, IdentityReason, StatedVerdict
from dossier.pif.constants import (
    DecisionKind,
    IdentityKey,
    ItemState,
    JudgementCode,
    Means,
)
from dossier.pif.rules.board import (
    SIGNED_REQUIREMENT,
    BoardItem,
    BoardRequirement,
    Evidence,
)
from dossier.pif.rules.evidence import Judgement, ReadDocument
from dossier.pif.rules.items import Item, rulebook
from dossier.pif.rules.matching import document_kinds

CREDENTIALS: Final = "tw-16.credentials"

SHOWN_REASONS: Final = 5
"""Documents that one message names; the others are counted."""

_RANK: Final = {Severity.BLOCKING: 0, Severity.WARNING: 1, Severity.INFO: 2}
_OTHERS: Final = {
    IdentityReason.CAS_CONFLICTS: "cas_conflicts",
    IdentityReason.SITE_CONFLICTS: "site_conflicts",
    IdentityReason.SIGNER_CONFLICTS: "signer_conflicts",
}
_GAPS: Final = {
    ItemState.UNCONFIRMED: "unconfirmed-requirement",
    ItemState.STALE: "stale-requirement",
}
_PERIOD: Final = re.compile(r"(?:19|20)\d\d|\d+\s*年")
"""A year, as a period of time has."""

_DATED_EVIDENCE: Final = frozenset(
    {"stability", "microbial", "challenge", "efficacy", "toxicology", "product_spec"}
)
"""Kinds that an assessment rests on; later certificates are no evidence of then."""


def board_findings(
    items: Sequence[BoardItem], evidence: Evidence, market: str = "tw"
) -> tuple[Finding, ...]:
    """Return the findings of a board and its formula, the gravest first."""
    severity = gap_severity(evidence)
    gaps = [
        *_missing(items, evidence, severity, market),
        *_unconfirmed_and_stale(items, market),
    ]
    unsigned = next((f for f in gaps if f.subject == SIGNED_REQUIREMENT), None)
    if unsigned:
        # Whose credentials are needed is known once 16(1) is signed.
        gaps = [
            replace(each, caused_by=unsigned.id)
            if each.subject == CREDENTIALS and each.code in _GAPS.values()
            else each
            for each in gaps
        ]
    found = [
        *evidence.formula_findings,
        *gaps,
        *_about_documents(items, market),
        *_unsigned_waivers(items, evidence, market, unsigned),
        *_signed_too_early(items, market),
        *_older_than_formula(items, evidence, market),
        *_incomplete_declarations(items, evidence, market),
        *_unknown_requirements(evidence, market),
        *_confirmations_without_effect(items, evidence, market),
    ]
    if evidence.phase_in_on is None:
        found.append(
            _finding(
                "file-not-required",
                market,
                severity=Severity.INFO,
                article=rulebook(market).exemption_article,
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
        rule = item.rule
        missing = [r.rule for r in item.requirements if r.state is ItemState.MISSING]
        if missing and len(missing) == len(item.requirements):
            means = frozenset().union(*(each.satisfied_by for each in missing))
            yield _finding(
                "missing-item",
                market,
                severity=severity,
                item=rule,
                words=_searched(means, document_count),
                closes_by=rule.closes_by,
                blocks_signing=True,
                subject=missing[0].code if len(missing) == 1 else None,
            )
            continue
        for requirement in missing:
            yield _finding(
                "missing-requirement",
                market,
                severity=severity,
                item=rule,
                article=requirement.article,
                words=_searched(requirement.satisfied_by, document_count)
                | _part(requirement.name),
                closes_by=requirement.closes_by,
                blocks_signing=True,
                subject=requirement.code,
            )


def _searched(means: Collection[Means], document_count: int) -> dict[str, str]:
    """Return where evidence was looked for, in both languages."""
    searched = [words for way, words in _sentences()["sought"].items() if way in means]
    zh, en = ([words[language] for words in searched] for language in ("zh", "en"))
    return {
        "sought_zh": "\uff0c".join(zh).format(documents=document_count),
        "sought_en": ", ".join(en).format(documents=document_count),
    }


def _part(name: Message) -> dict[str, str]:
    return {"part_zh": name.zh, "part_en": name.en}


def _unconfirmed_and_stale(
    items: Sequence[BoardItem], market: str
) -> Iterator[Finding]:
    """Yield a finding for each requirement whose documents do not count, with why."""
    for item in items:
        for requirement in item.requirements:
            code = _GAPS.get(requirement.state)
            if code is None:
                continue
            if any(row.documents or row.undated for row in requirement.coverage):
                yield _coverage(item.rule, requirement, market)
                continue
            decisive = [
                each
                for each in requirement.judgements
                if each.state is requirement.state
            ]
            yield _finding(
                code,
                market,
                severity=Severity.WARNING,
                item=item.rule,
                article=requirement.rule.article,
                words=_part(requirement.rule.name) | _reasons(decisive),
                blocks_signing=True,
                subject=requirement.rule.code,
                place=_place(decisive[0]) if len(decisive) == 1 else None,
            )


def _coverage(item: Item, requirement: BoardRequirement, market: str) -> Finding:
    """Return one finding for all materials or sites that no document covers."""
    rows = requirement.coverage
    gaps = [row for row in rows if not row.is_covered]
    late = requirement.state is ItemState.STALE
    names = [
        f"{row.name} ({', '.join(map(str, row.undated))})" if late else row.name
        for row in gaps
    ]
    return _finding(
        "gmp-not-valid-then" if late else "coverage-incomplete",
        market,
        severity=Severity.WARNING,
        item=item,
        article=requirement.rule.article,
        words=_part(requirement.rule.name)
        | {
            "covered": len(rows) - len(gaps),
            "total": len(rows),
            "gaps": ", ".join(names),
        },
        blocks_signing=True,
        subject=requirement.rule.code,
    )


def _reasons(judgements: Sequence[Judgement]) -> dict[str, str]:
    """Return why documents do not count, each with its name, in both languages.

    Where none is at fault, the formula that they should cover is not there.
    """
    shown = [(each, judgement_words(each)) for each in judgements[:SHOWN_REASONS]]
    zh = [f"{each.document.filename} {words.zh}" for each, words in shown]
    en = [f"{each.document.filename} {words.en}" for each, words in shown]
    if not judgements:
        words = _sentences()["reasons"]["no_formula"]
        zh, en = [words["zh"]], [words["en"]]
    rest = len(judgements) - len(shown)
    if rest:
        zh.append(f"另有 {rest} 份")
        en.append(f"{rest} more")
    return {"reasons_zh": "\uff1b".join(zh), "reasons_en": "; ".join(en)}


def judgement_words(judgement: Judgement) -> Message:
    """Return how a document counts, as the end of a sentence about it."""
    identity, fact = judgement.identity, judgement.fact
    code: str = judgement.code
    if judgement.code is JudgementCode.OTHER_PRODUCT and identity:
        code = _OTHERS.get(identity.reason, code)
    found = identity.raw if identity else ""
    kind = judgement.document.kind.kind if judgement.document.kind else None
    kinds = {each.kind: each for each in document_kinds()}
    names = _sentences()["facts"]
    confirmation = judgement.confirmation
    words = {
        "raw": fact.raw if fact else found,
        "value": fact.value if fact else "",
        "change": judgement.change,
        "found_zh": f"（載有「{found}」）" if found else "",
        "found_en": f" (it names “{found}”)" if found else "",
        "kind_zh": kinds[kind].zh if kind in kinds else "",
        "kind_en": kinds[kind].en if kind in kinds else "",
        "facts_zh": "、".join(names[name]["zh"] for name in judgement.lacking),
        "facts_en": ", ".join(names[name]["en"] for name in judgement.lacking),
        "actor": confirmation.actor_name if confirmation else "",
        "day": confirmation.at.date().isoformat() if confirmation else "",
    }
    texts = _sentences()["reasons"][code]
    return Message(zh=texts["zh"].format(**words), en=texts["en"].format(**words))


def _place(judgement: Judgement) -> Place:
    stated = judgement.fact or judgement.identity
    return _place_in(judgement.document, stated.page if stated else None)


def _place_in(document: ReadDocument, page: int | None) -> Place:
    return Place(
        filename=document.filename,
        sha256=document.sha256,
        document_id=str(document.document_id),
        page=page or None,
    )


def _about_documents(items: Sequence[BoardItem], market: str) -> Iterator[Finding]:
    """Yield documents of other products, and reports of this one that fail.

    A decision does not change what a report says.
    """
    for item in items:
        seen = set()
        for requirement in item.requirements:
            for judgement in requirement.judgements:
                document = judgement.document
                if document.document_id in seen:
                    continue
                if judgement.code is JudgementCode.OTHER_PRODUCT:
                    seen.add(document.document_id)
                    yield _finding(
                        "other-product",
                        market,
                        severity=Severity.WARNING,
                        item=item.rule,
                        words=_reasons([judgement]),
                        basis=Basis.PRACTICE,
                        subject=document.filename,
                        place=_place(judgement),
                    )
                elif failure := _failure(requirement, judgement):
                    seen.add(document.document_id)
                    yield _finding(
                        "report-fails",
                        market,
                        severity=Severity.BLOCKING,
                        item=item.rule,
                        article=requirement.rule.article,
                        words={"filename": document.filename, "raw": failure.raw},
                        blocks_signing=True,
                        subject=f"{requirement.rule.code} {document.filename}",
                        place=_place_in(document, failure.page),
                    )


def _failure(requirement: BoardRequirement, judgement: Judgement) -> Fact | None:
    """Return the verdict "fail" of a report of the present version."""
    document = judgement.document
    kinds = {need.kind for need in requirement.rule.documents}
    if judgement.state is ItemState.STALE or document.kind is None:
        return None
    if document.kind.kind not in kinds:
        return None
    verdicts = document.read(FactName.VERDICT)
    return next((f for f in verdicts if f.value == StatedVerdict.FAIL), None)


def _unsigned_waivers(
    items: Sequence[BoardItem],
    evidence: Evidence,
    market: str,
    unsigned: Finding | None,
) -> Iterator[Finding]:
    """Yield waivers without the signatory's reason for that item.

    The reason counts where it stands in a signed 16(1): read there for the kind of
    test, or confirmed by a person.
    """
    conclusions = [each.document for each in _signed(items, market)]
    signed = {(each.document_id, each.sha256) for each in conclusions}
    given = {f.value for d in conclusions for f in d.read(FactName.WAIVER_REASON)}
    for item in items:
        number = item.rule.number
        if item.state is not ItemState.WAIVED or any(
            each.item == number and (each.document_id, each.sha256) in signed
            for each in evidence.confirmations
        ):
            continue
        needs = [need for rule in item.rule.requirements for need in rule.documents]
        if any(need.kind in given for need in needs):
            continue
        yield _finding(
            "needs-signatory-reason",
            market,
            severity=Severity.WARNING,
            item=item.rule,
            article=rulebook(market).waiver_article,
            words={"item": number},
            blocks_signing=True,
            caused_by=unsigned and unsigned.id,
        )


def _signed(items: Sequence[BoardItem], market: str) -> Iterator[Judgement]:
    """Yield the documents that count as the signed 16(1)."""
    number = rulebook(market).item_of(SIGNED_REQUIREMENT).number
    for requirement in items[number - 1].requirements:
        if requirement.rule.code == SIGNED_REQUIREMENT:
            for judgement in requirement.judgements:
                if judgement.state is ItemState.PRESENT:
                    yield judgement


def _signed_too_early(items: Sequence[BoardItem], market: str) -> Iterator[Finding]:
    """Yield a finding where 16(1) was signed before reports that it rests on."""
    item = rulebook(market).item_of(SIGNED_REQUIREMENT)
    dated = {
        each.document.filename: date.fromisoformat(fact.value)
        for row in items
        for requirement in row.requirements
        for each in requirement.judgements
        if each.state is ItemState.PRESENT
        and each.document.kind
        and each.document.kind.kind in _DATED_EVIDENCE
        for fact in each.document.read(FactName.DOCUMENT_DATE)
    }
    for judgement in _signed(items, market):
        days = judgement.document.read(FactName.SIGNED_ON)
        if not days:
            continue
        signed = date.fromisoformat(days[0].value)
        later = sorted(name for name, day in dated.items() if day > signed)
        if later:
            yield _finding(
                "signed-too-early",
                market,
                severity=Severity.WARNING,
                item=item,
                words={"signed": signed.isoformat(), "documents": ", ".join(later)},
                basis=Basis.PRACTICE,
                blocks_signing=True,
                subject=SIGNED_REQUIREMENT,
                place=_place_in(judgement.document, days[0].page),
            )


def _older_than_formula(
    items: Sequence[BoardItem], evidence: Evidence, market: str
) -> Iterator[Finding]:
    """Yield documents with a date before that of the formula: no proof of a change."""
    dates = [
        date.fromisoformat(fact.value)
        for document in evidence.documents
        if document.document_id == evidence.formula_document_id
        for fact in document.read(FactName.DOCUMENT_DATE)
    ]
    for item in items if dates else ():
        older = {
            each.document.filename: fact.value
            for requirement in item.requirements
            if requirement.rule.stale_after
            for each in requirement.judgements
            if each.state is ItemState.PRESENT
            for fact in each.document.read(FactName.DOCUMENT_DATE)
            if date.fromisoformat(fact.value) < max(dates)
        }
        if older:
            yield _finding(
                "older-than-formula",
                market,
                severity=Severity.INFO,
                item=item.rule,
                words={
                    "formula": max(dates).isoformat(),
                    "documents": ", ".join(f"{n} ({d})" for n, d in older.items()),
                },
                basis=Basis.PRACTICE,
                subject="dates",
            )


def _incomplete_declarations(
    items: Sequence[BoardItem], evidence: Evidence, market: str
) -> Iterator[Finding]:
    """Yield declarations that do not say who declares what, for where, and when.

    A decision has its person and day, and its holder is the product's.
    """
    for item in items:
        if item.state is not ItemState.DECLARED:
            continue
        needs = [need for rule in item.rule.requirements for need in rule.documents]
        is_of_site = any(need.identity is IdentityKey.SITE for need in needs)
        names = (FactName.COMPANY, FactName.DOCUMENT_DATE, FactName.SIGNER_NAME)
        for document in {
            each.document.document_id: each.document
            for requirement in item.requirements
            for each in requirement.judgements
            if each.state is ItemState.DECLARED
        }.values():
            lacking: list[str] = [name for name in names if not document.read(name)]
            if is_of_site and not document.read(FactName.SITE):
                lacking.append(FactName.SITE)
            yield from _lacking_declaration(item, lacking, market, document)
        if item.decision is not None:
            reason = name_key(item.decision.reason)
            sites = [name_key(site.name) for site in evidence.identity.sites]
            if is_of_site and not any(site in reason for site in sites if site):
                yield from _lacking_declaration(item, [FactName.SITE], market)
            elif not is_of_site and not _PERIOD.search(item.decision.reason):
                yield from _lacking_declaration(item, ["period"], market)


def _lacking_declaration(
    item: BoardItem,
    lacking: Sequence[str],
    market: str,
    document: ReadDocument | None = None,
) -> Iterator[Finding]:
    if not lacking:
        return
    names = _sentences()["facts"]
    yield _finding(
        "declaration-incomplete",
        market,
        severity=Severity.WARNING,
        item=item.rule,
        words={
            "lacking_zh": "、".join(names[name]["zh"] for name in lacking),
            "lacking_en": ", ".join(names[name]["en"] for name in lacking),
        },
        basis=Basis.PRACTICE,
        subject=document.filename if document else "decision",
        place=_place_in(document, None) if document else None,
    )


def _confirmations_without_effect(
    items: Sequence[BoardItem], evidence: Evidence, market: str
) -> Iterator[Finding]:
    """Yield confirmations of changed files, of what is not linked or does not count."""
    names = {each.document_id: each for each in evidence.documents}
    counting = [
        each.confirmation
        for item in items
        for requirement in item.requirements
        for each in requirement.judgements
    ]
    signed = {each.document.document_id for each in _signed(items, market)}
    for confirmation in evidence.confirmations:
        document = names[confirmation.document_id]
        item = items[confirmation.item - 1]
        gives_reason = (
            item.rule.allows is DecisionKind.WAIVER and document.document_id in signed
        )
        is_same_file = confirmation.sha256 == document.sha256
        if confirmation in counting or (gives_reason and is_same_file):
            continue
        reason = "confirmed_not" if is_same_file else "file_changed"
        texts = _sentences()["reasons"][reason]
        yield _finding(
            "confirmation-without-effect",
            market,
            severity=Severity.WARNING,
            item=item.rule,
            words={
                "filename": document.filename,
                "reason_zh": texts["zh"],
                "reason_en": texts["en"],
            },
            basis=Basis.PRACTICE,
            subject=f"{confirmation.requirement or ''} {document.filename}",
            place=_place_in(document, None),
        )


def _unknown_requirements(evidence: Evidence, market: str) -> Iterator[Finding]:
    book = rulebook(market)
    codes = {each.code for item in book.items for each in item.requirements}
    for link in evidence.links:
        if link.requirement is not None and link.requirement not in codes:
            yield _finding(
                "unknown-requirement",
                market,
                severity=Severity.WARNING,
                item=book.item(link.item),
                article="",
                words={"code": link.requirement},
                subject=link.requirement,
            )


def _finding(
    code: str,
    market: str,
    *,
    severity: Severity,
    item: Item | None = None,
    article: str | None = None,
    words: Mapping[str, Any] | None = None,
    closes_by: Message | None = None,
    **members: Any,
) -> Finding:
    """Return a finding with the sentences of its code, filled with the words.

    Without an article, a finding about an item has the item's; "" stands for none.
    """
    title = {"title_zh": item.title.zh, "title_en": item.title.en} if item else {}
    filled = title | dict(words or {})
    sentences = _sentences()[code]
    message = {
        language: text.format_map(filled)
        for language, text in sentences["message"].items()
    }
    if article is None and item is not None:
        article = item.article
    return Finding(
        code=code,
        severity=severity,
        market=market,
        item=item.number if item else None,
        article=article or None,
        message=Message(**message),
        closes_by=closes_by or Message(**sentences["closes_by"]),
        **members,
    )


@cache
def _sentences() -> Mapping[str, Any]:
    text = resources.files("dossier.pif").joinpath("data/findings.json")
    sentences: Mapping[str, Any] = json.loads(text.read_text(encoding="utf-8"))
    return sentences
