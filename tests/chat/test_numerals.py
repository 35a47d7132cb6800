"""A number is proven or refused, whichever way it is written."""

# ruff: noqa: RUF001 - ranges are written with tildes and dashes of all widths

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dossier.chat.rules.claims import CitedSource, Claim, ClaimFault, check_claim
from dossier.chat.rules.numbers import unsupported_numbers

PAPER = "保存期限為24個月，苯氧乙醇 0.8%，每日兩次，共九批。"
DIGITS = "零一二三四五六七八九"
POWERS = ((1000, "千"), (100, "百"), (10, "十"), (1, ""))
ONES = (
    "zero,one,two,three,four,five,six,seven,eight,nine,ten,eleven,twelve,thirteen,"
    "fourteen,fifteen,sixteen,seventeen,eighteen,nineteen"
)
TENS = "twenty,thirty,forty,fifty,sixty,seventy,eighty,ninety"
SMALL = dict(enumerate(ONES.split(",")))
LARGE = dict(enumerate(TENS.split(","), start=2))


def in_chinese(number: int) -> str:
    """Write a number below a hundred million."""
    high, low = divmod(number, 10_000)
    if high:
        zero = "零" if 0 < low < 1000 else ""
        return f"{in_chinese(high)}萬{zero}{in_chinese(low) if low else ''}"
    written, is_open = "", False
    for power, name in POWERS:
        digit, low = divmod(low, power)
        if digit:
            written += ("零" if is_open else "") + DIGITS[digit] + name
            is_open = False
        elif written:
            is_open = True
    return written


def in_english(number: int) -> str:
    """Write a number below a thousand."""
    hundreds, rest = divmod(number, 100)
    head = f"{SMALL[hundreds]} hundred" if hundreds else ""
    if not rest:
        return head
    tail = SMALL[rest] if rest < 20 else LARGE[rest // 10]
    if rest > 20 and rest % 10:
        tail += f"-{SMALL[rest % 10]}"
    return f"{head} and {tail}" if head else tail


@pytest.mark.parametrize(
    "sentence",
    [
        "保存期限為三十六個月",
        "保存期限為三 十 六 個月",
        "保存期限為參拾陸個月",
        "保存期限為廿五個月",
        "保存期限為柒個月",
        "保存期限為三年",
        "保存期限為一年",
        "保存期限為一年半",
        "保存期限為二十四個半月",
        "保存期限為24個半月",
        "保存期限為半年",
        "保存期限為三至五年",
        "保存期限為五、六個月",
        "保存期限為三６個月",
        "保存期限為３６個月",
        "保存期限為2萬4千個月",
        "保存期限為2**4**0個月",
        "保存期限為&#51;6個月",
        "保存至二〇二八年",
        "苯氧乙醇百分之二十四",
        "苯氧乙醇百分之一",
        "苯氧乙醇零點六%",
        "苯氧乙醇千分之五",
        "苯氧乙醇二十四%",
        "苯氧乙醇為五。",
        "苯氧乙醇是三比一",
        "每日三次",
        "每日一次",
        "共四批",
        "共一百批",
        "thirty-six months",
        "保存期限thirty six個月",
        "one month",
        "a hundred and five months",
        "two and a half months",
        "24 and a half months",
        "half a year",
        "a dozen months",
        "24 dozen months",
        "half a dozen months",
        "zero point six percent",
        "twenty-four percent",
        "once daily",
        "thrice daily",
        "tenfold",
        "two thirds of it",
        "24½ months",
    ],
)
def test_number_that_stands_in_no_passage_is_refused(sentence: str) -> None:
    verdict = check_claim(
        f"{sentence} ⟦1|保存期限為24個月⟧", {1: CitedSource(1, PAPER, PAPER)}
    )

    assert verdict is ClaimFault.UNSUPPORTED_NUMBER


@pytest.mark.parametrize(
    "sentence",
    [
        "保存期限為二十四個月，即廿四個月",
        "保存劑苯氧乙醇百分之零點八，每日2次",
        "它是一種統一的、唯一天然的保存成分，第三類之一",
        "保存方式萬一不一致，一般十分重要",
        "保存一定要單一成分，一次性使用",
        "保存於這一年是唯一一次，同一天逐一升高",
        "保存於半透明、半固體的容器",
        "保存劑含十六醇、三乙醇胺、二氧化鈦與丁二醇",
        "保存第三十六條、第四及第五類",
        "one of them, twenty-four months, twice daily, the third one",
        "no one; a half-life; dozens of them; once opened; often",
    ],
)
def test_number_that_stands_there_otherwise_or_is_none_passes(sentence: str) -> None:
    verdict = check_claim(
        f"{sentence} ⟦1|保存期限為24個月⟧", {1: CitedSource(1, PAPER, PAPER)}
    )

    assert isinstance(verdict, Claim)


@pytest.mark.parametrize(
    ("said", "passage"),
    [
        ("36 個月", "thirty-six months"),
        ("三十六個月", "36 months"),
        ("thirty-six months", "三十六個月"),
        ("24 %", "百分之二十四"),
        ("百分之二十四", "twenty-four per cent"),
        ("1.5 年", "一年半"),
        ("一年半", "one and a half years"),
        ("3.5 小時", "三個半小時"),
        ("半年", "half a year"),
        ("12 months", "a dozen months"),
        ("三萬元", "30,000 元"),
        ("30000", "3萬"),
        ("2 million", "2,000,000"),
        ("百萬分之五", "5 ppm"),
        ("千分之三", "3‰"),
        ("三公斤，即三千克", "3 kg"),
        ("二〇二六年五月", "2026-05-01"),
        ("三四天", "3 到 4 天"),
        ("兩萬三", "23000"),
        ("three kg", "3千克"),
        ("0.5 匙", "½ spoon"),
    ],
)
def test_number_is_the_same_in_both_languages(said: str, passage: str) -> None:
    assert unsupported_numbers(said, [passage]) == []


SAME = [
    ("5百萬元", "500萬元"),
    ("5百萬元", "5,000,000 元"),
    ("5 百 萬元", "五百萬元"),
    ("3千萬", "30,000,000"),
    ("3千5百萬", "3,500萬"),
    ("3億5千萬", "350,000,000"),
    ("3 億 5 千萬", "3億5千萬"),
    ("3億2,500萬", "325,000,000"),
    ("2萬4千", "24,000"),
    ("3萬億", "30,000億"),
    ("1.5百萬", "1,500,000"),
    ("5百萬克", "5,000,000 克"),
    ("5萬千瓦", "50,000 kW"),
    ("5百千克", "500 kg"),
    ("5 hundred thousand", "500,000"),
    ("5 hundred thousand", "five hundred thousand"),
    ("5 Thousand Million", "5 billion"),
    ("3 million 500 thousand", "3,500,000"),
    ("2 hundred dozen", "2,400"),
    ("pH 5~8", "pH 5-8"),
    ("pH 5~8", "pH 5 至 8"),
    ("pH 5～8", "pH 5~8"),
    ("pH 5～8", "pH 5–8"),
    ("pH ５～８", "pH 5 to 8"),
    ("pH 5\\~8", "pH 5-8"),
    ("pH 5～8～10", "pH 5-8-10"),
    ("5~8萬", "5 至 8萬"),
    ("5~8，20~25", "5-8, 20-25"),
    ("2~~4~~0", "240"),
    ("2~4~0", "240"),
    ("2**~~4~~**0", "240"),
]
DIFFERENT = [
    ("5百萬元", "500元"),
    ("5百萬元", "5元"),
    ("1百萬元", "5百萬元"),
    ("一百萬元", "5百萬元"),
    ("5百萬克", "500克"),
    ("3千萬", "3000"),
    ("3億5千萬", "3億5千"),
    ("3億5千萬", "3億"),
    ("3 億 5 千萬", "3 億 5 千"),
    ("3千5百萬", "3千5百"),
    ("5 hundred thousand", "5 hundred"),
    ("5 thousand million", "5 thousand"),
    ("pH 為 58", "pH 5~8"),
    ("pH 為 58", "pH 5～8"),
    ("58萬", "5~8萬"),
    ("240", "2 4 0"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_scales_and_ranges_are_read_as_they_are_meant(one: str, other: str) -> None:
    assert unsupported_numbers(one, [other]) == []
    assert unsupported_numbers(other, [one]) == []


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_scale_or_range_proves_no_other_number(one: str, other: str) -> None:
    assert unsupported_numbers(one, [other])
    assert unsupported_numbers(other, [one])


@pytest.mark.parametrize("said", ["2~~4~~0", "2~4~0"])
def test_digits_with_marks_between_are_one_number(said: str) -> None:
    assert unsupported_numbers(said, ["2, 4, 0"])


def test_figures_and_scales_without_end_are_read_in_no_time() -> None:
    assert unsupported_numbers("1千 " * 4000 + "5" + "億" * 8000, ["none"])
    assert unsupported_numbers("5~~8 " * 4000, ["none"])


@given(number=st.integers(1, 99_999_999), other=st.integers(1, 99_999_999))
def test_chinese_numeral_is_proven_by_its_own_figures_alone(
    number: int, other: int
) -> None:
    said = f"{in_chinese(number)}個月"

    assert unsupported_numbers(said, [f"{number} months"]) == []
    assert bool(unsupported_numbers(said, [f"{other} months"])) is (number != other)
    assert unsupported_numbers(f"{number} months", [said]) == []


@given(number=st.integers(1, 999), other=st.integers(1, 999))
def test_english_numeral_is_proven_by_its_own_figures_alone(
    number: int, other: int
) -> None:
    said = f"{in_english(number)} months"

    assert unsupported_numbers(said, [f"{number} 個月"]) == []
    assert bool(unsupported_numbers(said, [f"{other} 個月"])) is (number != other)
    assert unsupported_numbers(f"{number} months", [said]) == []


PIECES = st.lists(
    st.sampled_from(
        [
            *"零〇一二兩三十百千萬億廿半第點分之個月年天克的%0129.,;½*-壹參〡",
            "百分之",
            " ",
            "percent",
            "half",
            "dozen",
            "and a half",
            "two",
            "thirty",
            "hundred",
            "point",
            "once",
            "thirds",
            "56-81-5",
            "~",
            "～",
            "5百萬",
            "3億",
            " thousand",
            "&#51;",
        ]
    ),
    max_size=24,
)


@given(PIECES)
def test_numbers_of_a_passage_prove_themselves(pieces: list[str]) -> None:
    text = "".join(pieces)

    assert unsupported_numbers(text, [text]) == []


def test_endless_numeral_is_read_in_no_time() -> None:
    assert unsupported_numbers("九" * 8000 + "億" * 8000, ["none"])


def test_part_of_nothing_is_proven_by_the_same_words_alone() -> None:
    assert unsupported_numbers("零分之五", ["零分之五"]) == []
    assert unsupported_numbers("零分之五", ["五"]) == ["零分之五"]
