"""Findings of a board: what is open, and what is wrong with what is there."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Final
from uuid import UUID

from dossier.core.findings import Basis, Finding, Severity
from dossier.documents.facts.folding import name_key
from dossier.documents.facts.identity import judge_identity
from dossier.documents.facts.types import Fact, FactName, IdentityState, StatedVerdict
from dossier.pif.constants import (
    DecisionKind,
    IdentityKey,
    ItemState,
    JudgementCode,
)
from dossier.pif.rules.board import (
    SIGNED_REQUIREMENT,
    BoardItem,
    BoardRequirement,
    Evidence,
    of_other_formula,
    signed_conclusions,
)
from dossier.pif.rules.coverage import is_making
from dossier.pif.rules.evidence import Judgement, ReadDocument
from dossier.pif.rules.gaps import (
    coverage_by_confirmation,
    gap_findings,
    unsigned_finding,
)
from dossier.pif.rules.items import rulebook
from dossier.pif.rules.messages import (
    make_finding,
    place_in,
    place_of,
    reasons_of,
    sentences,
)

_RANK: Final = {Severity.BLOCKING: 0, Severity.WARNING: 1, Severity.INFO: 2}
_PERIOD: Final = re.compile(r"(?:19|20)\d\d|\d+\s*年")
"""A year, as a period of time has."""

_DECLARED: Final = (
    (FactName.COMPANY,),
    (FactName.SIGNED_ON, FactName.DOCUMENT_DATE),
    (FactName.SIGNER_NAME,),
)
_OF_SITES: Final = (*_DECLARED, (FactName.SITE,))
_OF_PERIODS: Final = (*_DECLARED, (FactName.PERIOD_UNTIL, FactName.PERIOD_FROM))
"""What a declaration states; of several facts one is enough."""

NOTIFICATION: Final = "tw-2.notification"
_RENEWAL: Final = timedelta(days=92)
"""The longest three months."""

_DATED_EVIDENCE: Final = frozenset(
    {"stability", "microbial", "challenge", "efficacy", "toxicology", "product_spec"}
)
"""Kinds that an assessment rests on; later certificates are no evidence of then."""


def board_findings(
    items: Sequence[BoardItem], evidence: Evidence, market: str = "tw"
) -> tuple[Finding, ...]:
    """Return the findings of a board and its formula, the gravest first."""
    others = list(_of_other_products(items, market))
    causes = {code: finding.id for code, finding in others}
    gaps = gap_findings(items, evidence, causes, market)
    found = [
        *evidence.formula_findings,
        *gaps,
        *{finding.id: finding for _, finding in others}.values(),
        *_failing_reports(items, market),
        *coverage_by_confirmation(items, market),
        *_renewal_due(items, evidence, market),
        *_unsigned_waivers(items, evidence, market, unsigned_finding(gaps, market)),
        *_signed_too_early(items, market),
        *_older_than_formula(items, evidence, market),
        *_untranslated(items, market),
        *_incomplete_declarations(items, evidence, market),
        *_unknown_requirements(evidence, market),
        *_confirmations_without_effect(items, evidence, market),
    ]
    if evidence.phase_in_on is None:
        found.append(
            make_finding(
                "file-not-required",
                market,
                severity=Severity.INFO,
                article=rulebook(market).exemption_article,
            )
        )
    return tuple(sorted(found, key=lambda each: (_RANK[each.severity], each.item or 0)))


def _of_other_products(
    items: Sequence[BoardItem], market: str
) -> Iterator[tuple[str, Finding]]:
    """Yield requirements with the findings of their documents of other products.

    A document that is linked to a whole item has one finding.
    """
    for item in items:
        seen: dict[UUID, Finding] = {}
        for requirement in item.requirements:
            special = requirement.rule.findings.get(JudgementCode.OTHER_PRODUCT)
            for judgement in requirement.judgements:
                document = judgement.document
                if judgement.code is not JudgementCode.OTHER_PRODUCT:
                    continue
                finding = seen.get(document.document_id) or make_finding(
                    special.code if special else "identity-drift",
                    market,
                    severity=Severity.WARNING,
                    item=item.rule,
                    article=special.article if special else None,
                    words=reasons_of([judgement]),
                    basis=special.basis if special else Basis.PRACTICE,
                    subject=document.filename,
                    place=place_of(judgement),
                )
                seen[document.document_id] = finding
                yield requirement.rule.code, finding


def _renewal_due(
    items: Sequence[BoardItem], evidence: Evidence, market: str
) -> Iterator[Finding]:
    """Yield that a notification ends within three months (Notif. Reg. Art. 8)."""
    item = rulebook(market).item_of(NOTIFICATION)
    ends = {
        date.fromisoformat(fact.value): (judgement.document, fact)
        for requirement in items[item.number - 1].requirements
        for judgement in requirement.judgements
        if judgement.code is JudgementCode.READ
        for fact in judgement.document.read(FactName.VALID_UNTIL)
    }
    if ends and max(ends) - evidence.as_of <= _RENEWAL:
        document, fact = ends[max(ends)]
        yield make_finding(
            "notification-renewal-due",
            market,
            severity=Severity.INFO,
            item=item,
            article="Notif. Reg. Art. 8",
            words={"until": fact.value},
            subject=NOTIFICATION,
            place=place_in(document, fact.page),
        )


def _failing_reports(items: Sequence[BoardItem], market: str) -> Iterator[Finding]:
    """Yield reports that state a failure; a decision does not change what they say."""
    for item in items:
        seen = set()
        for requirement in item.requirements:
            for judgement in requirement.judgements:
                document = judgement.document
                failure = _failure(requirement, judgement)
                if failure is None or document.document_id in seen:
                    continue
                seen.add(document.document_id)
                yield make_finding(
                    "report-fails",
                    market,
                    # A report that names nothing, or something else, may be of
                    # another product.
                    severity=Severity.WARNING
                    if judgement.code is JudgementCode.IDENTITY_UNKNOWN
                    else Severity.BLOCKING,
                    item=item.rule,
                    article=requirement.rule.article,
                    words={"filename": document.filename, "raw": failure.raw},
                    blocks_signing=True,
                    subject=f"{requirement.rule.code} {document.filename}",
                    place=place_in(document, failure.page),
                )


def _failure(requirement: BoardRequirement, judgement: Judgement) -> Fact | None:
    """Return the verdict "fail" of a report of the present version of this product."""
    document = judgement.document
    kinds = {need.kind for need in requirement.rule.documents}
    if judgement.state in {None, ItemState.STALE} or document.kind is None:
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
    conclusions = [each.document for each in signed_conclusions(items)]
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
        yield make_finding(
            "needs-signatory-reason",
            market,
            severity=Severity.WARNING,
            item=item.rule,
            article=rulebook(market).waiver_article,
            words={"item": number},
            blocks_signing=True,
            caused_by=unsigned and unsigned.id,
        )


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
    for judgement in signed_conclusions(items):
        days = judgement.document.read(FactName.SIGNED_ON)
        if not days:
            continue
        signed = date.fromisoformat(days[0].value)
        later = sorted(name for name, day in dated.items() if day > signed)
        if later:
            yield make_finding(
                "signed-too-early",
                market,
                severity=Severity.WARNING,
                item=item,
                words={"signed": signed.isoformat(), "documents": ", ".join(later)},
                basis=Basis.PRACTICE,
                blocks_signing=True,
                subject=SIGNED_REQUIREMENT,
                place=place_in(judgement.document, days[0].page),
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
            yield make_finding(
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


def _untranslated(items: Sequence[BoardItem], market: str) -> Iterator[Finding]:
    """Yield documents whose prose is neither Chinese nor English.

    A document of the same kind beside it that is in one of them may be its translation.
    """
    for item in items:
        linked = {
            each.document.document_id: each.document
            for requirement in item.requirements
            for each in requirement.judgements
            if each.code is not JudgementCode.OTHER_PRODUCT
        }.values()
        for document in linked:
            languages = document.read(FactName.LANGUAGE)
            kind = document.kind.kind if document.kind else None
            is_translated = kind is not None and any(
                other.kind and other.kind.kind == kind
                for other in linked
                if not other.read(FactName.LANGUAGE)
            )
            if languages and not is_translated:
                yield make_finding(
                    "untranslated",
                    market,
                    severity=Severity.WARNING,
                    item=item.rule,
                    article=rulebook(market).language_article,
                    words={
                        "filename": document.filename,
                        "language": languages[0].value,
                    },
                    basis=Basis.LAW,
                    subject=document.filename,
                    place=place_in(document, languages[0].page),
                )


def _incomplete_declarations(
    items: Sequence[BoardItem], evidence: Evidence, market: str
) -> Iterator[Finding]:
    """Yield declarations that do not say who declares what, for where, and when.

    A decision has its person and day, and its holder is the product's.
    """
    making = [
        site
        for site, step in zip(
            evidence.identity.sites, evidence.site_steps, strict=False
        )
        if is_making(step)
    ]
    for item in items:
        if item.state is not ItemState.DECLARED:
            continue
        needs = [need for rule in item.rule.requirements for need in rule.documents]
        is_of_site = any(need.identity is IdentityKey.SITE for need in needs)
        for document in {
            each.document.document_id: each.document
            for requirement in item.requirements
            for each in requirement.judgements
            if each.state is ItemState.DECLARED
        }.values():
            lacking = [
                names[0]
                for names in (_OF_SITES if is_of_site else _OF_PERIODS)
                if not any(map(document.read, names))
            ]
            alone = [replace(evidence.identity, sites=(site,)) for site in making]
            if FactName.SITE not in lacking and not all(
                judge_identity("gmp", document.facts, each).state
                is IdentityState.THIS_PRODUCT
                for each in (alone if is_of_site else ())
            ):
                lacking.append(FactName.SITE)
            yield from _lacking_declaration(item, lacking, market, document)
        if item.decision is not None:
            reason = name_key(item.decision.reason)
            names = [name_key(each.name) for each in making]
            if is_of_site and not (names and all(name in reason for name in names)):
                yield from _lacking_declaration(item, [FactName.SITE], market)
            elif not is_of_site and not _PERIOD.search(item.decision.reason):
                lacking = [FactName.PERIOD_UNTIL]
                yield from _lacking_declaration(item, lacking, market)


def _lacking_declaration(
    item: BoardItem,
    lacking: Sequence[str],
    market: str,
    document: ReadDocument | None = None,
) -> Iterator[Finding]:
    if not lacking:
        return
    names = sentences()["facts"]
    yield make_finding(
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
        place=place_in(document) if document else None,
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
    signed = {each.document.document_id for each in signed_conclusions(items)}
    for confirmation in evidence.confirmations:
        document = names[confirmation.document_id]
        item = items[confirmation.item - 1]
        of_waiver = item.rule.allows is DecisionKind.WAIVER and not any(
            (link.document_id, link.item) == (document.document_id, item.rule.number)
            for link in evidence.links
        )
        is_same_file = confirmation.sha256 == document.sha256
        gives_reason = of_waiver and document.document_id in signed
        if confirmation in counting or (gives_reason and is_same_file):
            continue
        reason = "no_signed_assessment" if of_waiver else "confirmed_not"
        if not is_same_file:
            reason = "file_changed"
        elif of_other_formula(confirmation, evidence):
            reason = "confirmed_other_formula"
        texts = sentences()["reasons"][reason]
        yield make_finding(
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
            place=place_in(document),
        )


def _unknown_requirements(evidence: Evidence, market: str) -> Iterator[Finding]:
    book = rulebook(market)
    codes = {each.code for item in book.items for each in item.requirements}
    for link in evidence.links:
        if link.requirement is not None and link.requirement not in codes:
            yield make_finding(
                "unknown-requirement",
                market,
                severity=Severity.WARNING,
                item=book.item(link.item),
                article="",
                words={"code": link.requirement},
                subject=link.requirement,
            )
