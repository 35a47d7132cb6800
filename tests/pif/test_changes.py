"""Documents are stale when the formula changes after they were linked."""

from collections.abc import Mapping
from decimal import Decimal
from functools import partial
from uuid import UUID

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.factories.documents import make_read_document
from tests.factories.formulas import import_formula
from tests.factories.products import WHOLE, make_product

from dossier.core.database import SessionFactory
from dossier.core.settings import Settings
from dossier.pif.constants import FormulaChange
from dossier.pif.rules.changes import (
    composition_sha256,
    formula_changes,
    shown_changes,
)
from dossier.products.service.products import formula_content

STABILITY = """產品安定性試驗報告 Stability test report
品名 Product: Rose Moisture Cream
結論 Conclusion: 符合 Pass
"""
BEFORE = {"Aqua": "q.s.", "Glycerin": "7"}


@pytest.mark.parametrize(
    ("after", "changes"),
    [
        ({"AQUA": "q.s.", "glycerin": "7"}, {}),
        (
            {"Aqua": "q.s.", "Glycerin": "5"},
            {FormulaChange.QUANTITIES: ["Glycerin 7 → 5"]},
        ),
        (
            {"Aqua": "q.s.", "Panthenol": "1"},
            {FormulaChange.INGREDIENTS: ["+ Panthenol", "\u2212 Glycerin"]},
        ),
    ],
)
def test_formulas_are_compared_by_ingredient_and_quantity(
    after: Mapping[str, str], changes: Mapping[FormulaChange, list[str]]
) -> None:
    assert formula_changes(BEFORE, after) == changes


def test_without_a_formula_before_or_after_nothing_has_changed() -> None:
    assert formula_changes(None, BEFORE) == {}
    assert formula_changes({}, BEFORE) == {}
    assert formula_changes(BEFORE, {}) == {}


def test_hash_of_a_composition_depends_on_its_quantities_alone() -> None:
    same = {"GLYCERIN": "7", "aqua": "q.s."}

    assert composition_sha256(BEFORE) == composition_sha256(same)
    assert composition_sha256(BEFORE) != composition_sha256(BEFORE | {"Glycerin": "5"})


def test_many_changes_are_counted() -> None:
    assert shown_changes(list("abcdefg")) == "a, b, c, d, e, + 2 …"


@given(st.lists(st.decimals(0, 100, places=3), min_size=1, max_size=4))
def test_content_depends_neither_on_trailing_zeros_nor_on_order(
    quantities: list[Decimal],
) -> None:
    lines = [("Aqua", each, each, False) for each in quantities]
    other = [("Aqua", each + Decimal("0.0000"), None, False) for each in quantities]

    assert formula_content(lines) == formula_content(reversed(other))


def test_content_keeps_intervals_and_not_the_line_that_fills_up() -> None:
    lines = [
        ("Aqua", Decimal(80), Decimal(80), True),
        ("Citric Acid", Decimal(0), Decimal("0.10"), False),
    ]

    assert formula_content(lines) == {"Aqua": "q.s.", "Citric Acid": "0\u20130.1"}


@pytest.mark.process
async def test_imported_formula_makes_documents_stale_until_confirmed_or_linked_again(
    client: httpx2.AsyncClient,
    sessions: SessionFactory,
    org_id: UUID,
    settings: Settings,
) -> None:
    product = await make_product(sessions, org_id, **WHOLE)
    url = f"/api/v1/products/{product.id}"
    document = await make_read_document(sessions, org_id, STABILITY)
    body = {"document_id": str(document.id), "item": 11}
    link = (await client.post(f"{url}/documents", json=body)).json()

    async def state() -> tuple[str, str]:
        item = (await client.get(f"{url}/pif")).json()["items"][10]
        [judgement] = item["requirements"][0]["judgements"]
        return item["state"], judgement["reason"]["en"]

    new = partial(import_formula, client, sessions, org_id, settings, url)
    await new(("Aqua", "93"), ("Glycerin", "7"))
    assert await state() == ("present", "was read")  # linked before there was one
    formula = (await client.get(f"{url}/pif")).json()["formula"]
    assert (formula["number"], formula["filename"]) == (1, "formula.xlsx")
    await new(("Aqua", "93.0"), ("GLYCERIN", "7.00"))
    assert (await state())[0] == "present"
    await new(("Aqua", "95"), ("Glycerin", "5"))
    assert await state() == (
        "stale",
        "was linked before the formula changed (Aqua 93 → 95, Glycerin 7 → 5)",
    )

    confirmed = await client.put(
        f"{url}/pif/items/11/confirmation",
        json={"document_id": str(document.id), "reason": "Bracketed in the report."},
    )
    assert confirmed.status_code == 200
    assert (await state())[0] == "present"
    await client.delete(f"{url}/pif/items/11/confirmation")
    await client.delete(f"{url}/documents/{link['id']}")
    await client.post(f"{url}/documents", json=body)
    assert await state() == ("present", "was read")
