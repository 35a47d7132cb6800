"""Which spreadsheet is the formula, and why another is not."""

from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from tests.factories.products import MINIMAL, make_product
from tests.factories.spreadsheets import xlsx_bytes

from dossier.cli.builder.context import BuildContext
from dossier.cli.builder.facts import Extras, FormulaChoice, StatedFacts
from dossier.cli.builder.formula import import_formula
from dossier.cli.builder.intake import store_files
from dossier.cli.builder.terminal import Stages
from dossier.cli.builder.types import ChosenFormula, FolderFile, RefusedFile
from dossier.core.database import SessionFactory
from dossier.core.settings import Settings
from dossier.core.tenancy import Actor
from dossier.jobs.follower import JobFollower
from dossier.products.formula_import.pipeline import MAX_LINES
from dossier.products.schemas import ProductCreate

pytestmark = pytest.mark.process  # each table is read in a process of its own

ONE = "INCI Name,% w/w\nAqua,90\nGlycerin,6\nPanthenol,3\nParfum,1\n"
OTHER = "INCI Name,% w/w\nAqua,91\nGlycerin,5\nPanthenol,3\nParfum,1\n"
COMPOSITION = "INCI Name,% w/w\nPhenoxyethanol,100\n"

HEAD = ("INCI Name", "% w/w")
TWO_SHEETS = xlsx_bytes(
    [HEAD, ("Aqua", 90), ("Glycerin", 10)],
    sheets={"Night": [HEAD, ("Aqua", 80), ("Glycerin", 20)]},
)

Import = Callable[..., Awaitable[ChosenFormula]]


@pytest.fixture
def import_of(
    settings: Settings,
    sessions: SessionFactory,
    org_id: UUID,
    actor: Actor,
    tmp_path: Path,
) -> Import:
    """Return a function that imports the formula of a folder with some files."""

    async def import_files(
        files: Mapping[str, str | bytes], **choice: Any
    ) -> ChosenFormula:
        follower = JobFollower(sessions, "postgresql://")
        context = BuildContext(settings, sessions, actor, follower)
        product = await make_product(sessions, org_id)
        for name, content in files.items():
            data = content.encode() if isinstance(content, str) else content
            (tmp_path / name).write_bytes(data)
        extras = Extras(formula=FormulaChoice(**choice))
        facts = StatedFacts(ProductCreate.model_validate(MINIMAL), extras)
        found = [FolderFile(name, tmp_path / name) for name in files]
        with Stages(None).stage("taking in") as step:
            stored, _ = await store_files(context, found, step)
        return await import_formula(context, product.id, facts, stored)

    return import_files


async def test_formula_with_too_many_lines_is_refused_in_one_sentence(
    import_of: Import,
) -> None:
    rows = "".join(f"Extract {number},0.01\n" for number in range(MAX_LINES + 1))

    found = await import_of({"formula.csv": "INCI Name,% w/w\n" + rows})

    reason = f"the formula has {MAX_LINES + 1} lines; at most {MAX_LINES} are read"
    assert found == ChosenFormula(refused=(RefusedFile("formula.csv", reason),))


async def test_two_files_that_may_be_the_formula_are_asked_about(
    import_of: Import,
) -> None:
    found = await import_of({"a.csv": ONE, "b.csv": OTHER})

    reason = "Several files may be the formula: a.csv, b.csv; no line was read."
    assert found.refused == (RefusedFile("a.csv", reason), RefusedFile("b.csv", reason))


@pytest.mark.parametrize(
    ("files", "choice", "taken"),
    [
        ({"a.csv": ONE, "b.csv": OTHER}, {"file": "b.csv"}, "b.csv"),
        ({"a old.csv": ONE, "b.csv": OTHER}, {}, "b.csv"),
        ({"a.csv": COMPOSITION, "b.csv": ONE}, {}, "b.csv"),
        ({"a.csv": ONE, "b.csv": ONE + "\n"}, {}, "a.csv"),
    ],
    ids=["stated", "words of the name", "far shorter", "equal lines"],
)
async def test_one_of_two_files_is_taken(
    import_of: Import, files: dict[str, str], choice: dict[str, str], taken: str
) -> None:
    found = await import_of(files, **choice)

    assert (found.name, found.refused) == (taken, ())
    shown = [note["en"] for note in found.notes if note["code"] == "other-files"]
    other = next(name for name in files if name != taken)
    expected = f"Other files look like formulas and were not read: {other}."
    assert shown == ([] if choice else [expected])


async def test_stated_sheet_says_what_it_decides(import_of: Import) -> None:
    found = await import_of({"formula.xlsx": TWO_SHEETS}, sheet="Night")

    assert [note["en"] for note in found.notes if note["kind"] == "chosen"] == [
        (
            'product.yaml names the sheet "Night". Without that: Several sheets may be'
            " the formula: Formula, Night; no line was read."
        )
    ]


async def test_sheet_that_only_a_person_can_choose_leaves_the_file_undecided(
    import_of: Import,
) -> None:
    found = await import_of({"formula.xlsx": TWO_SHEETS})

    reason = "Several sheets may be the formula: Formula, Night; no line was read."
    assert found.refused == (RefusedFile("formula.xlsx", reason),)
