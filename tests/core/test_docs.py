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
