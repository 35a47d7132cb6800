"""Addresses in settings are checked at start: not first when something is asked."""

from pathlib import Path

import pytest
from pydantic import BaseModel, ValidationError
from typer.testing import CliRunner

from dossier.cli import app
from dossier.core.settings import Settings


def addresses() -> list[str]:
    """Return the variable of every setting that holds an address."""
    return [
        f"DOSSIER_{group}__{name}".upper()
        for group, field in Settings.model_fields.items()
        if isinstance(kind := field.annotation, type) and issubclass(kind, BaseModel)
        for name in kind.model_fields
        if name.endswith(("url", "endpoint"))
    ]


def outcome_of(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> str:
    """Return what a command prints that reads the settings with one variable."""
    monkeypatch.setenv(name, value)
    result = CliRunner().invoke(app, ["jobs", "stats"])
    assert result.exit_code == 2
    return result.stderr


def test_addresses_are_found() -> None:
    assert len(addresses()) >= 9


@pytest.mark.parametrize("name", addresses())
def test_an_address_that_is_none_is_refused_by_name_and_without_its_value(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    monkeypatch.chdir(tmp_path)

    said = outcome_of(monkeypatch, name, "sesame")

    assert said.startswith(f"Settings not valid: {name}: not the address of ")
    assert "; write " in said
    assert "sesame" not in said


@pytest.mark.parametrize(
    "value",
    [
        "localhost:8080",
        "http://",
        "http:///v1",
        "ftp://models.example",
        "http://models.example:port",
        "http://[::1",
    ],
)
def test_an_address_of_a_server_needs_scheme_and_host(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, value: str
) -> None:
    monkeypatch.chdir(tmp_path)

    said = outcome_of(monkeypatch, "AI_BASE_URL", value)

    assert said.startswith("Settings not valid: DOSSIER_AI__BASE_URL: ")


@pytest.mark.parametrize("origin", ["app.example", "https://app.example/", "https://"])
def test_an_origin_that_no_browser_sends_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, origin: str
) -> None:
    monkeypatch.chdir(tmp_path)

    said = outcome_of(monkeypatch, "DOSSIER_WEB__CORS_ORIGINS", f'["{origin}"]')

    assert said.startswith("Settings not valid: DOSSIER_WEB__CORS_ORIGINS__0: ")


@pytest.mark.parametrize("name", ["INPUT", "OUTPUT"])
def test_a_price_without_its_counterpart_is_refused_by_name(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    monkeypatch.chdir(tmp_path)

    said = outcome_of(monkeypatch, f"DOSSIER_AI__PRICE_{name}_USD_PER_MTOK", "3")

    assert "PRICE_INPUT_USD_PER_MTOK and PRICE_OUTPUT_USD_PER_MTOK together" in said
    assert said.startswith("Settings not valid: DOSSIER_AI: ")


def test_addresses_in_their_usual_forms_are_taken() -> None:
    settings = Settings.model_validate(
        {
            "database": {"url": "postgresql:///dossier?host=/run/postgresql"},
            "storage": {"url": "s3://bucket/prefix"},
            "ai": {"base_url": "http://[::1]:11434/v1"},
            "traces": {"endpoint": "https://key@collector.example/otel"},
            "web": {"cors_origins": ["*", "https://app.example:8443"]},
        }
    )

    assert settings.ai.base_url == "http://[::1]:11434/v1"
    assert settings.web.cors_origins == ("*", "https://app.example:8443")


@pytest.mark.parametrize("name", addresses())
def test_a_blank_address_is_an_unset_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(name, "")
    group, field = name.removeprefix("DOSSIER_").lower().split("__")

    assert getattr(getattr(Settings(), group), field) is None


def test_blank_address_does_not_hide_the_name_of_other_tools(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DOSSIER_DATABASE__URL", "")
    monkeypatch.setenv("DATABASE_URL", "postgresql://db.example/dossier")

    assert Settings().database.url == "postgresql://db.example/dossier"


def test_blanks_around_an_address_are_removed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AI_BASE_URL", " http://127.0.0.1:1/v1 ")

    assert Settings().ai.base_url == "http://127.0.0.1:1/v1"


@pytest.mark.parametrize(
    "origin", ["https://a.example?x=1", "https://u:p@a.example", "https://a.example/"]
)
def test_origin_that_no_browser_sends_is_refused(origin: str) -> None:
    with pytest.raises(ValidationError):
        Settings.model_validate({"web": {"cors_origins": [origin]}})
