"""Fixed words are said in the language and the script of the question."""

import pytest

from dossier.chat.rules.replies import closest, language_of, not_ready


@pytest.mark.parametrize(
    ("question", "language"),
    [
        ("What is the shelf life?", "en"),
        ("瓶盖扭力值是多少？", "zh-Hans"),
        ("产品的保存期限是多久？", "zh-Hans"),
        ("瓶蓋扭力值是多少？", "zh"),
        ("台北工廠在哪裡？", "zh"),
        ("甘油的含量是多少？", "zh"),
        ("INCI 名称 of 台灣玫瑰精油與香葉醇？", "zh"),
    ],
)
def test_language_and_script_are_those_of_the_question(
    question: str, language: str
) -> None:
    assert language_of(question) == language


def test_simplified_question_gets_simplified_words() -> None:
    said = closest("zh-Hans") + not_ready("zh-Hans", ["a.pdf"])

    assert language_of(said) == "zh-Hans"
