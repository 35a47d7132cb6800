"""The command `dossier document read`."""

import json
from pathlib import Path

import pytest
from tests.factories.documents import pdf_bytes
from typer.testing import CliRunner

from dossier.cli import app


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["document", "read", *arguments])
    return result.exit_code, result.stdout


def test_read_document_is_shown_as_json(tmp_path: Path) -> None:
    path = tmp_path / "report.pdf"
    path.write_bytes(pdf_bytes(["First page", "Second"]))

    code, out = run(str(path), "--json")

    assert code == 0
    assert json.loads(out) == {
        "type": "application/pdf",
        "kind": None,
        "state": "read",
        "pages": [
            {"number": 1, "state": "read", "characters": 9},
            {"number": 2, "state": "read", "characters": 6},
        ],
        "text": "First page\n\nSecond",
        "warnings": [],
        "facts": {},
    }


def test_unreadable_document_is_an_answer_with_its_reason(tmp_path: Path) -> None:
    path = tmp_path / "empty.pdf"
    path.touch()

    code, out = run(str(path), "--json")
    _, words = run(str(path))

    assert code == 0
    assert json.loads(out)["state"] == "unreadable"
    assert json.loads(out)["warnings"] == [
        {
            "code": "unreadable-empty",
            "message": {"zh": "檔案沒有內容", "en": "the file has 0 bytes"},
            "place": None,
        }
    ]
    assert "cannot be read" in words
    assert "檔案沒有內容" in words


def test_kind_is_that_of_the_content_whatever_the_file_is_called(
    tmp_path: Path,
) -> None:
    path = tmp_path / "stability.pdf"
    path.write_bytes(
        pdf_bytes(["GMP Certificate\nISO 22716\nCertificate No.: 7\nScope: filling"])
    )

    assert json.loads(run(str(path), "--json")[1])["kind"] == "gmp"


@pytest.mark.parametrize("command", ["document", "formula"])
@pytest.mark.parametrize(
    ("name", "reason"), [("none.pdf", "no such file"), ("", "is a directory")]
)
def test_what_is_no_file_is_an_unusable_argument(
    tmp_path: Path, command: str, name: str, reason: str
) -> None:
    path = str(tmp_path / name)

    result = CliRunner().invoke(app, [command, "read", path, "--json"])

    assert result.exit_code == 2
    assert json.loads(result.stdout)["errors"][0].endswith(f": {reason}")
    assert result.stderr.startswith(f"dossier {command} read: ")


def test_command_without_a_file_is_an_unusable_argument() -> None:
    assert run()[0] == 2
