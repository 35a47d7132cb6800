"""`dossier formula read` answers from the file alone."""

from pathlib import Path
from typing import Any

import orjson
import pytest
from tests.factories.spreadsheets import csv_text, xlsx_bytes
from typer.testing import CliRunner

from dossier.cli import app

pytestmark = pytest.mark.process  # the table is read in a process of its own

ROWS = [
    ("INCI Name", "CAS No.", "% w/w", "% old"),
    ("Aqua", "7732-18-5", "q.s. to 100", "q.s. to 100"),
    ("Glycerin", "56-81-5", 5, 6),
]


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["formula", "read", *arguments])
    return result.exit_code, result.stdout


def read(path: Path, *options: str) -> dict[str, Any]:
    code, text = run(str(path), *options, "--json")
    assert code == 0, text
    content: dict[str, Any] = orjson.loads(text)
    return content


@pytest.fixture
def sheet(tmp_path: Path) -> Path:
    path = tmp_path / "formula.xlsx"
    path.write_bytes(xlsx_bytes(ROWS))
    return path


def test_lines_are_decimal_strings_with_their_cells(sheet: Path) -> None:
    content = read(sheet)

    assert content["sheet"] == "Formula"
    assert content["columns"] == {
        "inci": "INCI Name",
        "cas": "CAS No.",
        "percent": "% w/w",
    }
    line = content["lines"][0]
    assert {key: line[key] for key in ("inci", "cas", "unit", "is_qs", "cell")} == {
        "inci": "Aqua",
        "cas": "7732-18-5",
        "unit": "%",
        "is_qs": True,
        "cell": "C2",
    }
    assert (line["quantity"], line["min"], line["max"]) == ("95", "95", "95")
    assert content["total"] == {"min": "100", "max": "100"}
    assert content["findings"] == []
    assert "tables" not in content


def test_a_column_is_chosen_by_its_letter(sheet: Path) -> None:
    assert read(sheet, "--column", "D")["lines"][1]["quantity"] == "6"


def test_a_question_is_answered_without_lines_and_with_a_blocking_finding(
    tmp_path: Path,
) -> None:
    path = tmp_path / "formula.xlsx"
    path.write_bytes(xlsx_bytes(ROWS[:2], sheets={"Night": [*ROWS]}))

    content = read(path)

    assert (content["sheet"], content["lines"]) == (None, [])
    assert content["total"] == {"min": None, "max": None}
    assert content["findings"][0]["code"] == "ambiguous-sheet"
    assert read(path, "--sheet", "Night")["sheet"] == "Night"


def test_cells_of_delimited_text_have_numbers(tmp_path: Path) -> None:
    path = tmp_path / "formula.csv"
    path.write_text(csv_text(ROWS))

    assert read(path)["lines"][1]["cell"] == "R3C3"


def test_tables_that_make_one_formula_are_listed_each(tmp_path: Path) -> None:
    path = tmp_path / "formula.xlsx"
    rows = [("Part A",), *ROWS, (), ("Part B",), ("Ingredient", "%"), ("Parfum", 1)]
    path.write_bytes(xlsx_bytes(rows))

    tables = read(path)["tables"]

    assert [(table["title"], len(table["lines"])) for table in tables] == [
        ("Part A", 2),
        ("Part B", 1),
    ]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "file-not-read"),
        (b"PK\x03\x04 broken", "file-not-read"),
        (b"Month,Units\r\nJanuary,5\r\n", "no-formula-found"),
    ],
)
def test_a_file_without_a_formula_is_an_answer(
    content: bytes, code: str, tmp_path: Path
) -> None:
    path = tmp_path / "formula.csv"
    path.write_bytes(content)

    found = read(path)

    assert [each["code"] for each in found["findings"]] == [code]
    assert found["lines"] == []


def test_unusable_arguments_end_with_2(sheet: Path) -> None:
    assert run(str(sheet.with_name("missing.xlsx")))[0] == 2
    assert run(str(sheet), "--sheet", "Nowhere")[0] == 2
    assert run(str(sheet), "--column", "Z")[0] == 2


def test_the_text_shows_lines_total_and_notes(sheet: Path) -> None:
    code, text = run(str(sheet))

    assert code == 0
    assert "C3" in text
    assert "Glycerin" in text
    assert "Total: 100 %" in text
    assert "note: C1 The quantities were taken from C1 % w/w." in text
