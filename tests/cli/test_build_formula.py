"""Why a formula was not imported is reported in one sentence."""

from pathlib import Path
from uuid import UUID

import pytest
from tests.factories.products import MINIMAL, make_product

from dossier.cli.builder.context import BuildContext
from dossier.cli.builder.facts import Extras, StatedFacts
from dossier.cli.builder.formula import import_formula
from dossier.cli.builder.intake import store_files
from dossier.cli.builder.terminal import Stages
from dossier.cli.builder.types import FolderFile, FormulaReading, RefusedFile
from dossier.core.database import SessionFactory
from dossier.core.settings import Settings
from dossier.core.tenancy import Actor
from dossier.jobs.follower import JobFollower
from dossier.products.formula_import.pipeline import MAX_LINES
from dossier.products.schemas import ProductCreate


@pytest.mark.process  # the table is read in a process of its own
async def test_a_formula_with_too_many_lines_is_refused_in_one_sentence(
    settings: Settings,
    sessions: SessionFactory,
    org_id: UUID,
    actor: Actor,
    tmp_path: Path,
) -> None:
    context = BuildContext(
        settings, sessions, actor, JobFollower(sessions, "postgresql://")
    )
    product = await make_product(sessions, org_id)
    path = tmp_path / "formula.csv"
    rows = "".join(f"Extract {number},0.01\n" for number in range(MAX_LINES + 1))
    path.write_text("INCI Name,% w/w\n" + rows)
    facts = StatedFacts(ProductCreate.model_validate(MINIMAL), Extras())
    with Stages(None).stage("taking in") as step:
        stored, _ = await store_files(context, [FolderFile(path.name, path)], step)

    found = await import_formula(context, product.id, facts, stored)

    reason = f"the formula has {MAX_LINES + 1} lines; at most {MAX_LINES} are read"
    assert found == FormulaReading(refused=(RefusedFile("formula.csv", reason),))
