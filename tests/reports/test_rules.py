"""Orders and names in a report."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.reports import samples

from dossier.reports.rules import (
    archive_index,
    download_name,
    facts_shown,
    findings_of_lines,
    items_served,
    matching_words,
    ordered_findings,
    original_path,
    state_shown,
    status_of,
    title_of,
)

FINDINGS = st.lists(
    st.fixed_dictionaries(
        {
            "severity": st.sampled_from(["blocking", "warning", "info"]),
            "item": st.none() | st.integers(1, 16),
            "n": st.integers(),
        }
    )
)


@given(FINDINGS)
def test_findings_come_blocking_first_then_by_item(findings: list[dict]) -> None:  # type: ignore[type-arg] # any members
    ordered = ordered_findings(findings)

    ranks = [
        (["blocking", "warning", "info"].index(f["severity"]), f["item"] or 99)
        for f in ordered
    ]
    assert ranks == sorted(ranks)
    assert sorted(map(repr, ordered)) == sorted(map(repr, findings))


@pytest.mark.parametrize(
    ("filename", "path"),
    [
        ("GMP 證書.pdf", "originals/item-09/E03_GMP 證書.pdf"),
        ("../../etc/passwd", "originals/item-09/E03_passwd"),
        ("C:\\temp\\a.xlsx", "originals/item-09/E03_a.xlsx"),
        ("..", "originals/item-09/E03_document"),
        ("a\x00b\nc\u202e.pdf", "originals/item-09/E03_ab c.pdf"),
        ("配" * 100 + ".pdf", "originals/item-09/E03_" + "配" * 66 + ".pdf"),
    ],
)
def test_original_keeps_its_name_without_folders(filename: str, path: str) -> None:
    assert original_path(3, filename, [10, 9]) == path


@given(st.integers(1, 500), st.text(), st.lists(st.integers(1, 16)))
def test_no_file_name_leads_out_of_the_folder(
    position: int, filename: str, items: list[int]
) -> None:
    path = original_path(position, filename, items)

    folder, of_item, name = path.split("/")
    assert folder == "originals"
    assert re.fullmatch(r"item-\d\d|no-item", of_item)
    assert name not in {".", ".."}
    assert name.isprintable()
    assert len(name.encode()) <= 255


@pytest.mark.parametrize(
    ("names", "title"),
    [
        (("玫瑰霜", "Rose Cream"), "玫瑰霜 Rose Cream"),
        ((None, "Rose Cream"), "Rose Cream"),
        ((None, None), ""),
    ],
)
def test_title_joins_the_existing_names(
    names: tuple[str | None, str | None], title: str
) -> None:
    assert title_of(*names) == title


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("玫瑰霜 Rose Cream", "玫瑰霜 Rose Cream v3 pif.pdf"),
        ('a/b\\c:d"e', "a-b-c-d-e v3 pif.pdf"),
        ("", "PIF v3 pif.pdf"),
    ],
)
def test_a_download_is_named_after_product_and_version(title: str, name: str) -> None:
    assert download_name(title, 3, "pif.pdf") == name


NO_ITEMS = {"missing": 0, "blocked": 0, "stale": 0, "unconfirmed": 0, "complete": 0}


@pytest.mark.parametrize(
    ("completeness", "status"),
    [
        ({"missing": 1, "stale": 1}, "blocked"),
        ({"blocked": 1}, "blocked"),
        ({"stale": 1}, "open"),
        ({"unconfirmed": 1}, "open"),
        ({"complete": 16}, "complete"),
        ({"complete": 16, "status": "open"}, "open"),
    ],
)
def test_status_is_that_of_the_worst_count(
    completeness: dict[str, Any], status: str
) -> None:
    assert status_of(NO_ITEMS | completeness, []) == status


def test_status_of_counts_from_before_blocked_follows_the_findings() -> None:
    counts = {"missing": 0, "stale": 0, "complete": 16}

    assert status_of(counts, []) == "complete"
    assert status_of(counts, [samples.finding(severity="warning")]) == "complete"
    assert status_of(counts, [samples.finding(severity="blocking")]) == "blocked"


@pytest.mark.parametrize(
    ("state", "severity", "item", "shown"),
    [
        ("present", "blocking", 3, "blocked"),
        ("declared", "blocking", 3, "blocked"),
        ("missing", "blocking", 3, "missing"),
        ("present", "warning", 3, "present"),
        ("present", "blocking", 4, "present"),
    ],
)
def test_complete_item_with_a_blocking_finding_of_its_own_shows_blocked(
    state: str, severity: str, item: int, shown: str
) -> None:
    finding = samples.finding(severity=severity, item=item)

    assert state_shown({"number": 3, "state": state}, [finding]) == shown


def _paper(kind: str | None, *facts: tuple[str, str, str, int | None]) -> Any:
    return {
        "kind": kind,
        "facts": [
            {"name": name, "value": value, "raw": raw, "page": page}
            for name, value, raw, page in facts
        ],
    }


def test_facts_come_in_the_order_of_an_inspection_with_words_beside_codes() -> None:
    rows = facts_shown(
        _paper(
            "gmp",
            ("site", "plant one", "Plant  One", 1),
            ("valid_until", "2028-04-17", "17 April\n2028", 2),
            ("signature", "signed", "Lin Yu-Chen", 2),
            ("verdict", "pass", "x" * 500, 3),
        )
    )

    assert [row["name"] for row in rows] == [
        "verdict",
        "valid_until",
        "signature",
        "site",
    ]
    assert len(rows[0]["words"]) == 240
    assert (rows[1]["value"], rows[1]["words"]) == ("2028-04-17", "17 April 2028")
    assert (rows[2]["value"], rows[2]["words"]) == ("signed", "Lin Yu-Chen")
    assert (rows[3]["value"], rows[3]["words"]) == ("Plant One", "")


def test_facts_that_a_document_repeats_are_one_row_with_all_pages() -> None:
    rows = facts_shown(
        _paper(
            "sds", ("lot", "A1", "A1", 2), ("lot", "A1", "A1", 1), ("lot", "B", "B", 3)
        )
    )

    assert [(row["value"], row["pages"]) for row in rows] == [
        ("A1", [1, 2]),
        ("B", [3]),
    ]


def test_ingredients_of_a_formula_sheet_are_left_to_the_composition() -> None:
    facts = (("cas_number", "56-81-5", "56-81-5", None), ("lot", "A1", "A1", None))

    assert [row["name"] for row in facts_shown(_paper("formula", *facts))] == ["lot"]
    assert len(facts_shown(_paper("sds", *facts))) == 2


def test_fact_of_an_unknown_name_comes_last_and_is_kept() -> None:
    rows = facts_shown(_paper(None, ("novelty", "x", "x", 1), ("lot", "A", "A", 1)))

    assert [row["name"] for row in rows] == ["lot", "novelty"]


@pytest.mark.parametrize(
    ("matched_by", "reason", "zh", "en"),
    [
        (
            "content",
            "content says GMP 證書",
            "內容載有「GMP 證書」",
            "Its text says “GMP 證書”",
        ),
        (
            "filename",
            "file name contains 'gmp'; content says gmp (3x), iso 22716 (1x)",
            "檔名含有「gmp」，內容載有「gmp, iso 22716」",
            "Its file name has “gmp”; its text says “gmp, iso 22716”",
        ),
        ("filename", None, "依檔名歸類", "By its file name"),
        ("content", "text is short", "text is short", "Text is short"),
        ("stated", "stated in product.yaml", "由人員指定", "Assigned by a person"),
        ("user", "正式版", "由人員指定：正式版", "Assigned by a person: 正式版"),
    ],
)
def test_reason_of_a_match_reads_as_a_sentence_in_both_languages(
    matched_by: str, reason: str | None, zh: str, en: str
) -> None:
    words = matching_words({"matched_by": matched_by, "reason": reason})

    assert words == {"zh": zh, "en": en}


def _place(cell: str, **members: Any) -> dict[str, Any]:
    return {
        "filename": "f.xlsx",
        "sha256": "a" * 64,
        "sheet": "S",
        "cell": cell,
    } | members


@pytest.mark.parametrize(
    ("members", "positions"),
    [
        ({"place": _place("D7")}, [2]),
        ({"place": _place("H8")}, [3, 4]),
        ({"place": _place("B7")}, [2]),
        ({"place": _place("D7", sheet="Old")}, []),
        ({"place": _place("D7", sha256="b" * 64)}, []),
        ({"ingredient": "glycerin"}, [2]),
        ({"ingredient": "56-81-5"}, [2]),
        ({"place": _place("F99")}, []),
        ({}, []),
    ],
)
def test_finding_belongs_to_the_lines_of_its_cell_row_or_ingredient(
    members: dict[str, Any], positions: list[int]
) -> None:
    cells = {1: "D6", 2: "D7", 3: "D8", 4: "E8"}
    names = {2: {"inci": "Glycerin", "cas": "56-81-5"}}
    nothing = {"inci": None, "trade_name": None, "cas": None}
    formula = {
        "sheet": "S",
        "sha256": "a" * 64,
        "lines": [
            nothing | {"position": number, "cell": cell} | names.get(number, {})
            for number, cell in cells.items()
        ],
    }

    of_lines, others = findings_of_lines(formula, [samples.finding(item=3, **members)])

    assert of_lines == {position: [1] for position in positions}
    assert others == ([] if positions else [1])


def test_index_lists_a_label_that_meets_another_item_there_too() -> None:
    snapshot = samples.snapshot()
    label = samples.document_id(3)
    snapshot["items"][6]["requirements"][0]["documents"].append(label)

    assert items_served(snapshot)[2] == [4, 7]
    assert archive_index(snapshot).count("originals/item-04/E03_label") == 2


def test_index_lists_a_paper_under_each_of_its_items_by_one_path() -> None:
    index = archive_index(samples.snapshot())

    listed = [line.strip() for line in index.splitlines() if "E06_" in line]
    assert len(listed) == 2
    assert len(set(listed)) == 1
    assert listed[0].startswith("originals/item-09/E06_sds_glycerin")
    assert "13  防腐效能 Preservation\n    無文件 no paper" in index
