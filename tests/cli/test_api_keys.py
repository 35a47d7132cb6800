import json
from typing import Any
from uuid import uuid4

import pytest
from typer.testing import CliRunner

from dossier.accounts import rules
from dossier.cli import app


@pytest.fixture
def home(fresh_database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOSSIER_DATABASE__URL", fresh_database)
    monkeypatch.setenv("DOSSIER_DATABASE__MIGRATE_ON_START", "false")


def run(*args: str) -> Any:
    return CliRunner().invoke(app, ["api-key", *args])


def listed() -> list[dict[str, Any]]:
    return [json.loads(line) for line in run("list").stdout.splitlines()]


@pytest.mark.usefixtures("home")
def test_key_is_made_listed_and_revoked_on_the_server() -> None:
    made = run("create", "Nightly import", "--scope", "read", "--days", "30")
    parsed = rules.parsed_token(made.stdout.strip())
    [before] = listed()
    unknown = run("revoke", str(uuid4()))
    nobody = run("create", "x", "--user", "nobody@example.com")
    revoked = run("revoke", before["id"])
    [after] = listed()

    assert made.exit_code == revoked.exit_code == 0, made.output
    assert unknown.exit_code == nobody.exit_code == 2
    assert "API key not found" in unknown.output
    assert "User not found" in nobody.output
    assert parsed is not None
    assert (str(parsed[0]), before["scopes"]) == (before["id"], ["read"])
    assert before["expires_at"] is not None
    assert (before["revoked_at"], after["revoked_at"] is None) == (None, False)


def test_key_without_a_name_is_refused() -> None:
    answer = run("create", " ")

    assert answer.exit_code == 2
    assert "at least 1 character" in answer.output


def test_where_people_log_in_a_member_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DOSSIER_AUTH__MODE", "password")

    answer = run("list")

    assert answer.exit_code == 2
    assert "--user" in answer.output
