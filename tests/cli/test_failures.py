"""What the commands say where they cannot do their work: one line, exit code 2."""

from pathlib import Path

import pytest
import typer
from starlette.types import Message
from typer.testing import CliRunner

from dossier.cli import COMMANDS, LazyGroup, app
from dossier.cli.serve import AppWithWorker
from dossier.core.revision import DatabaseNotReadyError
from dossier.core.settings import Settings
from dossier.main import create_app

NOWHERE = "postgresql://nobody@127.0.0.1:1/nothing"


@pytest.mark.parametrize(
    "command",
    [
        ["migrate"],
        ["jobs", "stats"],
        ["activity", "verify"],
        ["create-org", "Rose Maison"],
    ],
)
@pytest.mark.parametrize("is_migrating", ["true", "false"])
def test_a_database_that_is_away_is_reported_in_one_line(
    command: list[str], is_migrating: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOSSIER_DATABASE__URL", NOWHERE)
    monkeypatch.setenv("DOSSIER_DATABASE__MIGRATE_ON_START", is_migrating)

    result = CliRunner().invoke(app, command)

    assert result.exit_code == 2
    assert result.stderr.startswith("Database not ready: It cannot be reached: ")
    assert result.stderr.count("\n") == 1


def test_settings_that_make_no_sense_are_named_without_their_value(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DOSSIER_JOBS__LEASE_S", "sesame")

    result = CliRunner().invoke(app, ["jobs", "stats"])

    assert result.exit_code == 2
    assert result.stderr.startswith("Settings not valid: DOSSIER_JOBS__LEASE_S: ")
    assert "sesame" not in result.stderr


async def test_a_server_that_cannot_start_keeps_the_reason_for_the_command(
    tmp_path: Path,
) -> None:
    settings = Settings.model_validate(
        {
            "home": tmp_path,
            "database": {"url": NOWHERE},
            "jobs": {"child": False},
        }
    )
    served = AppWithWorker(create_app(settings), has_worker=False)
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "lifespan.startup"}

    async def send(message: Message) -> None:
        sent.append(message)

    with pytest.raises(DatabaseNotReadyError):
        await served({"type": "lifespan", "state": {}}, receive, send)

    assert sent == [{"type": "lifespan.startup.failed"}]
    assert isinstance(served.failure, DatabaseNotReadyError)


@pytest.mark.parametrize("name", ["", "  ", "x" * 201])
def test_an_organisation_needs_a_name_that_fits(name: str) -> None:
    result = CliRunner().invoke(app, ["create-org", name])

    assert result.exit_code == 2
    assert "1 to 200 characters" in result.stderr


@pytest.mark.parametrize("name", ["Rose\nMaison", "Rose\x1b[2JMaison", "Rose\u202eM"])
def test_an_organisation_has_no_name_that_steers_a_terminal(name: str) -> None:
    result = CliRunner().invoke(app, ["create-org", name])

    assert result.exit_code == 2
    assert "must not contain the character U+" in result.stderr


def test_an_exported_head_belongs_to_one_organisation() -> None:
    result = CliRunner().invoke(app, ["activity", "verify", "--head", "1:abc"])

    assert result.exit_code == 2
    assert "--org" in result.stderr


def test_a_command_that_does_not_exist_is_refused() -> None:
    assert CliRunner().invoke(app, ["nonsense"]).exit_code == 2


def test_help_lists_every_command() -> None:
    result = CliRunner().invoke(app, ["--help"])

    assert result.exit_code == 0
    for name in ("build", "create-org", "doctor", "jobs", "migrate", "serve", "worker"):
        assert name in result.stdout


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_goes_by_its_name(name: str) -> None:
    group = typer.main.get_command(app)
    assert isinstance(group, LazyGroup)

    assert group.get_command(None, name).name == name
