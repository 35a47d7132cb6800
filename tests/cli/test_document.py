"""The command `dossier document read`."""

import json
from pathlib import Path

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
        "kind": "pdf",
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
    assert "unreadable" in words
    assert "檔案沒有內容" in words


def test_missing_file_is_an_unusable_argument(tmp_path: Path) -> None:
    assert run(str(tmp_path / "none.pdf"))[0] == 2
    assert run(str(tmp_path))[0] == 2
    assert run()[0] == 2
