"""What may be stated of a product, and how faults are reported."""

from decimal import Decimal
from pathlib import Path

import pytest

from dossier.cli.builder.facts import StatedFacts, read_facts, read_product_file
from dossier.cli.builder.types import FolderFile, UnusableInputError

FILES = [FolderFile("formula.xlsx", Path("formula.xlsx"))]
VALID = """\
name_en: Rose Cream
category: face_cream
use: leave_on
holder: {name: Jiyue}
"""


def read(folder: Path, text: str) -> StatedFacts:
    path = folder / "product.yaml"
    path.write_text(text, encoding="utf-8")
    return read_facts(read_product_file(path), FILES)


def reasons(folder: Path, text: str) -> tuple[str, ...]:
    with pytest.raises(UnusableInputError) as caught:
        read(folder, text)
    return caught.value.reasons


def test_facts_and_stated_evidence_are_read(tmp_path: Path) -> None:
    facts = read(
        tmp_path,
        VALID
        + "formula: {file: formula.xlsx, tolerance: 0.05}\n"
        + "evidence:\n  - {file: formula.xlsx, item: 3}\n",
    )

    assert facts.product.name_en == "Rose Cream"
    assert facts.product.markets == ["tw"]
    assert facts.formula.tolerance == Decimal("0.05")
    assert [(entry.file, entry.item) for entry in facts.evidence] == [
        ("formula.xlsx", 3)
    ]


def test_all_faults_are_reported_at_once_with_their_lines(tmp_path: Path) -> None:
    text = VALID.replace("leave_on", "sometimes") + "colour: red\nevidence:\n"
    text += "  - {file: a.pdf, item: 17}\n"

    assert reasons(tmp_path, text) == (
        "product.yaml:3: use: Input should be 'leave_on' or 'rinse_off'",
        "product.yaml:5: colour: there is no such field.",
        "product.yaml:7: evidence.0.item: Input should be less than or equal to 16",
    )


def test_missing_field_is_reported_with_how_to_state_it(tmp_path: Path) -> None:
    found = reasons(tmp_path, "name_en: Rose Cream\nuse: leave_on\nholder: {}\n")

    assert found == (
        "product.yaml: category: is needed; state it there or by --product category=…",
        (
            "product.yaml:3: holder.name: is needed; state it there"
            " or by --product holder.name=…"
        ),
    )


def test_stated_files_missing_from_the_folder_are_named(tmp_path: Path) -> None:
    text = VALID + "formula: {file: b.xlsx}\nevidence:\n  - {file: a.pdf, item: 5}\n"

    assert reasons(tmp_path, text) == (
        "product.yaml:7: evidence.0.file: no such file in the folder: a.pdf",
        "product.yaml:5: formula.file: no such file in the folder: b.xlsx",
    )


def test_unknown_requirements_list_those_of_the_item(tmp_path: Path) -> None:
    text = VALID + (
        "evidence:\n  - {file: formula.xlsx, item: 9, requirement: tw-9.colour}\n"
    )

    [reason] = reasons(tmp_path, text)

    assert reason == (
        "product.yaml:6: evidence.0.requirement: tw-9.colour:"
        " item 9 has: tw-9.product, tw-9.ingredients"
    )


def test_unknown_category_is_reported_at_its_line(tmp_path: Path) -> None:
    [reason] = reasons(tmp_path, VALID.replace("face_cream", "moon_cream"))

    assert reason.startswith(
        "product.yaml:2: category: There is no category 'moon_cream'"
    )


def test_misspelt_field_is_refused_with_the_nearest_name(tmp_path: Path) -> None:
    text = VALID.replace("holder: {name:", "holder: {nmae:") + "evidense: []\n"

    found = reasons(tmp_path, text)

    assert (
        "product.yaml:4: holder.nmae: there is no such field. Did you mean 'name'?"
        in found
    )
    assert (
        "product.yaml:5: evidense: there is no such field. Did you mean 'evidence'?"
        in found
    )


def test_product_without_a_name_is_refused(tmp_path: Path) -> None:
    found = reasons(tmp_path, VALID.replace("name_en: Rose Cream\n", ""))

    assert found == ("product.yaml: state name_zh, name_en or both",)
