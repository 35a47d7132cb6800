"""Links follow the folder: stated first, then words; those of a person stay."""

from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from tests.factories.documents import make_document
from tests.factories.products import MINIMAL, make_product

from dossier.cli.builder.context import BuildContext
from dossier.cli.builder.evidence import link_evidence
from dossier.cli.builder.facts import Extras, StatedFacts
from dossier.cli.builder.types import FolderFile, StoredFile
from dossier.core.database import SessionFactory
from dossier.core.settings import Settings
from dossier.core.tenancy import Actor
from dossier.jobs.follower import JobFollower
from dossier.products.constants import MatchedBy
from dossier.products.schemas import ProductCreate


class Build:
    """One product with its folder, built again and again."""

    def __init__(self, context: BuildContext, product_id: UUID) -> None:
        self.context = context
        self.product_id = product_id

    async def run(
        self,
        *stored: StoredFile,
        evidence: list[dict[str, Any]] | None = None,
        formula: StoredFile | None = None,
    ) -> dict[str, str]:
        extras = Extras.model_validate({"evidence": evidence or []})
        facts = StatedFacts(ProductCreate.model_validate(MINIMAL), extras)
        formula_id = formula.document_id if formula else None
        return await link_evidence(
            self.context, self.product_id, facts, stored, formula_id
        )

    async def link(self, file: StoredFile, item: int, matched_by: MatchedBy) -> None:
        async with self.context.transaction() as session:
            await self.context.products(session).link_document(
                self.product_id, file.document_id, item, matched_by=matched_by
            )

    async def links(self) -> list[tuple[int, str]]:
        async with self.context.transaction() as session:
            links = await self.context.products(session).list_links(self.product_id)
        return sorted((link.item, link.matched_by) for link in links)


@pytest.fixture
async def build(
    settings: Settings, sessions: SessionFactory, org_id: UUID, actor: Actor
) -> Build:
    follower = JobFollower(sessions, "postgresql://")
    product = await make_product(sessions, org_id)
    return Build(BuildContext(settings, sessions, actor, follower), product.id)


@pytest.fixture
async def stability(sessions: SessionFactory, org_id: UUID) -> StoredFile:
    return await stored_file(sessions, org_id, "stability.pdf")


async def stored_file(sessions: SessionFactory, org_id: UUID, name: str) -> StoredFile:
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


async def test_document_without_statement_is_matched_by_its_words(
    build: Build, stability: StoredFile
) -> None:
    notes = await build.run(stability)

    assert await build.links() == [(11, "filename")]
    assert not notes


async def test_statement_replaces_links_made_by_words(
    build: Build, stability: StoredFile
) -> None:
    await build.run(stability)

    await build.run(stability, evidence=stated(14))

    assert await build.links() == [(14, "stated")]


async def test_words_count_again_after_the_statement_is_removed(
    build: Build, stability: StoredFile
) -> None:
    await build.run(stability, evidence=stated(14))

    await build.run(stability)

    assert await build.links() == [(11, "filename")]


async def test_statement_moved_to_another_item_removes_the_first_link(
    build: Build, stability: StoredFile
) -> None:
    await build.run(stability, evidence=stated(14))

    await build.run(stability, evidence=stated(15))

    assert await build.links() == [(15, "stated")]


async def test_automatic_link_that_todays_words_do_not_make_is_removed(
    build: Build, stability: StoredFile
) -> None:
    await build.link(stability, 8, MatchedBy.CONTENT)

    await build.run(stability)

    assert await build.links() == [(11, "filename")]


async def test_link_of_a_removed_file_is_removed(
    build: Build, stability: StoredFile
) -> None:
    await build.run(stability)

    await build.run()

    assert await build.links() == []


async def test_link_made_by_a_person_stays_whatever_the_folder_states(
    build: Build, stability: StoredFile
) -> None:
    await build.link(stability, 9, MatchedBy.USER)

    await build.run(stability)
    await build.run(stability, evidence=stated(14))
    await build.run()

    assert await build.links() == [(9, "user")]


async def test_formula_document_is_linked_to_its_item_whatever_its_name(
    build: Build, sessions: SessionFactory, org_id: UUID
) -> None:
    sheet = await stored_file(sessions, org_id, "book1.xlsx")

    await build.run(sheet, formula=sheet)
    await build.run(sheet, formula=sheet)
    as_formula = await build.links()
    notes = await build.run(sheet)

    assert as_formula == [(3, "content")]
    assert await build.links() == []
    assert "too few known words" in notes[str(sheet.document_id)]
