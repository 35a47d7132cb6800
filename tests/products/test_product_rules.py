"""Identity, categories and codes of requirements, without a database."""

import json
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from dossier.cli.categories import app
from dossier.pif.rules.items import rulebook
from dossier.products.categories import categories, category_of, sources
from dossier.products.constants import REQUIREMENTS, MicrobialClass, Use
from dossier.products.exceptions import (
    CategoryUnknownError,
    ProductNameMissingError,
    RequirementUnknownError,
)
from dossier.products.rules import check_requirement, identity_key

names = st.text(min_size=1, max_size=20).filter(str.strip)


@given(names, names, names)
def test_product_with_a_code_is_the_same_under_any_name(
    code: str, one: str, other: str
) -> None:
    first = identity_key(code=code, holder=one, name_zh=one, name_en=None)
    second = identity_key(code=code, holder=other, name_zh=None, name_en=other)

    assert first == second


def test_names_in_other_languages_do_not_change_places() -> None:
    zh = identity_key(code=None, holder="A", name_zh="Rose", name_en=None)
    en = identity_key(code=None, holder="A", name_zh=None, name_en="Rose")

    assert zh != en


def test_width_case_and_spaces_do_not_make_another_product() -> None:
    one = identity_key(code="RC-01", holder="A", name_zh="面霜", name_en=None)
    other = identity_key(
        code=" \uff32\uff23-01", holder="B", name_zh="乳液", name_en=None
    )

    assert one == other


def test_code_and_equal_name_are_different_identities() -> None:
    by_code = identity_key(code="A", holder="A", name_zh="A", name_en="A")
    by_name = identity_key(code=None, holder="A", name_zh="A", name_en="A")

    assert by_code != by_name


def test_product_without_a_name_has_no_identity() -> None:
    with pytest.raises(ProductNameMissingError):
        identity_key(code="A", holder="B", name_zh=None, name_en="")


def test_every_category_is_complete() -> None:
    for key, row in categories().items():
        assert key == row.id
        assert row.name_zh
        assert row.name_en
        assert row.tfda_category_zh
        assert row.use.value in row.annex_classes


@pytest.mark.parametrize(
    ("category", "phase_in_on", "exposure", "microbes"),
    [
        ("sunscreen", date(2024, 7, 1), "sunscreen", MicrobialClass.OTHER),
        ("lipstick", date(2025, 7, 1), "lipstick", MicrobialClass.SENSITIVE),
        ("baby_lotion", date(2025, 7, 1), None, MicrobialClass.SENSITIVE),
        ("face_cream", date(2026, 7, 1), "face_cream", MicrobialClass.OTHER),
        ("handmade_soap", None, None, MicrobialClass.OTHER),
    ],
)
def test_category_decides_phase_in_exposure_and_microbial_class(
    category: str,
    phase_in_on: date | None,
    exposure: str | None,
    microbes: MicrobialClass,
) -> None:
    row = category_of(category)

    assert row.phase_in_on == phase_in_on
    assert row.exposure_row_id == exposure
    assert row.microbial_class is microbes


def test_each_exposure_row_belongs_to_one_category() -> None:
    rows = [r.exposure_row_id for r in categories().values() if r.exposure_row_id]

    assert len(rows) == len(set(rows)) == 22


def test_unknown_category_is_refused_with_the_known_ones() -> None:
    with pytest.raises(CategoryUnknownError, match="face_cream"):
        category_of("moon_dust")


def test_every_column_from_a_source_names_it() -> None:
    columns = sources()

    assert {"phase_in_on", "exposure_row_id", "microbial_class"} <= set(columns)
    assert {s.certainty for s in columns.values()} <= {
        "verified",
        "secondary",
        "general_knowledge",
    }


@pytest.mark.parametrize("item", [1, 9])
def test_each_requirement_of_an_item_is_known(item: int) -> None:
    for requirement in rulebook().item(item).requirements:
        check_requirement(requirement.code, item)


@pytest.mark.parametrize(
    "code",
    ["tw-12.microbe", "tw-12.microbes\n", "tw-1.microbes", "microbes", "tw-12.", ""],
)
def test_another_requirement_is_refused_with_the_known_ones(code: str) -> None:
    with pytest.raises(RequirementUnknownError, match=r"tw-12\.microbes") as refused:
        check_requirement(code, 12)

    assert [fault.pointer for fault in refused.value.faults] == ["#/requirement"]


def test_the_codes_are_those_of_the_rulebook() -> None:
    asked = {
        item.number: tuple(r.code.partition(".")[2] for r in item.requirements)
        for item in rulebook().items
    }

    assert asked == REQUIREMENTS


def test_command_lists_categories_for_people_and_machines() -> None:
    table = CliRunner().invoke(app, [])
    machine = CliRunner().invoke(app, ["--json"])

    assert any(line.startswith("face_cream ") for line in table.stdout.splitlines())
    rows = {row["id"]: row for row in json.loads(machine.stdout)["items"]}
    assert rows["face_cream"]["use"] == Use.LEAVE_ON
    assert rows["face_cream"]["phase_in_on"] == "2026-07-01"
