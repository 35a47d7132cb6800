"""Finds the spreadsheet that holds the formula and imports it."""

from collections.abc import Iterator, Sequence
from uuid import UUID

from dossier.cli.builder.facts import Facts
from dossier.cli.builder.folder import Refusal
from dossier.cli.builder.intake import Stored
from dossier.cli.builder.workshop import Workshop
from dossier.core.errors import InvalidError, TooLargeError
from dossier.products.service import FormulaDraft, FormulaWish

FORMULA_ITEM = 3


async def import_formula(
    workshop: Workshop,
    product_id: UUID,
    facts: Facts,
    stored: Sequence[Stored],
) -> tuple[UUID | None, list[Refusal]]:
    """Import the formula; return its paper, and what was wrong with the others.

    What the owner named is taken; without a word of theirs, every spreadsheet is
    looked at and the one with the most lines is the formula.
    """
    named = list(_named(facts, stored))
    drafts: list[FormulaDraft] = []
    refused: list[Refusal] = []
    for entry in named or [each for each in stored if each.is_spreadsheet]:
        try:
            drafts.append(await _preview(workshop, product_id, facts, entry))
        except (InvalidError, TooLargeError) as exc:
            refused.append(Refusal(entry.paper.name, f"{exc.title}: {exc.detail}"))
    if not drafts:
        return None, refused
    best = max(drafts, key=lambda draft: len(draft.parsed.lines))
    async with workshop.transaction() as session:
        await workshop.formulas(session).store(product_id, best)
    return best.document_id, refused if named else []


def _named(facts: Facts, stored: Sequence[Stored]) -> Iterator[Stored]:
    """Yield the paper that is named as the formula, or those tied to its item."""
    chosen = facts.formula.file
    tied = {entry.file for entry in facts.evidence if entry.item == FORMULA_ITEM}
    for entry in stored:
        is_tied = entry.paper.name in tied and entry.is_spreadsheet
        if entry.paper.name == chosen or (chosen is None and is_tied):
            yield entry


async def _preview(
    workshop: Workshop, product_id: UUID, facts: Facts, entry: Stored
) -> FormulaDraft:
    wish = FormulaWish(
        document_id=entry.document_id,
        sheet=facts.formula.sheet,
        tolerance=facts.formula.tolerance,
    )
    return await workshop.importer().preview(product_id, wish)
