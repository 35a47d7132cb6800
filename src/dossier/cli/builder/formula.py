"""Finds the spreadsheet that holds the formula and imports it."""

from collections.abc import Sequence
from uuid import UUID

from dossier.cli.builder.context import BuildContext
from dossier.cli.builder.facts import StatedFacts
from dossier.cli.builder.types import FORMULA_ITEM, RefusedFile, StoredFile
from dossier.core.errors import InvalidError, TooLargeError
from dossier.products.service.formulas import FormulaDraft


async def import_formula(
    context: BuildContext,
    product_id: UUID,
    facts: StatedFacts,
    stored: Sequence[StoredFile],
) -> tuple[UUID | None, list[RefusedFile]]:
    """Import the formula; return its document, and why the others are not it.

    The spreadsheet that the owner names is taken, or those tied to the formula's item.
    If none is stated, every spreadsheet is tried, and the one with the most lines is
    the formula.
    """
    tied = {entry.file for entry in facts.evidence if entry.item == FORMULA_ITEM}
    spreadsheets = [entry for entry in stored if entry.is_spreadsheet]
    if facts.formula.file is not None:
        named = [entry for entry in stored if entry.file.name == facts.formula.file]
    else:
        named = [entry for entry in spreadsheets if entry.file.name in tied]
    drafts: list[FormulaDraft] = []
    refused: list[RefusedFile] = []
    for entry in named or spreadsheets:
        try:
            draft = await context.importer().preview(
                product_id,
                entry.document_id,
                sheet=facts.formula.sheet,
                column=facts.formula.column,
                tolerance=facts.formula.tolerance,
            )
            drafts.append(draft)
        except (InvalidError, TooLargeError) as exc:
            # A detail begins with its file, which `RefusedFile` names already.
            reason = exc.detail.removeprefix(f"{entry.file.path.name}: ")
            refused.append(RefusedFile(entry.file.name, reason))
    if not drafts:
        return None, refused
    best = max(drafts, key=lambda draft: len(draft.parsed.lines))
    async with context.transaction() as session:
        await context.formulas(session).store(product_id, best)
    return best.document_id, refused if named else []
