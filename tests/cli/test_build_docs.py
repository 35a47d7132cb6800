"""`docs/build.md` names every field that `product.yaml` may hold, and no other."""

import re
from pathlib import Path

from dossier.cli.builder.facts import (
    ConfirmedFile,
    Extras,
    FormulaChoice,
    StatedEvidence,
)
from dossier.products.schemas import ProductCreate

DOCS = Path(__file__).parents[2] / "docs" / "build.md"


def rows() -> list[str]:
    section = DOCS.read_text(encoding="utf-8").partition("## `product.yaml`")[2]
    table = section.partition("|---|")[2].partition("\n\n")[0]
    return table.splitlines()[1:]


def test_every_field_of_product_yaml_is_documented() -> None:
    named = [re.findall(r"`(\w+)`", row.split("|")[1]) for row in rows()]

    assert sorted(field for fields in named for field in fields) == sorted(
        [*ProductCreate.model_fields, *Extras.model_fields]
    )


def test_members_of_evidence_and_formula_are_documented() -> None:
    documented = {row.split("|")[1].strip(): row for row in rows()}

    for field, model in (
        ("`evidence`", StatedEvidence),
        ("`confirmed`", ConfirmedFile),
        ("`formula`", FormulaChoice),
    ):
        for member in model.model_fields:
            assert f"`{member}`" in documented[field]
