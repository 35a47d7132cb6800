"""How a product is used, and for how long records and certificates hold."""

from datetime import date

import pytest

from dossier.documents.facts.periods import covered_periods, durations, months_after
from dossier.documents.facts.reading import read_facts
from dossier.documents.facts.types import Fact, FactName, FactState, PageText
from dossier.documents.facts.usage import amounts, frequencies


def facts_of(text: str) -> dict[str, list[Fact]]:
    return read_facts([PageText(1, text)])


def values(name: FactName, text: str) -> list[str]:
    return [f.value for f in facts_of(text).get(name, []) if f.state is FactState.READ]


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("約 1.5 g", ["1.5 g"]),
        ("每次約 0.8 公克", ["0.8 公克"]),
        ("1~2 mL", ["1-2 mL"]),
        ("2 pumps (about 2 mL)", ["2 pumps"]),
        ("a hazelnut-sized amount (0.8 g)", ["0.8 g"]),
        ("2 mg/cm2", ["2 mg/cm2"]),
        ("每日 8 g", []),
        ("18 g per day", []),
        ("臉部 2 g、身體 8 g", []),
        ("適量", []),
        ("as needed", []),
        ("0.5 %", []),
    ],
)
def test_amount_is_that_of_one_use_or_none(text: str, amount: list[str]) -> None:
    assert [value.value for value in amounts(text)] == amount


@pytest.mark.parametrize(
    ("text", "frequency"),
    [
        ("每日早晚各一次", ["2 per day"]),
        ("早晚使用", ["2 per day"]),
        ("每天二至四次", ["2-4 per day"]),
        ("每週 2~3 次", ["2-3 per week"]),
        ("1 次/天", ["1 per day"]),
        ("每日一次", ["1 per day"]),
        ("twice daily", ["2 per day"]),
        ("once or twice a day", ["1-2 per day"]),
        ("3 times per week", ["3 per week"]),
        ("morning and evening", ["2 per day"]),
        ("every evening", ["1 per day"]),
        ("2 x / day", ["2 per day"]),
        ("視需要使用", []),
        ("up to 10 times a day", []),
        ("至多每日 3 次", []),
        ("每日一次或每週三次", []),
        ("daily", []),
    ],
)
def test_frequency_is_read_where_it_is_said_in_one_way(
    text: str, frequency: list[str]
) -> None:
    assert [value.value for value in frequencies(text)] == frequency


def test_bare_number_is_a_frequency_where_its_label_names_the_unit() -> None:
    assert [v.value for v in frequencies("2", "每日使用次數：")] == ["2 per day"]
    assert frequencies("2", "使用次數：") == []


def test_directions_give_method_site_amount_frequency_and_population() -> None:
    text = (
        "使用方法說明\n品名：玫瑰霜\n使用方法：均勻塗抹\n使用部位：臉部、頸部\n"
        "每次用量：約 1 g\n使用頻率：每日早晚各一次\n使用族群：一般成人"
    )

    read = {name: [f.value for f in facts] for name, facts in facts_of(text).items()}

    assert read == {
        "product_name": ["玫瑰霜"],
        "use_method": ["均勻塗抹"],
        "body_site": ["臉部、頸部"],
        "use_amount": ["1 g"],
        "use_frequency": ["2 per day"],
        "population": ["一般成人"],
    }


def test_vague_amount_is_unknown_with_its_words() -> None:
    (fact,) = facts_of("使用方法說明\n每次用量：適量")[FactName.USE_AMOUNT]

    assert (fact.state, fact.value, fact.raw) == (FactState.UNKNOWN, "", "適量")


def test_use_in_a_test_report_is_not_the_use_of_the_product() -> None:
    text = "保濕功效測試報告\n使用部位：前臂\n使用頻率：每日一次\n受試者 30 人"

    assert values(FactName.BODY_SITE, text) == []
    assert values(FactName.USE_FREQUENCY, text) == []


def test_title_is_no_label_of_the_line_below() -> None:
    text = "INSTRUCTIONS FOR USE\nRose Cream\nHow often: every evening"

    assert values(FactName.USE_METHOD, text) == []


@pytest.mark.parametrize(
    ("text", "period"),
    [
        ("2025/01/01 ~ 2025/12/31", ("2025-01-01", "2025-12-31")),
        ("自民國114年1月1日起至114年12月31日止", ("2025-01-01", "2025-12-31")),
        ("1 May 2025 to 30 April 2026", ("2025-05-01", "2026-04-30")),
        ("2025年3月至2026年2月", ("2025-03-01", "2026-02-28")),
        ("民國 114 年度", ("2025-01-01", "2025-12-31")),
    ],
)
def test_period_has_its_first_and_last_day(text: str, period: tuple[str, str]) -> None:
    (found,) = covered_periods(text, None)

    assert (found.first.isoformat(), found.last.isoformat()) == period


def test_two_dates_that_no_word_joins_are_no_period() -> None:
    assert covered_periods("製造 2025/01/01，檢驗 2025/02/01", None) == []


def test_declaration_names_its_holder_signer_date_and_period() -> None:
    text = (
        "不良反應聲明書\n本公司自民國114年1月1日至114年12月31日止，未接獲任何通報。\n"
        "產品名稱：玫瑰霜\n聲明公司：霽月有限公司\n負責人：許家豪（簽章）許家豪\n"
        "日期：115年1月5日"
    )
    read = {name: [f.value for f in facts] for name, facts in facts_of(text).items()}

    assert read["company"] == ["霽月有限公司"]
    assert read["signer_name"] == ["許家豪"]
    assert read["signature"] == ["signed"]
    assert read["period_from"] == ["2025-01-01"]
    assert read["period_until"] == ["2025-12-31"]
    assert read["document_date"] == ["2026-01-05"]


def test_person_responsible_for_a_test_signs_no_declaration() -> None:
    text = "微生物檢驗報告\n負責人：許家豪\n判定：合格"

    assert values(FactName.SIGNER_NAME, text) == []


@pytest.mark.parametrize(
    ("text", "months"),
    [
        ("本聲明自簽署日起三年內有效", [36]),
        ("有效期：三年", [36]),
        ("This certificate is valid for three (3) years from the date of issue.", [36]),
        ("Validity: 24 months", [24]),
        ("valid for two years from 1 May 2020", []),
        ("保存期限 36 個月", []),
    ],
)
def test_length_of_validity_is_read_in_months(text: str, months: list[int]) -> None:
    assert [count for count, _ in durations(text)] == months


def test_certificate_for_years_ends_so_many_years_after_its_date() -> None:
    text = "GMP 聲明書\n本聲明自簽署日起三年內有效。\n簽署日期：115年1月5日"

    assert values(FactName.VALID_UNTIL, text) == ["2029-01-05"]


def test_last_day_of_february_is_kept_where_the_year_has_it() -> None:
    assert months_after(date(2024, 2, 29), 12) == date(2025, 2, 28)
    assert months_after(date(2025, 10, 31), 4) == date(2026, 2, 28)


@pytest.mark.parametrize(
    ("line", "end"),
    [
        ("Valid until: Nov. 2026", ["2026-11-30"]),
        ("有效期限至 115年11月", ["2026-11-30"]),
        ("Certificate expiry ........ 30-Nov-2026", ["2026-11-30"]),
        ("Valid until - 2026.11.30", ["2026-11-30"]),
        ("有效期限 Valid until：民國115年11月30日", ["2026-11-30"]),
    ],
)
def test_end_of_validity_is_read_in_every_form(line: str, end: list[str]) -> None:
    text = f"ISO 22716 certificate\n{line}"

    assert values(FactName.VALID_UNTIL, text) == end


def test_month_is_no_date_of_a_report() -> None:
    text = "微生物檢驗報告\n報告日期：2026年11月"

    assert values(FactName.DOCUMENT_DATE, text) == []


@pytest.mark.parametrize(
    "line",
    [
        "批號……B123",
        "批號 ....... B123",
        "Lot no. - B123",
        "Lot → B123",
        "批號 P/N：B123",
        "報告編號：X-1　批號：B123",
        "批號\u3000B123\u3000\u3000\u3000數量\u30005",
    ],
)
def test_value_is_read_behind_dots_dashes_arrows_and_wide_spaces(line: str) -> None:
    assert values(FactName.LOT, f"微生物檢驗報告\n{line}") == ["B123"]


@pytest.mark.parametrize("line", ["Batch ............ 12", "批號………… 3"])
def test_page_number_of_a_table_of_contents_is_no_value(line: str) -> None:
    assert values(FactName.LOT, f"Microbial limit test\n{line}") == []


def test_dash_behind_a_title_is_no_colon() -> None:
    text = "Product - Stability test report\nVerdict: Pass"

    assert values(FactName.PRODUCT_NAME, text) == []


def test_heading_of_a_column_is_no_value() -> None:
    text = "Microbial limit test\nCustomer                Product details\nRose Ltd"

    assert values(FactName.COMPANY, text) == []


def test_code_of_a_packaging_part_is_not_the_products() -> None:
    text = "Packaging specification\nItem code: J50-AMB\nGlass jar\nProduct code: RC-1"

    assert values(FactName.PRODUCT_CODE, text) == ["RC-1"]
