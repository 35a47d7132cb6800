"""Ties papers to the items: what the owner stated first, then names and words."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from dossier.cli.builder.facts import Evidence, Facts
from dossier.cli.builder.formula import FORMULA_ITEM
from dossier.cli.builder.intake import Stored
from dossier.cli.builder.workshop import Workshop
from dossier.pif.constants import Outcome
from dossier.pif.schemas import MatchResponse
from dossier.products.constants import MatchedBy
from dossier.products.models import ProductDocument
from dossier.products.service import ProductsService

AUTOMATIC = frozenset({MatchedBy.FILENAME, MatchedBy.CONTENT})

Target = tuple[UUID, int, str | None]
"""A paper, an item, and a requirement of it or none."""


async def match_papers(
    workshop: Workshop,
    product_id: UUID,
    facts: Facts,
    stored: Sequence[Stored],
    formula_id: UUID | None,
) -> dict[str, str]:
    """Make the links what the folder says; return why papers stayed without one.

    Links that a person made elsewhere are left alone.
    """
    ids = list(dict.fromkeys(entry.document_id for entry in stored))
    stated = _stated(facts, stored)
    async with workshop.transaction() as session:
        products = workshop.products(session)
        await _drop_outdated(products, product_id, stated, set(ids))
        await _link_stated(products, product_id, stated)
        matches = await workshop.pif(session).apply_matches(product_id, ids)
        if formula_id is not None:
            await _link_formula(products, product_id, formula_id)
        await _drop_unmatched(products, product_id, matches, formula_id)
    return {
        str(match.document_id): match.reason for match in matches if not match.serves
    }


def _stated(facts: Facts, stored: Sequence[Stored]) -> dict[Target, Evidence]:
    ids = {entry.paper.name: entry.document_id for entry in stored}
    return {
        (ids[entry.file], entry.item, entry.requirement): entry
        for entry in facts.evidence
        if entry.file in ids
    }


def _reason(entry: Evidence) -> str:
    return entry.reason or "stated in product.yaml"


def _target(link: ProductDocument) -> Target:
    return link.document_id, link.item, link.requirement


async def _drop_outdated(
    products: ProductsService,
    product_id: UUID,
    stated: Mapping[Target, Evidence],
    present: set[UUID],
) -> None:
    """Take away links to papers that are gone, or of which now something is stated."""
    spoken_for = {document_id for document_id, _, _ in stated}
    for link in await products.list_links(product_id):
        if link.matched_by == MatchedBy.USER:
            continue
        if not _still_holds(link, stated, present - spoken_for):
            await products.unlink_document(product_id, link.id)


def _still_holds(
    link: ProductDocument, stated: Mapping[Target, Evidence], unstated: set[UUID]
) -> bool:
    if link.matched_by != MatchedBy.STATED:
        return link.document_id in unstated
    entry = stated.get(_target(link))
    return entry is not None and link.reason == _reason(entry)


async def _link_stated(
    products: ProductsService, product_id: UUID, stated: Mapping[Target, Evidence]
) -> None:
    linked = {_target(link) for link in await products.list_links(product_id)}
    for target, entry in stated.items():
        if target not in linked:
            await products.link_document(
                product_id,
                *target,
                matched_by=MatchedBy.STATED,
                reason=_reason(entry),
            )


async def _drop_unmatched(
    products: ProductsService,
    product_id: UUID,
    matches: Sequence[MatchResponse],
    formula_id: UUID | None,
) -> None:
    """Take away what earlier words made and today's words would not make."""
    judged = {m.document_id for m in matches if m.outcome is not Outcome.STATED}
    served = {(m.document_id, t.item, t.requirement) for m in matches for t in m.serves}
    for link in await products.list_links(product_id):
        if link.matched_by not in AUTOMATIC or link.document_id not in judged:
            continue
        is_formula = (link.document_id, link.item) == (formula_id, FORMULA_ITEM)
        if not is_formula and _target(link) not in served:
            await products.unlink_document(product_id, link.id)


async def _link_formula(
    products: ProductsService, product_id: UUID, formula_id: UUID
) -> None:
    """Tie the paper that the formula was read from to its item."""
    links = await products.list_links(product_id)
    if any(
        link.document_id == formula_id and link.item == FORMULA_ITEM for link in links
    ):
        return
    await products.link_document(
        product_id,
        formula_id,
        FORMULA_ITEM,
        matched_by=MatchedBy.CONTENT,
        reason="the formula was read from it",
    )
