"""The recipe of `docs/adding-a-feature.md`, followed in a copy of the project."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
MYPY_CACHE = ROOT / ".mypy_cache"
COPIED = ("src", "tests", "migrations", "scripts", "docs", "pyproject.toml")


def run(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Run a tool on the copy, whose sources come before the installed ones."""
    environment = os.environ | {
        "PYTHONPATH": str(folder / "src"),
        # There Hypothesis keeps its tables of characters: a second to make.
        "HYPOTHESIS_STORAGE_DIRECTORY": str(ROOT / ".hypothesis"),
    }
    environment.pop("PYTEST_XDIST_WORKER", None)
    return subprocess.run(  # noqa: S603 - our own tools
        [str(BIN / command[0]), *command[1:]],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("copy")
    # The bytecode comes along; what is half written, with a number at its end, not.
    ignore = shutil.ignore_patterns(".*", "*.pyc.*")
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=ignore)
        else:
            shutil.copy(source, folder / name)
    made = run(folder, "python", "scripts/new_domain.py", "claims")
    assert made.returncode == 0, made.stderr
    return folder


@pytest.mark.parametrize(
    "command",
    [
        pytest.param(["ruff", "check", "--no-cache", "."], id="lint"),
        pytest.param(["ruff", "format", "--no-cache", "--check", "src"], id="format"),
        pytest.param(["lint-imports", "--no-cache"], id="contracts"),
        pytest.param(
            [
                "pytest",
                "-q",
                "-n",
                "0",
                "-p",
                "no:cacheprovider",
                "tests/claims",
                "tests/core/test_migrations.py::test_models_and_migrations_agree",
                "tests/core/test_migrations.py::test_migrations_go_down_and_up_again",
            ],
            id="tests",
            marks=pytest.mark.slow,  # a suite of its own, with its own database
        ),
    ],
)
def test_a_new_domain_passes_every_check(copy: Path, command: list[str]) -> None:
    result = run(copy, *command)

    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.slow  # mypy reads what it knows of the project's dependencies
@pytest.mark.skipif(
    not MYPY_CACHE.is_dir(), reason="`make types` (before this in `make check`) first"
)
def test_a_new_domain_passes_the_type_check(copy: Path) -> None:
    shutil.copytree(MYPY_CACHE, copy / ".mypy_cache", dirs_exist_ok=True)

    result = run(copy, "mypy", "src/dossier/claims", "tests/claims")

    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize("name", ["", "Claims", "claim", "../claims", "activities s"])
def test_a_name_that_is_no_domain_is_refused(copy: Path, name: str) -> None:
    result = run(copy, "python", "scripts/new_domain.py", name)

    assert result.returncode == 2
    assert "usage" in result.stderr


def test_a_domain_is_not_made_twice(copy: Path) -> None:
    result = run(copy, "python", "scripts/new_domain.py", "claims")

    assert result.returncode == 2
    assert "there already" in result.stderr
