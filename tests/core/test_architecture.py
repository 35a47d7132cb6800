"""Architecture rules that import contracts cannot express."""

import ast
import importlib
import inspect
import pkgutil
import tomllib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import grimp
import pytest

import dossier

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "dossier"
MAX_LINES = 600
MAX_TEST_LINES = 800
MAX_FUNCTION_LINES = 60
PRIVATE = ("gateway", "rules")
SPEAK_SQL = {"models", "gateway"}
SQL = {"sqlalchemy", "asyncpg", "psycopg"}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
DOMAIN_CONTRACT = PROJECT["tool"]["importlinter"]["contracts"][1]
DOMAINS = [name.removeprefix("dossier.") for name in DOMAIN_CONTRACT["source_modules"]]
NOT_DOMAINS = {"cli", "console", "core", "integrations", "mcp", "testing"}
FORBIDDEN_NAMES = {"utils", "helpers", "common", "misc"}


def python_files(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.py"))


@pytest.mark.parametrize(
    ("folder", "limit"), [(SOURCE, MAX_LINES), (ROOT / "tests", MAX_TEST_LINES)]
)
def test_files_stay_small(folder: Path, limit: int) -> None:
    too_long = {
        str(path): count
        for path in python_files(folder)
        if (count := len(path.read_text().splitlines())) > limit
    }

    assert not too_long


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def test_functions_stay_short() -> None:
    too_long = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"
        for path in python_files(SOURCE)
        for node in functions(path)
        if (node.end_lineno or 0) - node.lineno + 1 > MAX_FUNCTION_LINES
    ]

    assert not too_long


def test_no_module_is_named_utils() -> None:
    assert not [p for p in python_files(SOURCE) if p.stem in FORBIDDEN_NAMES]


def gateway_modules() -> Iterator[ModuleType]:
    for info in pkgutil.walk_packages(dossier.__path__, "dossier."):
        parts = info.name.split(".")
        if len(parts) > 2 and parts[2] == "gateway":
            yield importlib.import_module(info.name)


def test_every_query_is_gated_by_the_organisation() -> None:
    # `_for_system` sees rows only in a system transaction: row-level security.
    ungated = []
    for module in gateway_modules():
        for name, member in inspect.getmembers(module, inspect.iscoroutinefunction):
            if member.__module__ != module.__name__ or name.startswith(("_", "add_")):
                continue
            has_org = "org_id" in inspect.signature(member).parameters
            suffix = "_for_org" if has_org else "_for_system"
            if not name.endswith(suffix):
                ungated.append(f"{module.__name__}.{name}")

    assert not ungated


def test_every_domain_is_in_the_contract_on_domains() -> None:
    packages = {path.parent.name for path in SOURCE.glob("*/__init__.py")}

    assert packages - NOT_DOMAINS == set(DOMAINS)


def test_no_domain_uses_what_is_private_to_another() -> None:
    graph = grimp.build_graph("dossier", include_external_packages=False)
    trespasses = []
    for importer in sorted(graph.modules):
        for imported in graph.find_modules_directly_imported_by(importer):
            owner, _, part = imported.removeprefix("dossier.").partition(".")
            user = importer.removeprefix("dossier.").split(".")[0]
            private = part.split(".")[0] in PRIVATE
            if owner in DOMAINS and user in DOMAINS and user != owner and private:
                trespasses.append(f"{importer} -> {imported}")

    assert not trespasses


def imported_by(path: Path) -> set[str]:
    """Return the top-level names of all imports, also those within functions."""
    nodes = list(ast.walk(ast.parse(path.read_text())))
    plain = {a.name for n in nodes if isinstance(n, ast.Import) for a in n.names}
    named = {n.module or "" for n in nodes if isinstance(n, ast.ImportFrom)}
    return {name.split(".")[0] for name in plain | named}


def test_in_domains_only_models_and_gateways_speak_sql() -> None:
    speaking = [
        str(path.relative_to(SOURCE))
        for domain in DOMAINS
        for path in python_files(SOURCE / domain)
        if path.relative_to(SOURCE / domain).parts[0].removesuffix(".py")
        not in SPEAK_SQL
        and imported_by(path) & SQL
    ]

    assert not speaking


def test_floats_stay_out_of_formula_maths() -> None:
    for path in python_files(SOURCE / "products"):
        calls = [
            node
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.Name) and node.id == "float"
        ]
        assert not calls, path
