"""`dossier doctor` reports what is wrong and how to repair it."""

import os
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import asyncpg
import orjson
import pytest
from sqlalchemy import make_url
from typer.testing import CliRunner, Result

from dossier.cli import app, doctor
from dossier.core.revision import head_revision
from dossier.integrations.parsing.containment import Layer

Examine = Callable[[], dict[str, dict[str, str | None]]]


@pytest.fixture
def run(
    fresh_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Result]:
    """Run a command in a home and a database of its own."""
    monkeypatch.setenv("DOSSIER_DATABASE__URL", fresh_database)
    monkeypatch.setenv("DOSSIER_HOME", str(tmp_path / "home"))
    return lambda *words: CliRunner().invoke(app, words)


@pytest.fixture
async def plain_login(fresh_database: str) -> AsyncIterator[str]:
    """A log-in that is a member of no role; roles belong to the whole server."""
    name = f"plain_{os.getpid()}"
    connection = await asyncpg.connect(fresh_database)
    await connection.execute(f"create role {name} login")
    yield name
    await connection.execute(f"drop owned by {name}")
    await connection.execute(f"drop role {name}")
    await connection.close()


@pytest.fixture
def examine(run: Callable[..., Result]) -> Examine:
    def checks() -> dict[str, dict[str, str | None]]:
        document = orjson.loads(run("doctor", "--json").output)
        return {check["name"]: check for check in document["checks"]}

    return checks


def test_healthy_machine_has_only_ok_checks(
    run: Callable[..., Result], plain_login: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner_url = os.environ["DOSSIER_DATABASE__URL"]
    serving = make_url(owner_url).set(username=plain_login)
    monkeypatch.setenv("DOSSIER_DATABASE__OWNER_URL", owner_url)
    monkeypatch.setenv(
        "DOSSIER_DATABASE__URL", serving.render_as_string(hide_password=False)
    )
    run("migrate")

    result = run("doctor")

    lines = [line.split()[:2] for line in result.output.splitlines()]
    assert lines == [
        ["ok", "home"],
        ["ok", "database"],
        ["ok", "pgvector"],
        ["ok", "roles"],
        ["ok", "log-in"],
        ["ok", "migrations"],
        ["ok", "worker"],
        ["ok", "font"],
        ["ok", "sources"],
        ["ok", "storage"],
        ["ok", "readers"],
    ]
    assert result.exit_code == 0


def test_superuser_that_serves_is_weak_and_no_fault(
    run: Callable[..., Result], examine: Examine
) -> None:
    check = examine()["log-in"]

    assert check["state"] == "weak"
    assert "OWNER_URL" in (check["mend"] or "")
    assert run("doctor").exit_code == 0


def test_old_revision_is_named_with_its_repair(
    run: Callable[..., Result], examine: Examine
) -> None:
    run("migrate", "--to", "accounts", "--yes")

    assert examine()["migrations"] == {
        "name": "migrations",
        "state": "wrong",
        "detail": f"at accounts, this version needs {head_revision()}",
        "mend": "Run `dossier migrate`.",
    }
    assert run("doctor").exit_code == 1


def test_unreachable_server_does_not_prevent_other_checks(
    examine: Examine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    url = f"postgresql://somebody:secret@/none?host={tmp_path}&port=1"
    monkeypatch.setenv("DOSSIER_DATABASE__URL", url)

    checks = examine()

    assert {name: check["state"] for name, check in checks.items()} == {
        "home": "ok",
        "database": "wrong",
        "font": "ok",
        "sources": "ok",
        "storage": "ok",
        "readers": "ok",
    }
    assert "secret" not in str(checks["database"])


@pytest.mark.skipif(sys.platform != "linux", reason="layers of Linux")
def test_layers_that_contain_a_reader_are_named(examine: Examine) -> None:
    detail = str(examine()["readers"]["detail"])

    assert detail.startswith("contained by ")
    assert all(layer in detail for layer in Layer if layer is not Layer.USER)


def test_unwritable_home_is_named(
    examine: Examine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("DOSSIER_HOME", str(tmp_path / "file"))

    checks = examine()

    assert checks["home"]["state"] == checks["storage"]["state"] == "wrong"
    assert "DOSSIER_HOME" in str(checks["home"]["mend"])


def test_font_folder_without_a_chinese_font_is_named(
    examine: Examine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DOSSIER_REPORTS__FONT_DIR", str(tmp_path))

    assert examine()["font"]["state"] == "wrong"


def test_unreachable_bucket_is_named(
    examine: Examine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOSSIER_STORAGE__URL", "nonsense://bucket")

    check = examine()["storage"]

    assert check["state"] == "wrong"
    assert "nonsense" in str(check["detail"])
    assert "DOSSIER_STORAGE__URL" in str(check["mend"])


@pytest.mark.parametrize(("number", "state"), [(149_999, "wrong"), (150_000, "ok")])
def test_servers_before_15_are_too_old(number: int, state: str) -> None:
    assert doctor.check_version("of your own", "any", number).state == state


def test_server_without_pgvector_is_named() -> None:
    assert "pgvector" in str(doctor.check_vector(None).mend)


def test_log_in_without_the_roles_gets_the_grant_to_run(
    examine: Examine,
    fresh_database: str,
    plain_login: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    url = fresh_database.replace("postgres@", f"{plain_login}@")
    monkeypatch.setenv("DOSSIER_DATABASE__URL", url)
    monkeypatch.setenv("DOSSIER_DATABASE__OWNER_URL", fresh_database)

    checks = examine()

    assert f"grant dossier_app, dossier_system to {plain_login}" in str(
        checks["roles"]["mend"]
    )
    assert "migrations" not in checks


@pytest.mark.parametrize(("age_s", "state"), [(0, "ok"), (59, "ok"), (61, "wrong")])
def test_jobs_that_wait_for_long_want_a_worker(age_s: float, state: str) -> None:
    assert doctor.check_queue(3, age_s).state == state


def test_outside_sources_that_are_asked_are_named(
    examine: Examine, monkeypatch: pytest.MonkeyPatch
) -> None:
    offline = examine()["sources"]
    monkeypatch.setenv("DOSSIER_SOURCES__MODE", "live")
    live = examine()["sources"]

    assert offline["state"] == "ok"
    assert "no outside source is asked" in (offline["detail"] or "")
    assert live["state"] == "weak"
    assert "arxiv, pubmed" in (live["detail"] or "")
    assert "DOSSIER_SOURCES__CONTACT" in (live["mend"] or "")
