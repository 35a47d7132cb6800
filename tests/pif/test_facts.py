"""Filled fields of a product, and findings read back from storage."""

from datetime import UTC, date, datetime
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from dossier.core.findings import (
    Finding,
    Message,
    Place,
    Severity,
    Verdict,
    finding_json,
)
from dossier.pif.rules.board import filled_fields
from dossier.pif.service.board import day_in_taipei, finding_of

words = st.text(max_size=12)
optional = st.none() | words
amounts = st.none() | st.decimals(allow_nan=False, allow_infinity=False, places=4)
messages = st.builds(Message, zh=words, en=words)
boxes = st.none() | st.tuples(*[st.decimals(0, 900, places=1)] * 4)
places = st.builds(
    Place,
    filename=words,
    sha256=words,
    document_id=optional,
    page=st.none() | st.integers(1, 99),
    sheet=optional,
    cell=optional,
    box_pt=boxes,
)
findings = st.builds(
    Finding,
    code=words,
    severity=st.sampled_from(Severity),
    market=words,
    item=st.none() | st.integers(1, 16),
    article=optional,
    message=messages,
    closes_by=messages,
    verdict=st.none() | st.sampled_from(Verdict),
    ingredient=optional,
    value=amounts,
    limit=amounts,
    margin=amounts,
    unit=optional,
    place=st.none() | places,
)


def test_legal_day_begins_at_midnight_in_taipei() -> None:
    last = datetime(2026, 6, 30, 15, 59, tzinfo=UTC)
    first = datetime(2026, 6, 30, 16, 0, tzinfo=UTC)

    assert day_in_taipei(last) == date(2026, 6, 30)
    assert day_in_taipei(first) == date(2026, 7, 1)


def test_nested_filled_fields_are_named_with_dots() -> None:
    facts = {
        "name_zh": "面霜",
        "name_en": " ",
        "sites": [],
        "usage": {"method": "spread", "amount": None},
        "holder": {"name": "Rose", "address": "", "phone": "02"},
    }

    assert filled_fields(facts) == {
        "name_zh",
        "usage.method",
        "holder.name",
        "holder.phone",
    }


@settings(max_examples=60)
@given(findings)
def test_finding_read_from_storage_equals_the_stored_one(finding: Finding) -> None:
    assert finding_of(finding_json(finding)) == finding


def test_decimals_and_boxes_keep_their_decimal_places() -> None:
    words = Message(zh="", en="")
    box = (Decimal("1.0"), Decimal("2.50"), Decimal(3), Decimal(4))
    finding = Finding(
        code="x",
        severity=Severity.INFO,
        market="tw",
        item=3,
        article=None,
        message=words,
        closes_by=words,
        value=Decimal("99.50"),
        place=Place(filename="a.pdf", sha256="ab", page=3, box_pt=box),
    )

    again = finding_of(finding_json(finding))

    assert again == finding
    assert str(again.value) == "99.50"
