"""Reasons for tests that were not made, as assessments give them."""

import pytest

from dossier.documents.facts.reading import read_facts
from dossier.documents.facts.types import FactName, PageText
from dossier.documents.facts.waivers import waiver_reasons


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("本產品不含水，因此微生物檢測得免附。", ["microbial"]),
        ("因本品為無水配方，免附防腐效能試驗。", ["challenge"]),
        (
            "鑑於本品酒精含量達 70 %，微生物檢測及防腐效能試驗無須執行。",
            ["microbial", "challenge"],
        ),
        (
            "安定性試驗符合規格，微生物檢測因不含水得免附。",
            ["microbial"],
        ),
        (
            "The challenge test is not required because\nthe product has no water.",
            ["challenge"],
        ),
        (
            "Microbiological and stability tests are waived due to alcohol. pH passed.",
            ["microbial", "stability"],
        ),
        (
            "Since it is anhydrous, no need for a preservative efficacy test is seen.",
            ["challenge"],
        ),
        ("因配方無水，微生物無法生長，免附防腐效能試驗。", ["challenge"]),
        ("因無水，微生物檢測免附，防腐效能試驗無需進行。", ["microbial", "challenge"]),
        ("微生物檢測得免附。", []),
        ("因本品含水，微生物檢測不得免附。", []),
        ("防腐效能試驗符合 A 準則，因此判定安全。", []),
        ("The stability test was not waived because the pack is new.", []),
        ("The stability report was read. No comment.", []),
    ],
)
def test_reason_counts_where_one_sentence_says_which_test_and_why(
    text: str, kinds: list[str]
) -> None:
    assert [each.value for each in waiver_reasons(text)] == kinds


def test_reason_is_read_in_an_assessment_with_its_sentence() -> None:
    text = "產品安全性評估結論\n因本品不含水，微生物檢測得免附。\n"

    facts = read_facts([PageText(3, text)])

    [fact] = facts[FactName.WAIVER_REASON]
    assert (fact.value, fact.page) == ("microbial", 3)
    assert "因本品不含水，微生物檢測得免附。" in fact.raw
    assert FactName.WAIVER_REASON not in read_facts([PageText(1, "微生物檢測" + text)])
