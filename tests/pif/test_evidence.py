"""How documents count for requirements: read, of this product, valid, signed."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.factories.evidence import (
    NAMED,
    PRODUCT,
    SIGNER,
    fact,
    good_document,
    good_documents,
    read_document,
)

from dossier.documents.facts.types import FactState, KindReading, OtherProduct
from dossier.pif.constants import DecisionKind, ItemState, JudgementCode
from dossier.pif.rules.evidence import (
    Confirmation,
    Judgement,
    ReadDocument,
    ReadingState,
    Subject,
    best_state,
    judge_document,
    subject_of,
    version_key,
)
from dossier.pif.rules.items import Requirement, rulebook
from dossier.pif.rules.matching import document_kinds

TODAY = date(2026, 11, 21)
SUBJECT = Subject(as_of=TODAY, identity=replace(PRODUCT, signers=(SIGNER,)))
REQUIREMENTS = {r.code: r for item in rulebook().items for r in item.requirements}


def judged(
    code: str,
    document: ReadDocument,
    subject: Subject = SUBJECT,
    confirmation: Confirmation | None = None,
) -> tuple[ItemState | None, JudgementCode]:
    requirement = REQUIREMENTS[code]
    allows = rulebook().item_of(code).allows
    found = judge_document(
        document, requirement, subject, allows=allows, confirmation=confirmation
    )
    return found.state, found.code


def confirmation_of(document: ReadDocument, sha256: str | None = None) -> Confirmation:
    return Confirmation(
        item=11,
        requirement=None,
        document_id=document.document_id,
        sha256=sha256 or document.sha256,
        reason="Read by a person.",
        actor_name="Mei",
        at=datetime(2026, 1, 2, tzinfo=UTC),
    )


@pytest.mark.parametrize("code", sorted(good_documents()))
def test_document_with_all_that_is_needed_makes_its_requirement_present(
    code: str,
) -> None:
    document = good_documents()[code]

    assert judged(code, document) == (ItemState.PRESENT, JudgementCode.READ)


@pytest.mark.parametrize("code", sorted(good_documents()))
def test_every_kind_that_is_needed_is_one_of_the_known_kinds(code: str) -> None:
    known = {kind.kind for kind in document_kinds()}

    assert {need.kind for need in REQUIREMENTS[code].documents} <= known


def test_kinds_that_documents_are_matched_to_meet_the_same_requirements() -> None:
    matched = {(k.kind, code) for k in document_kinds() for code in k.serves}
    needed = {
        (need.kind, rule.code)
        for rule in REQUIREMENTS.values()
        for need in rule.documents
        if not need.anywhere
    }

    assert matched - needed == {("formula", "tw-3.formula")}
    assert needed <= matched


@pytest.mark.parametrize(
    ("document", "state", "code"),
    [
        (read_document(None), ItemState.UNCONFIRMED, "kind_unknown"),
        (good_document("label"), ItemState.UNCONFIRMED, "other_kind"),
        (
            read_document("stability", verdict="pass"),
            ItemState.UNCONFIRMED,
            "identity_unknown",
        ),
        (
            good_document("stability", product_name="Rose Night Cream"),
            ItemState.UNCONFIRMED,
            "identity_unknown",
        ),
        (read_document("stability", **NAMED), ItemState.UNCONFIRMED, "facts_not_read"),
        (
            good_document("stability", verdict="incomplete"),
            ItemState.UNCONFIRMED,
            "facts_not_read",
        ),
        (
            good_document("stability", signature="draft"),
            ItemState.UNCONFIRMED,
            "draft",
        ),
        (good_document("stability", verdict="fail"), ItemState.PRESENT, "read"),
        (
            read_document("stability", product_code="XX-99", verdict="pass"),
            None,
            "other_product",
        ),
    ],
)
def test_stability_report_is_judged_by_what_was_read_in_it(
    document: ReadDocument, state: ItemState | None, code: str
) -> None:
    assert judged("tw-11.stability", document) == (state, code)


@pytest.mark.parametrize("reading", [ReadingState.NOT_YET, ReadingState.UNREADABLE])
def test_document_without_a_reading_is_unconfirmed(reading: ReadingState) -> None:
    document = replace(good_document("label"), reading=reading, kind=None, facts={})

    state, code = judged("tw-4.label", document)

    assert (state, code) == (ItemState.UNCONFIRMED, reading.value)


@pytest.mark.parametrize(
    ("signatures", "code"),
    [
        (["blank"], "unsigned"),
        (["unsigned"], "unsigned"),
        (["draft"], "draft"),
        (["draft", "blank"], "draft"),
        (["unknown"], "not_signed"),
        (["signed", "blank"], "not_signed"),
        (["signed", "draft"], "draft"),
        ([], "not_signed"),
    ],
)
def test_assessment_without_a_certain_signature_is_unconfirmed(
    signatures: list[str], code: str
) -> None:
    values = tuple(map(fact, signatures))
    document = good_document("assessment")
    document = replace(document, facts={**document.facts, "signature": values})

    found = judged("tw-16.assessment", document)

    assert found == (ItemState.UNCONFIRMED, code)


def test_unknown_value_of_a_needed_fact_is_not_read() -> None:
    document = good_document("notification")
    unknown = fact("", state=FactState.UNKNOWN, raw="03/04/2026")
    document = replace(document, facts={**document.facts, "valid_until": (unknown,)})

    found = judge_document(document, REQUIREMENTS["tw-2.notification"], SUBJECT)

    assert found.code is JudgementCode.FACTS_NOT_READ
    assert found.lacking == ("valid_until",)


@pytest.mark.parametrize(
    ("until", "state"),
    [
        ("2026-11-20", ItemState.STALE),
        ("2026-11-21", ItemState.PRESENT),
        ("2026-11-22", ItemState.PRESENT),
    ],
)
def test_certificate_counts_up_to_the_last_day_of_its_validity(
    until: str, state: ItemState
) -> None:
    assert judged("tw-5.gmp", good_document("gmp", valid_until=until))[0] is state


def test_certificate_that_is_not_valid_yet_does_not_count() -> None:
    early = good_document("gmp", valid_from="2026-11-22")

    assert judged("tw-5.gmp", early) == (ItemState.STALE, JudgementCode.NOT_VALID_YET)


def test_report_with_an_unfinished_part_has_no_result() -> None:
    report = read_document("stability", verdict=["pass", "incomplete"], **NAMED)

    assert judged("tw-11.stability", report)[1] is JudgementCode.FACTS_NOT_READ


def test_expiry_of_goods_does_not_make_a_report_stale() -> None:
    report = good_document("stability", valid_until="2020-01-01")

    assert judged("tw-11.stability", report)[0] is ItemState.PRESENT


def test_certificate_of_another_site_does_not_count() -> None:
    other = good_document("gmp", company="Dusk Works", site="9 Hill Road, Tainan")

    assert judged("tw-5.gmp", other) == (None, JudgementCode.OTHER_PRODUCT)


def test_credentials_are_those_of_the_person_who_signed() -> None:
    own = good_document("credentials")
    other = good_document("credentials", signer_name="Lin Yu-Chen")

    assert judged("tw-16.credentials", own)[0] is ItemState.PRESENT
    assert judged("tw-16.credentials", other)[0] is ItemState.UNCONFIRMED


def test_paper_that_declares_is_declared_where_the_item_allows_it() -> None:
    gmp = replace(
        read_document("gmp", company="Dawn Works"),
        kind=KindReading("gmp", "GMP 聲明書", 1, Decimal(1)),
    )

    assert judged("tw-5.gmp", gmp) == (ItemState.DECLARED, JudgementCode.DECLARATION)


def subject_with(formula: ReadDocument, *others: ReadDocument) -> Subject:
    return subject_of(
        TODAY,
        PRODUCT,
        (formula, *others),
        formula_document_id=formula.document_id,
        signed=[each.document_id for each in others],
    )


@pytest.mark.parametrize(
    ("stated", "state"),
    [
        ({"formula_code": "F-4"}, ItemState.PRESENT),
        ({"formula_code": "F-3"}, ItemState.STALE),
        ({"formula_code": "RC-01"}, ItemState.PRESENT),
        ({"formula_version": "V04"}, ItemState.PRESENT),
        ({"formula_version": "3"}, ItemState.STALE),
        ({}, ItemState.PRESENT),
    ],
)
def test_report_that_names_another_version_of_the_formula_is_stale(
    stated: dict[str, str], state: ItemState
) -> None:
    sheet = read_document("formula", formula_code="F-4", formula_version="4")

    report = good_document("stability", **stated)

    assert judged("tw-11.stability", report, subject_with(sheet))[0] is state


def test_report_on_another_pack_is_stale() -> None:
    pack = good_document("packaging", pack_version="2")
    subject = subject_of(TODAY, PRODUCT, (pack,))

    old = good_document("stability", pack_version="1")
    new = good_document("stability", pack_version="2")

    assert judged("tw-11.stability", old, subject) == (ItemState.STALE, "other_pack")
    assert judged("tw-11.stability", new, subject)[0] is ItemState.PRESENT


def test_signer_is_read_in_signed_assessments_of_this_product_alone() -> None:
    signed = good_document("assessment")
    draft = good_document(
        "assessment", "draft.pdf", signature="draft", signer_name="A B"
    )
    other = good_document("assessment", "other.pdf", product_name="", signer_name="C D")

    subject = subject_with(read_document("formula"), signed, draft, other)

    assert subject.identity.signers == (SIGNER,)


def test_document_that_names_a_known_other_product_does_not_count() -> None:
    others = (OtherProduct(("Rose Night Cream",)), OtherProduct(("Lip Balm",)))
    report = good_document("stability", product_name="Rose Night Cream")
    subject = subject_of(TODAY, replace(PRODUCT, others=others), (report,))

    assert subject.identity.others == others[:1]
    assert judged("tw-11.stability", report, subject)[0] is None


def test_confirmation_counts_for_the_same_bytes_only() -> None:
    scan = replace(
        good_document("stability"), reading=ReadingState.UNREADABLE, kind=None, facts={}
    )

    same = judged("tw-11.stability", scan, confirmation=confirmation_of(scan))
    changed = judged("tw-11.stability", scan, confirmation=confirmation_of(scan, "x"))

    assert same == (ItemState.PRESENT, JudgementCode.CONFIRMED)
    assert changed[0] is ItemState.UNCONFIRMED


documents = st.builds(
    read_document,
    st.sampled_from([None, "stability", "gmp", "notification", "assessment"]),
    product_name=st.sampled_from(["", NAMED["product_name"], "Night Cream"]),
    product_code=st.sampled_from(["", "RC-01", "XX-99"]),
    valid_until=st.sampled_from(["", "2020-01-01", "2030-01-01"]),
    signature=st.sampled_from(["", "signed", "draft", "blank"]),
    verdict=st.sampled_from(["", "pass", "fail", "incomplete"]),
)


def judgement(document: ReadDocument, rule: Requirement, *, is_sure: bool) -> Judgement:
    confirmation = confirmation_of(document) if is_sure else None
    return judge_document(
        document,
        rule,
        SUBJECT,
        allows=DecisionKind.DECLARATION,
        confirmation=confirmation,
    )


@settings(max_examples=80)
@given(documents, st.sampled_from(list(REQUIREMENTS.values())))
def test_confirmation_never_beats_another_product_or_an_expired_document(
    document: ReadDocument, rule: Requirement
) -> None:
    before = judgement(document, rule, is_sure=False)
    after = judgement(document, rule, is_sure=True)

    if before.state in {None, ItemState.STALE}:
        assert (after.state, after.code) == (before.state, before.code)
    else:
        assert after.state is ItemState.PRESENT


@settings(max_examples=80)
@given(st.lists(documents, max_size=4), documents)
def test_valid_document_beats_others_and_one_more_never_worsens(
    some: list[ReadDocument], more: ReadDocument
) -> None:
    rule = REQUIREMENTS["tw-11.stability"]
    order = list(ItemState)
    states = [judgement(each, rule, is_sure=False) for each in some]

    with_more = best_state([*states, judgement(more, rule, is_sure=False)])

    assert order.index(with_more) <= order.index(best_state(states))


@pytest.mark.parametrize(
    ("one", "other"), [("V4", "4"), ("v.04", "4"), ("第4版", "4"), ("Rev 4", "4")]
)
def test_versions_are_compared_by_their_numbers(one: str, other: str) -> None:
    assert version_key(one) == version_key(other)
