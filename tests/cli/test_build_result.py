"""The result of a build as a summary and as JSON."""

from dataclasses import replace
from typing import Any
from uuid import UUID

import yaml
from tests.cli.samples import build_result, finding, item, judgement, snapshot

from dossier.cli.builder.result import result_json, summary
from dossier.cli.builder.types import ChosenFormula, ImportedDocument, RefusedFile
from dossier.pif.rules.changes import composition_sha256


def text(**overrides: object) -> str:
    return "\n".join(line.text for line in summary(build_result(**overrides)))


def test_summary_has_state_findings_formula_papers_and_outputs_in_this_order() -> None:
    assert text().splitlines() == [
        "",
        "玫瑰面霜 · Rose Cream (RC-1), market tw",
        "Version 2, new (3f2a9c01b7e4…)",
        "",
        ("Items: 13 complete + 1 blocked + 0 unconfirmed + 0 stale + 2 missing = 16"),
        "  blocked      3  項目3 Item 3",
        "  declared     5  項目5 Item 5",
        "  missing     14  項目14 Item 14",
        "",
        "Blocking findings (1)",
        "  item 3: negative-rest in words [negative-rest]",
        "      negative-rest 說明",
        (
            "      formula.xlsx, sheet 配方, cell D7 · PIF Reg. Art. 3(1)(3)"
            " · closed by: a paper for item 3"
        ),
        "",
        "Warnings (1)",
        (
            "  item 14: missing-item in words [missing-item]"
            " · closed by: a paper for item 14"
        ),
        "",
        "To know (1)",
        "  item 1: note in words [note]",
        "      note 說明",
        "      PIF Reg. Art. 3(1)(1) · closed by: a paper for item 1",
        "",
        "Formula: formula.xlsx, sheet 配方, 2 lines",
        "",
        "Papers (3): 1 were read and count",
        "  formula.xlsx      counts for item 3; read as text in big5",
        (
            "  tests/locked.pdf  no item: no known word in the file name or the text;"
            " not read: encrypted: a password is needed"
        ),
        "  leak.pdf          not read: a symbolic link that leads out",
        "",
        "Written to build/demo: pif.pdf",
    ]


def paper(**members: Any) -> ImportedDocument:
    values: dict[str, Any] = {
        "name": "a.pdf",
        "document_id": "d1",
        "is_duplicate": False,
        "unreadable": None,
    }
    return ImportedDocument(**values | members)


def lines_about_papers(*papers: ImportedDocument, **overrides: object) -> list[str]:
    lines = text(imported=papers, refused=(), **overrides).splitlines()
    return lines[
        lines.index("", lines.index("Formula: formula.xlsx, sheet 配方, 2 lines"))
        + 1 : -2
    ]


def test_papers_that_count_take_one_line_in_the_order_of_their_items() -> None:
    state = snapshot()
    state["evidence"] = [
        state["evidence"][0] | {"document_id": "d1", "items": [11]},
        state["evidence"][0] | {"document_id": "d2", "items": [9, 10]},
    ]
    state["items"] = [
        item(9, "present", judgement("d2", "present", "was read")),
        item(11, "present", judgement("d1", "present", "was read")),
    ]

    lines = lines_about_papers(
        paper(), paper(document_id="d2", name="b.pdf"), snapshot=state
    )

    assert lines == [
        "Papers (2): 2 were read and count",
        "  by item: 9, 10 b.pdf · 11 a.pdf",
    ]


def test_paper_linked_where_none_is_judged_does_not_count() -> None:
    state = snapshot() | {"items": [item(3, "present")]}

    assert lines_about_papers(paper(), snapshot=state) == [
        "Papers (1): 0 were read and count",
        "  a.pdf  linked to item 3, but counts for no requirement of it",
    ]


def test_paper_that_the_formula_was_read_from_counts() -> None:
    state = snapshot() | {"items": [item(3, "present")]}
    state["evidence"][0]["document_id"] = str(UUID(int=1))

    lines = lines_about_papers(paper(document_id=str(UUID(int=1))), snapshot=state)

    assert lines[1:] == ["  by item: 3 a.pdf"]


def test_paper_that_does_not_count_names_the_one_that_does() -> None:
    expired = judgement("d1", "stale", "was valid until 2025-04-17")
    valid = judgement("d2", "present", "was read")
    state = snapshot() | {"items": [item(5, "present", expired, valid)]}
    state["evidence"] = [
        state["evidence"][0] | {"document_id": name, "items": [5]}
        for name in ("d1", "d2")
    ]

    lines = lines_about_papers(
        paper(), paper(document_id="d2", name="b.pdf"), snapshot=state
    )

    assert lines[1:] == [
        "  by item: 5 b.pdf",
        "  a.pdf  does not count for item 5: was valid until 2025-04-17; b.pdf counts",
    ]


def test_paper_that_is_unconfirmed_says_why() -> None:
    draft = judgement("d1", "unconfirmed", "is a draft or marked as unsigned")
    state = snapshot() | {"items": [item(3, "unconfirmed", draft)]}

    assert lines_about_papers(paper(), snapshot=state)[1:] == [
        "  a.pdf  is unconfirmed for item 3: is a draft or marked as unsigned"
    ]


def test_paper_of_an_earlier_formula_has_its_line_of_product_yaml() -> None:
    changed = judgement("d1", "stale", "was linked before", "formula_changed")
    line = {"inci": "Aqua", "percent_lower": "0", "percent_upper": None, "is_qs": True}
    formula = snapshot()["formula"] | {"lines": [line]}
    state = snapshot() | {"items": [item(11, "stale", changed)], "formula": formula}

    lines = text(snapshot=state, imported=(paper(),)).splitlines()

    start = next(n for n, each in enumerate(lines) if each.endswith(": confirmed:"))
    text_of = "confirmed:\n" + lines[start + 1]
    stated = yaml.load(text_of, yaml.BaseLoader)  # noqa: S506 - it keeps "on" as text
    assert stated["confirmed"] == [
        {
            "file": "a.pdf",
            "item": "11",
            "requirement": "tw-11",
            "sha256": "5" * 64,
            "formula": composition_sha256({"Aqua": "q.s."})[:12],
            "reason": "",
            "by": "",
            "on": "",
        }
    ]


def test_unread_paper_says_which_item_stays_unconfirmed() -> None:
    unread = judgement("d1", "unconfirmed", "cannot be read")
    state = snapshot() | {"items": [item(3, "unconfirmed", unread)]}

    assert lines_about_papers(paper(unreadable="a picture"), snapshot=state)[1:] == [
        "  a.pdf  not read: a picture; item 3 stays unconfirmed"
    ]


def warning(code: str, en: str, place: str | None = None) -> dict[str, Any]:
    return {"code": code, "message": {"en": en}, "place": place}


def test_equal_warnings_of_several_pages_are_one_remark_and_logos_none() -> None:
    warnings = (
        *(
            warning("picture-not-read", "words were not read", f"page {n}")
            for n in (2, 3)
        ),
        warning("small-pictures", "2 pictures"),
    )

    lines = lines_about_papers(paper(is_read_partly=True, warnings=warnings))

    assert lines[1:] == [
        (
            "  a.pdf  counts for item 3; read partly (page 2 and 1 more):"
            " words were not read"
        )
    ]


def test_only_the_first_remarks_of_a_reading_are_shown() -> None:
    warnings = tuple(warning("struck", f"text {number}") for number in range(5))

    [line] = lines_about_papers(paper(warnings=warnings))[1:]

    assert line == (
        "  a.pdf  counts for item 3; read: text 0; read: text 1; read: text 2;"
        " 2 more remarks on its reading"
    )


def test_notes_of_the_formula_are_shown_by_what_was_decided() -> None:
    notes = (
        {"kind": "chosen", "en": "Sheet A was read.", "cell": None},
        {"kind": "assumed", "en": "Fractions.", "cell": "D1"},
        {"kind": "chosen", "en": "Column D was read.", "cell": "D1"},
        {"kind": "remark", "en": "confidential", "cell": "A1"},
    )

    lines = text(formula=ChosenFormula(UUID(int=1), "f.xlsx", notes)).splitlines()

    at = lines.index("Formula: f.xlsx, sheet 配方, 2 lines")
    assert lines[at + 1 : at + 4] == [
        "  chosen    Sheet A was read. Column D was read.",
        "  assumed   Fractions.",
        "",
    ]


def test_undecided_formula_and_one_of_an_earlier_import_are_named() -> None:
    state = snapshot()
    state["formula"] = {
        "number": 2, "sheet": "", "lines": [], "filename": "old.xlsx"
    }  # fmt: skip

    undecided = text(snapshot=state)
    earlier = text(snapshot=state, formula=ChosenFormula())

    assert "\nFormula: not decided, no line was read\n" in undecided
    assert (
        "\nFormula: version 2 of an earlier import (old.xlsx); this folder holds none\n"
    ) in earlier


def test_more_than_five_findings_of_a_severity_take_one_line_each() -> None:
    state = snapshot()
    state["findings"] = [finding("stale", "warning", number) for number in range(1, 7)]

    lines = text(snapshot=state).splitlines()

    at = lines.index("Warnings (6)")
    assert lines[at + 1 : at + 8] == [
        *(
            f"  item {number}: stale in words [stale]"
            f" · closed by: a paper for item {number}"
            for number in range(1, 7)
        ),
        "",
    ]


def test_finding_that_follows_from_another_takes_one_line() -> None:
    found = snapshot()
    found["findings"] = [
        finding("other-product", "warning", 14, id="x"),
        finding("missing-item", "blocking", 14, caused_by="x"),
        finding("missing-requirement", "info", 16, caused_by="gone"),
    ]

    lines = text(snapshot=found).splitlines()

    assert [line for line in lines if "follows from" in line] == [
        (
            "  item 14: missing-item in words [missing-item]"
            " (follows from other-product)"
        ),
        (
            "  item 16: missing-requirement in words [missing-requirement]"
            " (follows from another finding)"
        ),
    ]


def test_same_bytes_under_two_names_are_said_to_be_one_file() -> None:
    state = snapshot()
    state["evidence"][0]["document_id"] = "d1"

    lines = lines_about_papers(paper(), paper(name="copy.pdf"), snapshot=state)

    assert lines[1:] == ["  by item: 3 a.pdf", "  copy.pdf  the same file as a.pdf"]


def test_unchanged_build_reports_no_new_version() -> None:
    assert "nothing changed, so there is no new version" in text(is_new_version=False)


def test_finding_on_a_page_names_the_page() -> None:
    found = snapshot()
    found["findings"][2]["place"] = {"filename": "a.pdf", "sha256": "x", "page": 3}

    assert "a.pdf, page 3" in text(snapshot=found)


def test_wrong_file_name_is_shown_beside_the_match() -> None:
    word = replace(
        build_result().imported[0], actual_type="application/msword", encoding=None
    )

    assert (
        "  formula.xlsx  counts for item 3; its name is wrong, the content is"
        " application/msword"
    ) in text(imported=(word,))


def test_json_holds_the_same_with_blocking_findings_first() -> None:
    body = result_json(build_result())

    assert [entry["code"] for entry in body.pop("findings")] == [
        "negative-rest",
        "missing-item",
        "note",
    ]
    assert body == {
        "schema": "dossier.build/1",
        "product": snapshot()["product"],
        "market": "tw",
        "version": {"number": 2, "sha256": "3f2a9c01b7e45d", "created": True},
        "completeness": snapshot()["completeness"],
        "items": [
            {key: entry[key] for key in ("number", "title_zh", "title_en", "state")}
            for entry in snapshot()["items"]
        ],
        "formula": {"file": "formula.xlsx", "sheet": "配方", "lines": 2, "notes": ()},
        "papers": [
            {
                "name": "formula.xlsx",
                "document_id": "d1",
                "duplicate": False,
                "encoding": "big5",
                "misnamed": None,
                "items": [3],
                "matched_by": "stated",
                "reason": "stated in product.yaml",
                "remarks": ["read as text in big5"],
            },
            {
                "name": "tests/locked.pdf",
                "document_id": "d2",
                "duplicate": False,
                "encoding": None,
                "misnamed": None,
                "items": [],
                "matched_by": None,
                "reason": "no known word in the file name or the text",
                "remarks": ["not read: encrypted: a password is needed"],
            },
        ],
        "unread": [
            {"name": "tests/locked.pdf", "reason": "encrypted: a password is needed"},
            {"name": "leak.pdf", "reason": "a symbolic link that leads out"},
        ],
        "outputs": {"pif.pdf": "build/demo/pif.pdf"},
        "seconds": {"reading": 1.5},
    }


def test_refused_formula_is_shown_below_the_finding_it_leaves_open() -> None:
    imported = (
        paper(name="formula.xlsx", unreadable="noise"),
        paper(name="long.csv", document_id="d3"),
    )
    gap = finding("missing-item", "blocking", 3)
    state = snapshot() | {"formula": None, "findings": [gap]}
    refused = (RefusedFile("long.csv", "the formula has 5000 lines"),)

    lines = text(
        snapshot=state, imported=imported, formula=ChosenFormula(refused=refused)
    ).splitlines()

    at = lines.index(
        "  item 3: missing-item in words [missing-item] · closed by: a paper for item 3"
    )
    assert lines[at + 1 : at + 3] == [
        "      not imported: long.csv: the formula has 5000 lines",
        "      not imported: formula.xlsx: noise",
    ]
    assert lines[-4] == (
        "  long.csv      no item; not imported as the formula: the formula has 5000"
        " lines"
    )
