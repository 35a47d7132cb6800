"""The documentation says what the code does, no more and no less."""

import importlib
import re
from pathlib import Path

import pytest
from scripts.settings_docs import pages

import dossier.api
from dossier.core.catalogue import error_classes

ROOT = Path(__file__).resolve().parents[2]
GLOSSARY_CODE = re.compile(r"\| `(dossier[\w.]*)` \|$", re.MULTILINE)
PROBLEM = re.compile(r"^\| `/problems/([a-z-]+)` \| (\d{3}) \|", re.MULTILINE)


def documented_problems() -> list[tuple[str, int]]:
    text = (ROOT / "docs" / "problems.md").read_text()
    return [(slug, int(status)) for slug, status in PROBLEM.findall(text)]


def test_every_problem_is_documented_with_its_status() -> None:
    assert dossier.api.API_ROUTERS, "imports every domain, and so every error"
    raised = {(kind.slug(), kind.status) for kind in error_classes()}

    documented = documented_problems()

    assert raised - set(documented) == set()
    assert set(documented) - raised == set()


def test_no_problem_is_documented_twice() -> None:
    slugs = [slug for slug, _status in documented_problems()]

    assert sorted(slugs) == sorted(set(slugs))


@pytest.mark.parametrize("path", pages(), ids=lambda path: path.name)
def test_generated_page_is_up_to_date(path: Path) -> None:
    """`python scripts/settings_docs.py` writes it anew."""
    assert path.read_text() == pages()[path]


def glossary_names() -> list[str]:
    return sorted(
        set(GLOSSARY_CODE.findall((ROOT / "docs" / "glossary.md").read_text()))
    )


@pytest.mark.parametrize("name", glossary_names())
def test_code_named_in_the_glossary_exists(name: str) -> None:
    try:
        importlib.import_module(name)
    except ModuleNotFoundError:
        module, _, attribute = name.rpartition(".")
        assert hasattr(importlib.import_module(module), attribute)


def life_sections() -> str:
    """Return what `docs/architecture.md` says of a request, a job and an answer."""
    text = (ROOT / "docs" / "architecture.md").read_text()
    return text[text.index("## Life of a request") : text.index("## Where to find")]


def test_files_named_in_the_architecture_exist() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text()
    paths = re.findall(r"`((?:\w+/)*\w+\.py)`", life_sections())
    paths += re.findall(r"`((?:\w+/)+(?:\w+\.py)?)`", text)

    missing = [
        path
        for path in paths
        if not any((ROOT / base / path).exists() for base in ("src/dossier", "."))
    ]

    assert paths
    assert missing == []


def test_functions_named_in_the_architecture_exist() -> None:
    """A name is a class, a function, or a method (`Class.method`)."""
    named = re.findall(
        r"`([A-Z]\w*[a-z]\w*(?:\.\w+)?|[a-z]+(?:_[a-z]+)+)`", life_sections()
    )
    parts = {part for name in named for part in name.split(".")}
    parts -= {"Location", "response_model", "on_end"}  # header, parameter, field
    source = "\n".join(
        path.read_text() for path in (ROOT / "src" / "dossier").rglob("*.py")
    )
    defined = re.findall(
        r"^ *(?:class|(?:async )?def) (\w+)|^(\w+) = ", source, re.MULTILINE
    )

    assert len(parts) > 20
    assert parts - {name for pair in defined for name in pair} == set()


@pytest.mark.parametrize(
    "path", sorted((ROOT / "docs").rglob("*.md")), ids=lambda path: path.name
)
def test_lines_of_the_documentation_are_at_most_132_characters(path: Path) -> None:
    long = [
        number
        for number, line in enumerate(path.read_text().splitlines(), start=1)
        if len(line) > 132 and not line.startswith("|")  # a table's row has no break
    ]

    assert long == []
