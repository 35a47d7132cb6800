"""Exit codes and output of `dossier build`."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from dossier.cli.build import app

FACTS = """\
name_en: Rose Cream
category: face_cream
use: leave_on
holder: {name: Jiyue}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "papers"
    folder.mkdir()
    (folder / "label.txt").write_text("label")
    (folder / "product.yaml").write_text(FACTS)
    return folder


def run(folder: Path, *options: str) -> tuple[int, str, str]:
    out = str(folder.parent / "out")
    result = CliRunner().invoke(app, [str(folder), "-o", out, *options])
    return result.exit_code, result.stdout, result.stderr


def test_missing_folder_is_unusable(tmp_path: Path) -> None:
    code, _, stderr = run(tmp_path / "nowhere")

    assert code == 2
    assert stderr == f"dossier build: {tmp_path / 'nowhere'}: there is no such folder\n"


def test_folder_with_nothing_usable_is_unusable(folder: Path) -> None:
    (folder / "label.txt").write_text("")

    code, _, stderr = run(folder)

    assert code == 2
    assert "no file in this folder can be used as a document" in stderr
    assert "label.txt: the file is empty (0 bytes)" in stderr


def test_faults_of_the_product_file_name_their_lines(folder: Path) -> None:
    (folder / "product.yaml").write_text(FACTS.replace("leave_on", "never"))

    code, _, stderr = run(folder)

    assert code == 2
    assert "product.yaml:3: use: Input should be 'leave_on' or 'rinse_off'" in stderr


def test_unknown_category_lists_the_known_ones(folder: Path) -> None:
    code, _, stderr = run(folder, "--product", "category=moon_cream")

    assert code == 2
    assert "--product: category: There is no category 'moon_cream'" in stderr
    assert "face_cream" in stderr


def test_options_set_fields(folder: Path) -> None:
    code, _, stderr = run(folder, "--use", "never", "--category", "moon_cream")

    assert code == 2
    assert "--product: use: Input should be" in stderr
    assert "--product: category: There is no category 'moon_cream'" in stderr


def test_unknown_market_is_unusable(folder: Path) -> None:
    code, _, stderr = run(folder, "--market", "moon")

    assert code == 2
    assert "--market moon: not a market that is known; known: tw" in stderr


def test_file_in_the_place_of_the_output_folder_is_unusable(folder: Path) -> None:
    (folder.parent / "out").touch()

    code, _, stderr = run(folder)

    assert code == 2
    assert "cannot hold the results" in stderr


def test_json_option_prints_the_reasons_as_json(folder: Path) -> None:
    code, printed, _ = run(folder, "--market", "moon", "--json")

    assert code == 2
    assert json.loads(printed) == {
        "errors": ["--market moon: not a market that is known; known: tw"]
    }
