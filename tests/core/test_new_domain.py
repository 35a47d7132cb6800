"""`docs/adding-a-feature.md`, followed in a copy of the project.

Both domains of the page are made in one copy, whose tests use databases of their own on
the running cluster.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from textwrap import indent

import pytest
from scripts import new_domain

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
MYPY_CACHE = ROOT / ".mypy_cache"
PAGE = ROOT / "docs/adding-a-feature.md"
SKELETON = ROOT / "scripts/skeleton/domain"
COPIED = ("src", "tests", "benchmarks", "migrations", "scripts", "docs", ".env.example")
DOMAINS = ("suppliers", "laboratories")
STEP = re.compile(
    r"`make new-domain name=(?P<name>\w+)(?: above=(?P<above>\w+))?` "
    r"|^```(?:python|text)\n# (?P<path>[\w./-]+)(?P<place>, .+)?\n"
    r"(?P<code>(?s:.*?))```$",
    re.MULTILINE,
)


def run(folder: Path, *command: str, **variables: str) -> str:
    """Run a tool on the copy, whose sources come before the installed ones."""
    environment = (
        os.environ
        | variables
        | {
            "PYTHONPATH": str(folder / "src"),
            # Hypothesis stores its character tables there; making them takes a second.
            "HYPOTHESIS_STORAGE_DIRECTORY": str(ROOT / ".hypothesis"),
        }
    )
    environment.pop("PYTEST_XDIST_WORKER", None)
    result = subprocess.run(  # noqa: S603 - our own tools
        [str(BIN / command[0]), *command[1:]],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def make_domain(folder: Path, *arguments: str) -> None:
    run(folder, "python", "scripts/new_domain.py", *arguments)


def write(target: Path, place: str | None, code: str) -> None:
    """Write a code block of the page where its first line says."""
    if place is None:
        assert not target.exists()
        target.parent.mkdir(exist_ok=True)
        target.write_text(code)
        return
    text = target.read_text()
    if place == ", at the end":
        target.write_text(f"{text}\n\n{code}")
        return
    anchor = place.removeprefix(", below `").removesuffix("`")
    [found] = re.finditer(rf"^( *){re.escape(anchor)}\n", text, re.MULTILINE)
    code = indent(code, found[1])
    target.write_text(text[: found.end()] + code + text[found.end() :])


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("copy")
    # With bytecode, except files that are half written (`.pyc.` and a number).
    ignore = shutil.ignore_patterns(".*", "*.pyc.*")
    for name in (*COPIED, "pyproject.toml"):
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=ignore)
        else:
            shutil.copy(source, folder / name)
    return folder


@pytest.fixture(scope="module")
def followed(copy: Path) -> Path:
    """The copy after all steps of the page, in its order."""
    for step in STEP.finditer(PAGE.read_text()):
        if step["name"]:
            make_domain(copy, step["name"], *filter(None, [step["above"]]))
        else:
            write(copy / step["path"], step["place"], step["code"])
    run(
        copy,
        "ruff",
        "check",
        "--no-cache",
        "--select=I",
        "--fix",
        "--quiet",
        "src",
        "tests",
    )
    run(copy, "ruff", "format", "--no-cache", "--quiet", "src", "tests")
    return copy


def test_the_page_makes_a_domain_on_top_and_one_in_the_middle() -> None:
    made = [step["name"] for step in STEP.finditer(PAGE.read_text()) if step["name"]]

    assert tuple(made) == DOMAINS


def test_the_domain_that_the_page_names_has_the_shape_of_the_skeleton() -> None:
    [named] = re.findall(r"of `(src/dossier/\w+/)`: read", PAGE.read_text())
    files = {path.name.removesuffix(".txt") for path in SKELETON.iterdir()}

    assert files <= {path.name for path in (ROOT / named).iterdir()}


@pytest.mark.parametrize(
    "command",
    [
        pytest.param(["ruff", "check", "--no-cache", "."], id="lint"),
        pytest.param(["lint-imports", "--no-cache"], id="contracts"),
    ],
)
def test_new_domains_pass_the_static_checks(followed: Path, command: list[str]) -> None:
    run(followed, *command)


@pytest.mark.slow  # a run of pytest of its own, which makes the app
def test_new_domains_leave_the_suite_green(
    followed: Path, cluster_url: str, database_url: str
) -> None:
    del database_url  # only so that there is a template, which the inner run migrates
    run(
        followed,
        *("pytest", "-q", "-n", "0", "-p", "no:cacheprovider"),
        *(f"tests/{domain}" for domain in DOMAINS),
        "tests/core/test_tenancy.py",
        "tests/core/test_docs.py",
        "tests/core/test_openapi.py",
        "tests/core/test_architecture.py",
        "tests/core/test_migrations.py::test_models_and_migrations_agree",
        "tests/core/test_migrations.py::test_migrations_go_down_and_up_again",
        "tests/core/test_rls.py",
        DOSSIER_TEST_CLUSTER=cluster_url,
        DOSSIER_TEST_PREFIX=f"copy_{os.getpid()}",
    )


@pytest.mark.slow  # mypy reads what it knows of the project's dependencies
@pytest.mark.skipif(
    not MYPY_CACHE.is_dir(), reason="`make types` (before this in `make check`) first"
)
def test_new_domains_pass_the_type_check(followed: Path) -> None:
    shutil.copytree(MYPY_CACHE, followed / ".mypy_cache", dirs_exist_ok=True)

    run(
        followed,
        "mypy",
        *(
            f"{folder}/{domain}"
            for domain in DOMAINS
            for folder in ("src/dossier", "tests")
        ),
        "src/dossier/integrations/company_register",
    )


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ([""], "not a plural noun"),
        (["Suppliers"], "not a plural noun"),
        (["supplier"], "not a plural noun"),
        (["../suppliers"], "not a plural noun"),
        (["activities s"], "not a plural noun"),
        (["documents"], "exists already"),
        (["factories"], "exists already"),
        (["organisations"], "uses the name already"),
        (["users"], "uses the name already"),
        (["api_keys"], "uses the name already"),
        (["wholesalers", "nothing"], "no line in the floors"),
    ],
)
def test_a_name_that_cannot_be_a_domain_is_refused(
    capsys: pytest.CaptureFixture[str], arguments: list[str], reason: str
) -> None:
    assert new_domain.main(arguments) == 2

    error = capsys.readouterr().err
    assert error.startswith("usage: make new-domain name=suppliers")
    assert reason in error
