"""What a linked document shows of a requirement."""

from dataclasses import replace
from datetime import date
from uuid import UUID

import pytest
from tests.factories.evidence import (
    OTHER,
    UNKNOWN,
    WHOLE_FACTS,
    facts_with,
    linked_document,
)

from dossier.core.findings import Severity
from dossier.documents.constants import TextState
from dossier.documents.facts.types import (
    FactName,
    IdentityReading,
    IdentityReason,
    IdentityState,
)
from dossier.pif.constants import ItemState
from dossier.pif.rules.board import Evidence, EvidenceLink, board_findings, board_items
from dossier.pif.rules.evidence import (
    Confirmation,
    EvidenceReason,
    LinkedDocument,
    Material,
    judge_document,
    uncovered,
)
from dossier.pif.rules.items import DocumentNeed, rulebook

TODAY = date(2026, 12, 1)
DOCUMENT = UUID(int=7)
STABILITY = rulebook().item(11).requirements[0]
ASSESSMENT = rulebook().item(16).requirements[0]
GOOD = linked_document(DOCUMENT)
EXPIRED = replace(
    GOOD, facts=facts_with(WHOLE_FACTS | {FactName.VALID_UNTIL: "2026-11-30"})
)
UNREADABLE = replace(GOOD, facts=None, text_state=TextState.UNREADABLE)


def need_of(code: str) -> DocumentNeed:
    for item in rulebook().items:
        for rule in item.requirements:
            if rule.code == code:
                assert rule.documents is not None
                return rule.documents
    raise LookupError(code)


def confirmation(document: LinkedDocument = GOOD) -> Confirmation:
    return Confirmation(
        item=11,
        requirement="tw-11.stability",
        document_id=document.document_id,
        sha256=document.sha256,
        reason="The scan shows report ST-2201.",
        actor_name="Mei",
        confirmed_on=TODAY,
    )


def without(name: FactName) -> LinkedDocument:
    values = {key: value for key, value in WHOLE_FACTS.items() if key is not name}
    return replace(GOOD, facts=facts_with(values))


@pytest.mark.parametrize(
    ("document", "state", "reason"),
    [
        (GOOD, ItemState.PRESENT, EvidenceReason.READ),
        (replace(GOOD, identity=OTHER), None, EvidenceReason.OTHER_PRODUCT),
        (EXPIRED, ItemState.STALE, EvidenceReason.EXPIRED),
        (UNREADABLE, ItemState.UNCONFIRMED, EvidenceReason.CANNOT_BE_READ),
        (
            replace(GOOD, facts=None, text_state=TextState.PENDING),
            ItemState.UNCONFIRMED,
            EvidenceReason.NOT_READ_YET,
        ),
        (
            replace(GOOD, facts=None),
            ItemState.UNCONFIRMED,
            EvidenceReason.NOT_READ_YET,
        ),
        (
            replace(GOOD, kind=None),
            ItemState.UNCONFIRMED,
            EvidenceReason.KIND_UNKNOWN,
        ),
        (
            replace(GOOD, kind="label"),
            ItemState.UNCONFIRMED,
            EvidenceReason.OTHER_KIND,
        ),
        (
            replace(GOOD, identity=UNKNOWN),
            ItemState.UNCONFIRMED,
            EvidenceReason.IDENTITY_UNKNOWN,
        ),
        (
            without(FactName.VERDICT),
            ItemState.UNCONFIRMED,
            EvidenceReason.FACT_NOT_READ,
        ),
        (
            replace(
                GOOD, facts=facts_with(WHOLE_FACTS | {FactName.SIGNATURE: "draft"})
            ),
            ItemState.UNCONFIRMED,
            EvidenceReason.DRAFT,
        ),
    ],
)
def test_first_rule_that_applies_decides(
    document: LinkedDocument, state: ItemState | None, reason: EvidenceReason
) -> None:
    judgement = judge_document(document, need_of("tw-11.stability"), as_of=TODAY)

    assert (judgement.state, judgement.reason) == (state, reason)


def test_document_is_valid_on_its_last_day() -> None:
    need = need_of("tw-11.stability")

    judgement = judge_document(EXPIRED, need, as_of=date(2026, 11, 30))

    assert judgement.state is ItemState.PRESENT


def test_latest_of_several_dates_of_expiry_counts() -> None:
    old, new = (
        facts_with({FactName.VALID_UNTIL: "2020-01-01"}),
        facts_with({FactName.VALID_UNTIL: "2030-01-01"}),
    )
    facts = facts_with(WHOLE_FACTS) | {
        FactName.VALID_UNTIL: old["valid_until"] + new["valid_until"]
    }

    judgement = judge_document(
        replace(GOOD, facts=facts), need_of("tw-11.stability"), as_of=TODAY
    )

    assert judgement.state is ItemState.PRESENT


@pytest.mark.parametrize("signature", ["blank", "unsigned", "unknown", None])
def test_assessment_without_a_signature_is_unconfirmed(signature: str | None) -> None:
    values = WHOLE_FACTS | ({FactName.SIGNATURE: signature} if signature else {})
    if signature is None:
        values.pop(FactName.SIGNATURE)
    document = replace(GOOD, kind="assessment", facts=facts_with(values))

    judgement = judge_document(document, need_of("tw-16.assessment"), as_of=TODAY)

    assert (judgement.state, judgement.reason) == (
        ItemState.UNCONFIRMED,
        EvidenceReason.NOT_SIGNED,
    )


@pytest.mark.parametrize("document", [UNREADABLE, replace(GOOD, kind=None)])
def test_confirmation_makes_an_unconfirmed_document_count(
    document: LinkedDocument,
) -> None:
    need = need_of("tw-11.stability")

    judgement = judge_document(
        document, need, as_of=TODAY, confirmation=confirmation(document)
    )

    assert (judgement.state, judgement.reason) == (
        ItemState.PRESENT,
        EvidenceReason.CONFIRMED,
    )


@pytest.mark.parametrize(
    ("document", "state"),
    [(replace(GOOD, identity=OTHER), None), (EXPIRED, ItemState.STALE)],
)
def test_confirmation_cannot_override_another_product_or_an_expiry(
    document: LinkedDocument, state: ItemState | None
) -> None:
    need = need_of("tw-11.stability")

    judgement = judge_document(
        document, need, as_of=TODAY, confirmation=confirmation(document)
    )

    assert judgement.state is state


def test_confirmation_of_other_bytes_does_not_count() -> None:
    changed = replace(confirmation(), sha256="b" * 64)
    need = need_of("tw-11.stability")

    judgement = judge_document(UNREADABLE, need, as_of=TODAY, confirmation=changed)

    assert judgement.state is ItemState.UNCONFIRMED


def test_valid_document_counts_beside_an_expired_one() -> None:
    expired = replace(EXPIRED, document_id=UUID(int=8))
    evidence = Evidence(
        as_of=TODAY,
        phase_in_on=TODAY,
        links=(EvidenceLink(DOCUMENT, 11), EvidenceLink(UUID(int=8), 11)),
        documents={DOCUMENT: GOOD, UUID(int=8): expired},
    )

    items = board_items(evidence)

    assert items[10].state is ItemState.PRESENT
    [finding] = [f for f in board_findings(items, evidence) if f.item == 11]
    assert (finding.code, finding.severity) == ("expired-document", Severity.INFO)


def test_failing_report_blocks_and_names_its_words() -> None:
    failed = replace(GOOD, facts=facts_with(WHOLE_FACTS | {FactName.VERDICT: "fail"}))
    evidence = Evidence(
        as_of=TODAY,
        phase_in_on=TODAY,
        links=(EvidenceLink(DOCUMENT, 11),),
        documents={DOCUMENT: failed},
    )

    items = board_items(evidence)

    [finding] = [f for f in board_findings(items, evidence) if f.item == 11]
    assert (finding.code, finding.severity) == ("report-fails", Severity.BLOCKING)
    assert finding.place is not None
    assert finding.place.document_id == str(DOCUMENT)


def test_document_of_another_product_leaves_the_item_missing() -> None:
    evidence = Evidence(
        as_of=TODAY,
        phase_in_on=TODAY,
        links=(EvidenceLink(DOCUMENT, 11),),
        documents={DOCUMENT: replace(GOOD, identity=OTHER)},
    )

    items = board_items(evidence)

    assert items[10].state is ItemState.MISSING
    codes = {f.code for f in board_findings(items, evidence) if f.item == 11}
    assert codes == {"missing-item", "other-product"}


def test_document_of_a_whole_item_is_judged_for_the_requirement_of_its_kind() -> None:
    evidence = Evidence(
        as_of=TODAY,
        phase_in_on=TODAY,
        links=(EvidenceLink(DOCUMENT, 16),),
        documents={DOCUMENT: replace(GOOD, kind="assessment")},
    )

    assessment, credentials = board_items(evidence)[15].requirements

    assert assessment.state is ItemState.PRESENT
    assert credentials.state is ItemState.MISSING


ROSE = Material("RoseOil", "RoseOil", ("Rosa Damascena Flower Oil",), ("8007-01-0",))
GLYCERIN = Material("Glycerin 99.5", "Glycerin 99.5", ("Glycerin",), ("56-81-5",))
WATER = Material("Aqua", None, ("Aqua",), ("7732-18-5",))


@pytest.mark.parametrize(
    "facts",
    [
        {FactName.CAS_NUMBER: "56-81-5"},
        {FactName.INCI_NAME: "GLYCERIN"},
        {FactName.TRADE_NAME: "Glycerin 99.5"},
    ],
)
def test_material_is_covered_by_its_number_or_one_of_its_names(
    facts: dict[FactName, str],
) -> None:
    sds = linked_document(DOCUMENT, "sds", facts=facts)
    judgement = judge_document(sds, need_of("tw-9.ingredients"), as_of=TODAY)

    assert uncovered((ROSE, GLYCERIN, WATER), [judgement]) == ("RoseOil",)


def test_partly_covered_formula_is_unconfirmed_and_names_the_gaps() -> None:
    sds = linked_document(DOCUMENT, "sds", facts={FactName.CAS_NUMBER: "56-81-5"})
    evidence = Evidence(
        as_of=TODAY,
        phase_in_on=TODAY,
        links=(EvidenceLink(DOCUMENT, 9, "tw-9.ingredients"),),
        documents={DOCUMENT: sds},
        materials=(ROSE, GLYCERIN, WATER),
    )

    items = board_items(evidence)

    entry = items[8].requirements[1]
    assert (entry.state, entry.gaps) == (ItemState.UNCONFIRMED, ("RoseOil",))
    found = board_findings(items, evidence)
    [finding] = [f for f in found if f.code == "materials-not-covered"]
    assert "2 of 3" in finding.message.en


def test_toxicology_summary_may_list_more_substances_than_the_formula() -> None:
    partly = IdentityReading(IdentityState.UNKNOWN, IdentityReason.CAS_PARTLY_MATCHES)
    summary = linked_document(DOCUMENT, "toxicology", identity=partly)

    judgement = judge_document(summary, need_of("tw-10.toxicology"), as_of=TODAY)

    assert judgement.state is ItemState.PRESENT
