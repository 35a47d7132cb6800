"""The result of a build as a summary and as JSON."""

from dataclasses import replace

from tests.cli.samples import build_result, finding, snapshot

from dossier.cli.builder.result import result_json, summary
from dossier.cli.builder.types import ImportedDocument, RefusedFile


def text(**overrides: object) -> str:
    return "\n".join(line.text for line in summary(build_result(**overrides)))


def test_summary_has_state_findings_files_and_outputs_in_this_order() -> None:
    assert text().splitlines() == [
        "",
        "玫瑰面霜 · Rose Cream (RC-1), market tw",
        "Version 2, new (3f2a9c01b7e4…)",
        "",
        (
            "Items: 14 of 16 complete (13 present, 1 declared, 0 waived,"
            " 0 not applicable); 0 blocked by a finding, 0 stale,"
            " 0 unconfirmed, 2 missing"
        ),
        "  declared     5  項目5 Item 5",
        "  missing     14  項目14 Item 14",
        "",
        "Blocking findings (1)",
        "  item 3: negative-rest in words [negative-rest]",
        "      negative-rest 說明",
        "      PIF Reg. Art. 3(1)(3) · formula.xlsx, sheet 配方, cell D7",
        "      closed by: a paper for item 3",
        "",
        "Warnings (1)",
        "  item 14: missing-item in words [missing-item]",
        "      missing-item 說明",
        "      PIF Reg. Art. 3(1)(14)",
        "      closed by: a paper for item 14",
        "",
        "To know (1)",
        "  item 1: note in words [note]",
        "      note 說明",
        "      PIF Reg. Art. 3(1)(1)",
        "      closed by: a paper for item 1",
        "",
        "Papers and the items they were matched to",
        "  formula.xlsx      item 3: stated in product.yaml (text in big5)",
        "  tests/locked.pdf  no item: no known word in the file name or the text",
        "",
        "Could not be read",
        "  tests/locked.pdf: encrypted: a password is needed",
        "  leak.pdf: a symbolic link that leads out",
        "",
        "pif.pdf         build/demo/pif.pdf",
    ]


def test_unchanged_build_reports_no_new_version() -> None:
    assert "nothing changed, so there is no new version" in text(is_new_version=False)


def test_finding_on_a_page_names_the_page() -> None:
    found = snapshot()
    found["findings"][0]["place"] = {"filename": "a.pdf", "sha256": "x", "page": 3}

    assert "a.pdf, page 3" in text(snapshot=found)


def test_wrong_file_name_is_shown_beside_the_match() -> None:
    word = replace(
        build_result().imported[0], actual_type="application/msword", encoding=None
    )

    assert (
        "  formula.xlsx  item 3: stated in product.yaml;"
        " its name is wrong, the content is application/msword"
    ) in text(imported=(word,))


def test_without_unread_files_there_is_no_heading_for_them() -> None:
    assert "Could not be read" not in text(imported=(), refused=())


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
        "items": snapshot()["items"],
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
        ImportedDocument(
            name="formula.xlsx",
            document_id="d1",
            is_duplicate=False,
            unreadable="noise",
        ),
    )
    gap = finding("missing-item", "blocking", 3)
    state = snapshot() | {"formula": None, "findings": [gap]}
    refused = (RefusedFile("long.csv", "the formula has 5000 lines"),)

    lines = text(
        snapshot=state, imported=imported, formula_refused=refused
    ).splitlines()

    at = lines.index("      closed by: a paper for item 3")
    assert lines[at + 1 : at + 3] == [
        "      not imported: long.csv: the formula has 5000 lines",
        "      not imported: formula.xlsx: noise",
    ]
    assert "  long.csv: the formula has 5000 lines" in lines
