"""Links documents to the items, and states what their owner has confirmed.

What the owner stated comes first, then names and words.
"""

from collections.abc import Mapping, Sequence
from uuid import UUID

from dossier.cli.builder.context import BuildContext
from dossier.cli.builder.facts import StatedEvidence, StatedFacts
from dossier.cli.builder.types import FORMULA_ITEM, StoredFile
from dossier.pif.constants import MatchOutcome
from dossier.pif.schemas import MatchResponse
from dossier.pif.service.confirmations import StatedConfirmation
from dossier.products.constants import MatchedBy
from dossier.products.models import ProductDocument
from dossier.products.service.products import ProductsService

AUTOMATIC = frozenset({MatchedBy.FILENAME, MatchedBy.CONTENT})

LinkKey = tuple[UUID, int, str | None]
"""A document, an item, and one of its requirements or none."""


async def link_evidence(
    context: BuildContext,
    product_id: UUID,
    facts: StatedFacts,
    stored: Sequence[StoredFile],
    formula_id: UUID | None,
) -> dict[str, str]:
    """Make the links that follow from the folder.

    Links that a person made elsewhere are left alone. Returns why documents stayed
    without a link, by document id.
    """
    ids = {entry.file.name: entry.document_id for entry in stored}
    stated: dict[LinkKey, StatedEvidence] = {
        (ids[entry.file], entry.item, entry.requirement): entry
        for entry in facts.evidence
        if entry.file in ids
    }
    present = list(dict.fromkeys(ids.values()))
    async with context.transaction() as session:
        products = context.products(session)
        await _unlink_outdated(products, product_id, stated, set(present))
        await _link_stated(products, product_id, stated)
        matches = await context.matching(session).apply(product_id, present)
        if formula_id is not None:
            await _link_formula(products, product_id, formula_id)
        await _unlink_unmatched(products, product_id, matches, formula_id)
        await context.confirmations(session).state(
            product_id,
            [
                StatedConfirmation(
                    **entry.model_dump(exclude={"file"}), document_id=ids[entry.file]
                )
                for entry in facts.confirmed
                if entry.file in ids
            ],
        )
    return {
        str(match.document_id): match.reason for match in matches if not match.serves
    }


async def _unlink_outdated(
    products: ProductsService,
    product_id: UUID,
    stated: Mapping[LinkKey, StatedEvidence],
    present: set[UUID],
) -> None:
    """Remove links to documents that are gone, or that the statements contradict."""
    unstated = present - {document_id for document_id, _, _ in stated}
    for link in await products.list_links(product_id):
        if link.matched_by == MatchedBy.USER:
            continue
        if link.matched_by == MatchedBy.STATED:
            entry = stated.get(_key(link))
            is_current = entry is not None and link.reason == _reason(entry)
        else:
            # One statement on a document replaces all that its words suggested.
            is_current = link.document_id in unstated
        if not is_current:
            await products.unlink_document(product_id, link.id)


async def _link_stated(
    products: ProductsService,
    product_id: UUID,
    stated: Mapping[LinkKey, StatedEvidence],
) -> None:
    linked = {_key(link) for link in await products.list_links(product_id)}
    for key, entry in stated.items():
        if key not in linked:
            await products.link_document(
                product_id, *key, matched_by=MatchedBy.STATED, reason=_reason(entry)
            )


async def _link_formula(
    products: ProductsService, product_id: UUID, formula_id: UUID
) -> None:
    """Link the document that the formula was read from to its item."""
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


async def _unlink_unmatched(
    products: ProductsService,
    product_id: UUID,
    matches: Sequence[MatchResponse],
    formula_id: UUID | None,
) -> None:
    """Remove links that earlier rules made and today's rules would not make."""
    judged = {m.document_id for m in matches if m.outcome is not MatchOutcome.STATED}
    served = {(m.document_id, t.item, t.requirement) for m in matches for t in m.serves}
    for link in await products.list_links(product_id):
        if link.matched_by not in AUTOMATIC or link.document_id not in judged:
            continue
        is_formula = (link.document_id, link.item) == (formula_id, FORMULA_ITEM)
        if not is_formula and _key(link) not in served:
            await products.unlink_document(product_id, link.id)


def _key(link: ProductDocument) -> LinkKey:
    return link.document_id, link.item, link.requirement


def _reason(entry: StatedEvidence) -> str:
    return entry.reason or "stated in product.yaml"
