import asyncio
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from tests.accounts.conftest import PASSWORD
from typer.testing import CliRunner

from dossier.cli import app
from dossier.core.settings import Settings
from dossier.main import create_app

EMAIL = "mei@example.com"


@pytest.fixture
def settings(fresh_database: str, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Point the commands at a database of their own, by the variables they read."""
    monkeypatch.setenv("DOSSIER_DATABASE__URL", fresh_database)
    monkeypatch.setenv("DOSSIER_DATABASE__MIGRATE_ON_START", "false")
    monkeypatch.setenv("DOSSIER_AUTH__MODE", "password")
    monkeypatch.setenv("DOSSIER_AUTH__SECRET", "s" * 32)
    monkeypatch.setenv("DOSSIER_JOBS__IN_PROCESS", "false")
    return Settings()


def run(*args: str, stdin: str | None = None) -> Any:
    return CliRunner().invoke(app, list(args), input=stdin)


async def log_in(settings: Settings, password: str) -> int:
    web = create_app(settings)
    transport = httpx2.ASGITransport(app=web)
    async with (
        web.router.lifespan_context(web),
        httpx2.AsyncClient(transport=transport, base_url="http://localhost") as client,
    ):
        body = {"email": EMAIL, "password": password}
        return (await client.post("/api/v1/auth/login", json=body)).status_code


def create_org() -> str:
    answer = run("create-org", "Rose Maison", "--kind", "brand")
    assert answer.exit_code == 0, answer.output
    return str(answer.stdout).strip()


def test_first_owner_of_a_new_organisation_can_log_in(settings: Settings) -> None:
    args = ("create-user", EMAIL, "--org", create_org(), "--password-stdin")

    created = run(*args, stdin=f"{PASSWORD}\n")

    assert created.exit_code == 0, created.output
    assert asyncio.run(log_in(settings, PASSWORD)) == 200


def test_generated_password_is_printed_on_standard_error(
    settings: Settings,
) -> None:
    created = run("create-user", EMAIL, "--org", create_org())

    password = created.stderr.removeprefix("Password: ").strip()
    assert password not in created.stdout
    assert asyncio.run(log_in(settings, password)) == 200


@pytest.mark.usefixtures("settings")
def test_taken_address_is_named_on_standard_error() -> None:
    org_id = create_org()
    args = ("create-user", EMAIL, "--org", org_id, "--password-stdin")
    run(*args, stdin=f"{PASSWORD}\n")

    again = run(*args, stdin=f"{PASSWORD}\n")

    assert again.exit_code == 2
    assert "E-mail address taken" in again.stderr


@pytest.mark.usefixtures("settings")
def test_unknown_organisation_is_refused() -> None:
    org_id = str(uuid4())
    args = ("create-user", EMAIL, "--org", org_id, "--password-stdin")

    answer = run(*args, stdin=f"{PASSWORD}\n")

    assert answer.exit_code == 2
    assert answer.stderr == (
        f"Organisation not found: There is no organisation {org_id}.\n"
    )


@pytest.mark.parametrize(
    ("email", "password", "fault"),
    [(EMAIL, "short", "password"), ("not-an-address", PASSWORD, "email")],
)
def test_command_refuses_what_the_api_refuses(
    email: str, password: str, fault: str
) -> None:
    args = ("create-user", email, "--org", str(uuid4()), "--password-stdin")

    answer = run(*args, stdin=f"{password}\n")

    assert answer.exit_code == 2
    assert fault in answer.stderr
