"""`dossier check` and `dossier regulations`, as a person runs them."""

import csv
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook
from tests.regulations.test_importing import exported
from typer.testing import CliRunner

from dossier.cli import app

FORMULA = """INCI,CAS,Function,%
Aqua,7732-18-5,Solvent,87.4
Octocrylene,6197-30-4,UV filter,12
Hydroquinone,123-31-9,,0.1
Phenoxyethanol,122-99-6,Preservative,0.4
CI 77491,,Colorant,0.1
"""


def run(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(app, [str(each) for each in arguments])
    return result.exit_code, result.stdout


@pytest.fixture
def formula(tmp_path: Path) -> Path:
    path = tmp_path / "formula.csv"
    path.write_text(FORMULA, "utf-8")
    return path


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DOSSIER_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def checked(formula: Path, *options: str) -> dict[str, Any]:
    code, out = run("check", formula, "--category", "sunscreen", "--json", *options)
    assert code == 0
    content: dict[str, Any] = json.loads(out)
    return content


def test_answer_has_every_line_with_verdicts_and_says_which_data_it_rests_on(
    formula: Path,
) -> None:
    content = checked(formula, "--market", "eu", "--as-of", "2026-12-01")

    assert content["total"] == {"min": "100.0", "max": "100.0"}
    assert [line["name"] for line in content["lines"]] == [
        "Aqua",
        "Octocrylene",
        "Hydroquinone",
        "Phenoxyethanol",
        "CI 77491",
    ]
    assert all(line["verdicts"] for line in content["lines"])
    assert content["data_set"]["id"].startswith("shipped-")
    assert content["data_set"]["as_of"] == "2026-08-28"
    assert content["data_set"]["known_gaps"]
    assert content["label_inci"] == (
        "Aqua, Octocrylene, Hydroquinone, Phenoxyethanol, CI 77491"
    )


def test_finding_names_rule_limit_margin_and_cell(formula: Path) -> None:
    content = checked(formula, "--market", "eu", "--as-of", "2026-12-01")
    findings = {each["ingredient"]: each for each in content["findings"]}

    over = findings["Octocrylene"]
    assert (over["rule"], over["limit"], over["margin"]) == ("VI/10", "10", "-2")
    assert over["place"]["cell"] == "R3C4"
    assert findings["Hydroquinone"]["limit"] is None
    assert set(findings) == {"Octocrylene", "Hydroquinone"}


def test_same_finding_keeps_its_id(formula: Path) -> None:
    first = checked(formula, "--market", "eu")["findings"]
    second = checked(formula, "--market", "eu")["findings"]

    assert [each["id"] for each in first] == [each["id"] for each in second]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--category", "moon_cream"], "Known:"),
        (["--category", "sunscreen", "--use", "rinse_off"], "leave_on"),
        (["--category", "sunscreen", "--as-of", "2020-01-01"], "begin on 2024-05-01"),
        (["--category", "sunscreen", "--as-of", "yesterday"], "--as-of"),
        (["--category", "sunscreen", "--ph", "abc"], "--ph"),
        (["--category", "sunscreen", "--ph", "NaN"], "--ph"),
        (["--category", "sunscreen", "--data-set", "none"], "Known:"),
        (["--category", "sunscreen", "--data-set", "../x"], "Known:"),
    ],
)
def test_unusable_input_ends_with_two_and_a_reason(
    formula: Path, options: list[str], words: str
) -> None:
    code, out = run("check", formula, "--market", "eu", "--json", *options)

    assert code == 2
    assert words in json.loads(out)["errors"][0]


def test_file_without_a_formula_ends_with_two(tmp_path: Path) -> None:
    path = tmp_path / "letter.csv"
    path.write_text("Dear all\n", "utf-8")

    code, _ = run("check", path, "--market", "eu", "--category", "sunscreen")

    assert code == 2


def test_categories_list_the_closed_values() -> None:
    code, out = run("categories", "--json")
    content = json.loads(out)

    assert code == 0
    assert content["values"]["use"] == ["leave_on", "rinse_off"]
    assert "aerosol" in content["values"]["form"]
    assert "children_under_3" in content["values"]["population"]


def test_imported_list_makes_another_set_that_a_check_can_name(
    formula: Path, tmp_path: Path
) -> None:
    rows = [
        {"ref": str(n), "chemical": f"Exemplin {n}", "maximum": "1 %"}
        for n in range(1, 40)
    ]
    rows.append(
        {"ref": "40", "chemical": "Octocrylene", "cas": "6197-30-4", "maximum": "20 %"}
    )
    path = tmp_path / "annex.csv"
    path.write_bytes(exported("VI", *rows))

    code, out = run(
        "regulations",
        "import",
        path,
        "--source",
        "cosing",
        "--annex",
        "VI",
        "--json",
        "--effective",
        "2026-01-01",
    )
    report = json.loads(out)
    content = checked(
        formula,
        "--market",
        "eu",
        "--data-set",
        report["data_set"],
        "--as-of",
        "2026-12-01",
    )

    assert code == 0
    assert (report["limit_cells"], report["structured"]) == (40, 40)
    assert content["data_set"]["id"] == report["data_set"]
    assert "Octocrylene" not in {each["ingredient"] for each in content["findings"]}
    assert checked(formula, "--market", "eu")["data_set"]["id"].startswith("shipped-")


def test_set_whose_file_was_changed_is_not_used(
    formula: Path, tmp_path: Path, home: Path
) -> None:
    rows = [{"ref": str(n), "chemical": f"Exemplin {n}"} for n in range(1, 41)]
    path = tmp_path / "annex.csv"
    path.write_bytes(exported("VI", *rows))
    _, out = run(
        *("regulations", "import", path, "--source", "cosing", "--annex", "VI"),
        "--json",
    )
    data_set = json.loads(out)["data_set"]
    stored = home / "regulations" / f"{data_set}.json"
    stored.write_text(stored.read_text("utf-8").replace("Exemplin 7", "X"), "utf-8")

    code, out = run(
        *("check", formula, "--market", "eu", "--category", "sunscreen", "--json"),
        *("--data-set", data_set),
    )

    assert code == 2
    assert "was changed" in json.loads(out)["errors"][0]


def test_report_counts_what_was_read_and_stores_nothing(
    tmp_path: Path, home: Path
) -> None:
    rows = [
        {"ref": str(n), "chemical": f"Exemplin {n}", "maximum": "1 %"}
        for n in range(1, 40)
    ]
    rows.append({"ref": "40", "chemical": "Exemplin", "maximum": "some"})
    path = tmp_path / "annex.csv"
    path.write_bytes(exported("VI", *rows))

    code, out = run(
        "regulations",
        "import",
        path,
        "--source",
        "cosing",
        "--annex",
        "VI",
        "--report",
        "--json",
    )
    report = json.loads(out)

    assert code == 0
    assert (report["structured"], report["text_only"]) == (39, 1)
    assert report["structured_share"] == "0.9750"
    assert report["reasons"] == {"words not in the grammar of limits": 1}
    assert not (home / "regulations").exists()


@pytest.mark.parametrize("suffix", ["xlsx", "zip"])
def test_list_is_read_from_a_workbook_or_an_archive(
    tmp_path: Path, suffix: str
) -> None:
    rows = [
        {"ref": str(n), "chemical": f"Exemplin {n}", "maximum": "0,5 %"}
        for n in range(1, 41)
    ]
    content = exported("VI", *rows)
    path = tmp_path / f"annex.{suffix}"
    if suffix == "zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("annex.csv", content)
    else:
        book = Workbook()
        sheet = book.create_sheet("annex", 0)
        for row in csv.reader(content.decode().splitlines()):
            sheet.append(row)
        book.save(path)

    code, out = run(
        *("regulations", "import", path, "--source", "cosing", "--annex", "VI"),
        *("--report", "--json"),
    )

    assert code == 0
    assert json.loads(out)["structured"] == 40


def test_older_list_is_imported_only_under_a_stated_day(tmp_path: Path) -> None:
    rows = [
        {"ref": str(n), "chemical": f"Exemplin {n}", "updated": "01/02/2015"}
        for n in range(1, 41)
    ]
    path = tmp_path / "annex.csv"
    path.write_bytes(exported("VI", *rows))
    command = ["regulations", "import", path, "--source", "cosing", "--annex", "VI"]

    refused, out = run(*command, "--json")
    stated, _ = run(*command, "--json", "--effective", "2015-03-01")

    assert (refused, stated) == (2, 0)
    assert "2015-02-01" in json.loads(out)["errors"][0]


@pytest.mark.parametrize(
    ("annex", "content", "words"),
    [
        ("VI", exported("VI", {"ref": "1", "chemical": "X"}), "truncated"),
        ("VI", exported("V", {"ref": "1", "chemical": "X"}), "Annex V, not VI"),
        ("VI", b"<html></html>", "web page"),
        ("IX", exported("VI", {"ref": "1", "chemical": "X"}), "Known:"),
    ],
)
def test_wrong_file_is_refused_and_nothing_is_stored(
    tmp_path: Path, home: Path, annex: str, content: bytes, words: str
) -> None:
    path = tmp_path / "annex.csv"
    path.write_bytes(content)

    code, out = run(
        "regulations", "import", path, "--source", "cosing", "--annex", annex, "--json"
    )

    assert code == 2
    assert words in json.loads(out)["errors"][0]
    assert not (home / "regulations").exists()
