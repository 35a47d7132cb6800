"""`dossier migrate` and `dossier postgres` on real databases."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import asyncpg
import pytest
from alembic.config import CommandLine
from typer.testing import CliRunner, Result

from dossier.cli import app
from dossier.core.revision import head_revision

Run = Callable[..., Result]


@pytest.fixture
def run(fresh_database: str, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command on a database of its own that is at the newest revision."""
    monkeypatch.setenv("DOSSIER_DATABASE__URL", fresh_database)

    def invoke(*words: str) -> Result:
        return CliRunner().invoke(app, words)

    return invoke


def marks(result: Result) -> list[list[str]]:
    return [line.split()[:2] for line in result.output.splitlines()]


def test_history_marks_the_applied_revisions(run: Run) -> None:
    run("migrate", "--to", "accounts", "--yes")

    result = run("migrate", "history")

    assert marks(result)[0] == ["pending", head_revision()]
    assert ["applied", "accounts"] in marks(result)
    assert marks(result)[-1] == ["applied", "foundation"]


def test_migrate_goes_to_the_newest_revision_again(run: Run) -> None:
    run("migrate", "--to", "activity", "--yes")

    result = run("migrate")

    assert result.output == f"The database is at {head_revision()}.\n"
    assert {mark for mark, _ in marks(run("migrate", "history"))} == {"applied"}


def test_going_down_without_consent_changes_nothing(run: Run) -> None:
    result = run("migrate", "--to", "base")

    assert result.exit_code == 1
    assert {mark for mark, _ in marks(run("migrate", "history"))} == {"applied"}


def test_the_preview_prints_sql_and_changes_nothing(run: Run) -> None:
    result = run("migrate", "--to", "accounts", "--sql")

    assert "SET version_num='accounts'" in result.output
    assert {mark for mark, _ in marks(run("migrate", "history"))} == {"applied"}


def test_preview_without_a_change_is_empty(run: Run) -> None:
    assert run("migrate", "--sql").output == ""


def test_an_unknown_revision_is_refused_by_name(run: Run) -> None:
    result = run("migrate", "--to", "no-such")

    assert result.exit_code == 2
    assert "no-such" in result.output
    assert "migrate history" in " ".join(result.output.split())


def test_check_and_current_tell_how_far_the_database_is(run: Run) -> None:
    head = head_revision()

    assert run("migrate", "--current").output == f"{head}\n"
    checked = run("migrate", "--check")
    assert (checked.exit_code, head in checked.output) == (0, True)

    run("migrate", "--to", "accounts", "--yes")

    assert run("migrate", "--current").output == "accounts\n"
    checked = run("migrate", "--check")
    assert checked.exit_code == 1
    assert "at accounts, " in checked.output
    assert "run `dossier migrate`" in checked.output
    assert run("migrate", "--current").output == "accounts\n"  # nothing was changed


def test_only_one_question_is_answered_at_a_time() -> None:
    result = CliRunner().invoke(app, ["migrate", "--check", "--sql"])

    assert result.exit_code == 2
    assert "Only one of" in result.output


@pytest.mark.parametrize("option", ["--check", "--current", "--sql"])
def test_a_server_that_is_away_is_one_line(
    monkeypatch: pytest.MonkeyPatch, option: str
) -> None:
    monkeypatch.setenv("DOSSIER_DATABASE__URL", "postgresql://127.0.0.1:1/dossier")

    result = CliRunner().invoke(app, ["migrate", option])

    assert result.exit_code == 2
    assert result.stderr.startswith("Database not ready: It cannot be reached")
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize("words", [["--to", "jobs"], ["--check"]])
async def test_database_of_a_newer_version_is_not_changed(
    fresh_database: str, words: list[str]
) -> None:
    connection = await asyncpg.connect(fresh_database)
    await connection.execute("update alembic_version set version_num = 'later'")
    await connection.close()
    environment = {"DOSSIER_DATABASE__URL": fresh_database}

    result = await asyncio.to_thread(
        CliRunner().invoke, app, ["migrate", *words], env=environment
    )

    assert result.exit_code == 2
    assert "later, which only a newer version knows" in result.stderr


def test_programs_are_refused_for_a_server_that_is_not_embedded(run: Run) -> None:
    result = run("postgres", "psql")

    assert result.exit_code == 2
    assert "DOSSIER_DATABASE__URL" in result.output


def test_alembic_itself_reports_a_server_that_is_away_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DOSSIER_DATABASE__URL", "postgresql://127.0.0.1:1/dossier")
    config = str(Path(__file__).parents[2] / "alembic.ini")

    with pytest.raises(SystemExit):
        CommandLine().main(["-c", config, "current"])

    assert "FAILED: It cannot be reached" in "".join(capsys.readouterr())


@pytest.fixture
def embedded_home(
    shared_folder: Path, cluster_url: str, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """The home of the tests' own cluster, as if it were a person's."""
    del cluster_url  # only so that it runs
    monkeypatch.delenv("DOSSIER_DATABASE__URL", raising=False)
    monkeypatch.setenv("DOSSIER_HOME", str(shared_folder / "home"))
    return shared_folder / "home"


@pytest.mark.usefixtures("embedded_home")
def test_backup_is_made_by_the_programs_of_the_wheel(tmp_path: Path) -> None:
    file = tmp_path / "backup.sql"

    result = CliRunner().invoke(app, ["postgres", "pg_dump", "--file", str(file)])

    assert result.exit_code == 0
    assert "PostgreSQL database dump" in file.read_text()


@pytest.mark.usefixtures("embedded_home")
def test_program_that_is_not_in_the_wheel_is_refused() -> None:
    result = CliRunner().invoke(app, ["postgres", "../../bash"])

    assert result.exit_code == 2
    assert "There is no program" in result.output
