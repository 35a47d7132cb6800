"""Fixed words are said in the language and the script of the question."""

from typing import get_args

import pytest

from dossier.chat.rules.replies import closest, language_of, not_ready
from dossier.knowledge.constants import NotReadyState


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
    states = [(f"{state}.pdf", state) for state in get_args(NotReadyState)]
    said = "".join([closest("zh-Hans"), *not_ready("zh-Hans", states)])

    assert language_of(said) == "zh-Hans"
