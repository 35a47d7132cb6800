"""Links follow the folder: stated first, then words; a person's stay."""

import asyncio
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from tests.factories.documents import make_document
from tests.factories.products import MINIMAL, make_product

from dossier.cli.builder.evidence import link_evidence
from dossier.cli.builder.facts import Extras, Facts
from dossier.cli.builder.types import FolderFile, StoredFile
from dossier.cli.builder.waiting import JobWatch
from dossier.cli.builder.workshop import BuildContext
from dossier.core.database import SessionFactory
from dossier.core.settings import Settings
from dossier.core.tenancy import Actor
from dossier.products.constants import MatchedBy
from dossier.products.schemas import ProductCreate


class Desk:
    """One product with its folder, built again and again."""

    def __init__(self, context: BuildContext, product_id: UUID) -> None:
        self.context = context
        self.product_id = product_id

    async def build(
        self,
        *stored: StoredFile,
        evidence: list[dict[str, Any]] | None = None,
        formula: StoredFile | None = None,
    ) -> dict[str, str]:
        extras = Extras.model_validate({"evidence": evidence or []})
        facts = Facts(ProductCreate.model_validate(MINIMAL), extras)
        formula_id = formula.document_id if formula else None
        return await link_evidence(
            self.context, self.product_id, facts, stored, formula_id
        )

    async def link(self, paper: StoredFile, item: int, matched_by: MatchedBy) -> None:
        async with self.context.transaction() as session:
            await self.context.products(session).link_document(
                self.product_id, paper.document_id, item, matched_by=matched_by
            )

    async def links(self) -> list[tuple[int, str]]:
        async with self.context.transaction() as session:
            links = await self.context.products(session).list_links(self.product_id)
        return sorted((link.item, link.matched_by) for link in links)


@pytest.fixture
async def desk(
    settings: Settings, sessions: SessionFactory, org_id: UUID, actor: Actor
) -> Desk:
    watch = JobWatch(sessions, actor, asyncio.Event())
    product = await make_product(sessions, org_id)
    return Desk(BuildContext(settings, sessions, actor, watch), product.id)


@pytest.fixture
async def stability(sessions: SessionFactory, org_id: UUID) -> StoredFile:
    return await paper(sessions, org_id, "stability.pdf")


async def paper(sessions: SessionFactory, org_id: UUID, name: str) -> StoredFile:
    document = await make_document(sessions, org_id, name.encode(), filename=name)
    return StoredFile(
        file=FolderFile(name, Path(name)),
        document_id=document.id,
        is_spreadsheet=name.endswith("xlsx"),
        is_duplicate=False,
        is_misnamed=False,
        job_id=None,
    )


def stated(item: int) -> list[dict[str, Any]]:
    return [{"file": "stability.pdf", "item": item}]


async def test_a_paper_is_matched_by_its_words_where_nothing_is_stated(
    desk: Desk, stability: StoredFile
) -> None:
    notes = await desk.build(stability)

    assert await desk.links() == [(11, "filename")]
    assert not notes


async def test_what_is_stated_takes_the_place_of_what_words_made(
    desk: Desk, stability: StoredFile
) -> None:
    await desk.build(stability)

    await desk.build(stability, evidence=stated(14))

    assert await desk.links() == [(14, "stated")]


async def test_words_count_again_when_the_statement_is_taken_back(
    desk: Desk, stability: StoredFile
) -> None:
    await desk.build(stability, evidence=stated(14))

    await desk.build(stability)

    assert await desk.links() == [(11, "filename")]


async def test_a_statement_that_moves_to_another_item_leaves_the_first(
    desk: Desk, stability: StoredFile
) -> None:
    await desk.build(stability, evidence=stated(14))

    await desk.build(stability, evidence=stated(15))

    assert await desk.links() == [(15, "stated")]


async def test_what_earlier_words_made_goes_when_todays_would_not(
    desk: Desk, stability: StoredFile
) -> None:
    await desk.link(stability, 8, MatchedBy.CONTENT)

    await desk.build(stability)

    assert await desk.links() == [(11, "filename")]


async def test_a_paper_that_is_gone_no_longer_counts(
    desk: Desk, stability: StoredFile
) -> None:
    await desk.build(stability)

    await desk.build()

    assert await desk.links() == []


async def test_a_link_by_a_person_stays_whatever_the_folder_says(
    desk: Desk, stability: StoredFile
) -> None:
    await desk.link(stability, 9, MatchedBy.USER)

    await desk.build(stability)
    await desk.build(stability, evidence=stated(14))
    await desk.build()

    assert await desk.links() == [(9, "user")]


async def test_the_paper_of_the_formula_serves_its_item_whatever_its_name(
    desk: Desk, sessions: SessionFactory, org_id: UUID
) -> None:
    sheet = await paper(sessions, org_id, "book1.xlsx")

    await desk.build(sheet, formula=sheet)
    await desk.build(sheet, formula=sheet)
    as_formula = await desk.links()
    notes = await desk.build(sheet)

    assert as_formula == [(3, "content")]
    assert await desk.links() == []
    assert "too few known words" in notes[str(sheet.document_id)]
