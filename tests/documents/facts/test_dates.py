from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dossier.documents.facts.dates import DateOrder, find_dates, proved_order


def only(text: str) -> str | None:
    (reading,) = find_dates(text)
    return reading.value.isoformat() if reading.value else None


@pytest.mark.parametrize(
    ("printed", "iso"),
    [
        ("民國114年5月30日", "2025-05-30"),
        ("中華民國 115 年 02 月 28 日", "2026-02-28"),
        ("中華民國一百一十四年五月三十日", "2025-05-30"),
        ("民国一一五年三月一日", "2026-03-01"),
        ("民國99年1月2日", "2010-01-02"),
        ("114.05.30", "2025-05-30"),
        ("114/05/30", "2025-05-30"),
        ("1140530", "2025-05-30"),
        ("二〇二六年二月二十八日", "2026-02-28"),
        ("2026年2月28日", "2026-02-28"),
        ("\uff12\uff10\uff12\uff16\uff0f\uff10\uff12\uff0f\uff12\uff18", "2026-02-28"),
        ("2026-01-20T10:00:00Z", "2026-01-20"),
        ("20260228", "2026-02-28"),
        ("30 May 2025", "2025-05-30"),
        ("May 30, 2025", "2025-05-30"),
        ("30th of May 2025", "2025-05-30"),
        ("30-MAY-2025", "2025-05-30"),
        ("Sept. 3, 2025", "2025-09-03"),
        ("25/12/2026", "2026-12-25"),
        ("12/25/2026", "2026-12-25"),
        ("05/05/2026", "2026-05-05"),
        ("DD/MM/YYYY 03/04/2026", "2026-04-03"),
    ],
)
def test_date_with_one_reading_is_read(printed: str, iso: str) -> None:
    assert only(printed) == iso


@pytest.mark.parametrize(
    "printed",
    [
        "03/04/2026",
        "04.03.2026",
        "30-May-25",
        "26/05/30",
        "May 2026",
        "2026/05",
        "115年3月",
        "2026-02-30",
        "令和6年5月30日",
    ],
)
def test_date_that_is_not_certain_has_no_value(printed: str) -> None:
    assert only(printed) is None


@pytest.mark.parametrize("text", ["QC-2025-06-301", "02-5550-0100", "ISO 22716:2007"])
def test_other_numbers_are_no_dates(text: str) -> None:
    assert find_dates(text) == []


@pytest.mark.parametrize(
    ("texts", "order"),
    [
        (["03/04/2026", "tested 25/03/2026"], DateOrder.DAY_FIRST),
        (["03/04/2026", "tested 03/25/2026"], DateOrder.MONTH_FIRST),
        (["25/03/2026", "03/25/2026"], None),
        (["03/04/2026"], None),
    ],
)
def test_document_proves_the_order_of_its_dates(
    texts: list[str], order: DateOrder | None
) -> None:
    assert proved_order(texts) is order


@given(st.dates(min_value=date(2012, 1, 1), max_value=date(2099, 12, 31)))
def test_every_iso_and_roc_date_is_read(day: date) -> None:
    roc = f"民國{day.year - 1911}年{day.month}月{day.day}日"

    assert only(day.isoformat()) == only(roc) == day.isoformat()


@given(st.text(alphabet="0123456789/-. 年月日民國May", max_size=40))
def test_no_text_makes_the_reader_fail(text: str) -> None:
    for reading in find_dates(text):
        assert 0 <= reading.start < reading.end <= len(text)
