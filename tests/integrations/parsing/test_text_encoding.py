"""Which encoding a text has; the bytes alone prove nothing."""

import pytest

from dossier.integrations.parsing.exceptions import (
    UnreadableFileError,
    UnreadableReason,
)
from dossier.integrations.parsing.text_encoding import decoded

TEXTS = {
    "big5": [
        "成分 水、甘油、玫瑰花水",
        "玫瑰保濕霜 鉛含量 2 ppm，限量 10 ppm",
        "名稱,百分比\n水,80\n甘油,5\n",
    ],
    "gb18030": [
        "稳定性试验报告 样品在40℃下存放三个月，颜色无变化。",
        "玫瑰保湿霜",
        "名称,百分比\n水,80\n甘油,5\n",
    ],
    "euc-kr": [
        "안정성 시험 보고서: 크림은 40도에서 6개월 동안 보관되었다.",
        "정제수,80\n글리세린,5\n",
    ],
    "shift-jis": [
        "安定性試験報告書 クリームは40℃で6ヶ月間保管されました。",
        "製品名：ローズクリーム",
    ],
    "euc-jp": ["精製水,80\nグリセリン,5\n"],
    "windows-1252": [
        "Größe der Tube: 50 ml, Lagerung bei 25 °C",
        "25°C",
        "pH 5,5 ± 0,2; 10 µm",
        "Product \u201cRose\u201d\u2019s",
        "µg/g",
        "Crème à la rose \u2013 été",
    ],
    "utf-8": ["玫瑰 25 °C"],
    "utf-16": ["玫瑰 25 °C"],
}
PYTHON_NAMES = {"big5": "cp950", "euc-kr": "cp949", "shift-jis": "cp932"}


@pytest.mark.parametrize(
    ("encoding", "text"),
    [(encoding, text) for encoding, texts in TEXTS.items() for text in texts],
)
def test_a_text_is_read_in_its_own_encoding(encoding: str, text: str) -> None:
    content = text.encode(PYTHON_NAMES.get(encoding, encoding))

    assert decoded(content) == (text, encoding)


@pytest.mark.parametrize(
    "content",
    [
        b"\xff\x80\x81 \xfe\xff",
        "Методика испытания крема при 40 градусах".encode("cp1251"),
        "Μέθοδος δοκιμής κρέμας".encode("cp1253"),
        "ทดสอบความคงตัวของครีม".encode("cp874"),
        "รายงานผลการทดสอบความคงตัวของครีมกุหลาบ".encode("cp874"),
        "Świadectwo jakości kremu różanego, próbka zgodna".encode("cp1250"),
        b"25\xf8C tested and found good",  # the degree sign of DOS
        "化粧水".encode("cp932"),  # without kana nothing tells it from others
        b"\x00\x01\x02\x03",
    ],
    ids=[
        "bytes",
        "Russian",
        "Greek",
        "Thai",
        "more Thai",
        "Polish",
        "DOS",
        "three characters",
        "controls",
    ],
)
def test_a_text_without_evidence_is_refused(content: bytes) -> None:
    with pytest.raises(UnreadableFileError) as caught:
        decoded(content)

    assert caught.value.reason is UnreadableReason.UNDECODABLE
    assert "save it as UTF-8" in caught.value.detail


@pytest.mark.parametrize("text", TEXTS["big5"] + TEXTS["gb18030"] + TEXTS["euc-kr"])
def test_no_text_becomes_one_of_another_script(text: str) -> None:
    for codec in ("cp950", "gb18030", "cp949", "cp932", "euc_jp", "utf-16-le"):
        try:
            content = text.encode(codec)
        except UnicodeEncodeError:
            continue
        try:
            found, _ = decoded(content)
        except UnreadableFileError:
            continue
        assert found == text
