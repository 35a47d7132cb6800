"""Finds the spreadsheet that holds the formula and imports it."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Final
from uuid import UUID

from dossier.cli.builder.context import BuildContext
from dossier.cli.builder.facts import FormulaChoice, StatedFacts
from dossier.cli.builder.types import (
    FORMULA_ITEM,
    ChosenFormula,
    RefusedFile,
    StoredFile,
)
from dossier.core.errors import InvalidError, TooLargeError
from dossier.products.formula_import.columns import standing
from dossier.products.formula_import.findings import file_finding
from dossier.products.formula_import.notes import ReadingNote
from dossier.products.formula_import.types import FormulaSource
from dossier.products.service.formulas import FormulaDraft

_FAR_SHORTER: Final = 2


@dataclass(frozen=True, slots=True)
class _Candidate:
    name: str
    draft: FormulaDraft

    @property
    def rank(self) -> tuple[int, int]:
        """Words such as "old" in the path, then the number of lines."""
        return standing(self.name), len(self.draft.parsed.lines)

    @property
    def content(self) -> set[tuple[str | None, str | None, str | None]]:
        """The lines without their places, to compare two files."""
        return {
            (line.inci, line.cas, line.percent_text) for line in self.draft.parsed.lines
        }

    def rivals(self, other: "_Candidate") -> bool:
        """Return whether a file of no higher rank is as likely and says something else.

        The composition of one raw material is far shorter than a formula.
        """
        is_long = other.rank[1] > 0 and other.rank[1] * _FAR_SHORTER >= self.rank[1]
        is_near = standing(self.name) == standing(other.name) and is_long
        return is_near and self.content != other.content


async def import_formula(
    context: BuildContext,
    product_id: UUID,
    facts: StatedFacts,
    stored: Sequence[StoredFile],
) -> ChosenFormula:
    """Import the formula; where two files are as likely, no line of either.

    The spreadsheet that the owner names is taken, or those tied to the formula's item.
    If none is stated, every spreadsheet is tried.
    """
    tied = {entry.file for entry in facts.evidence if entry.item == FORMULA_ITEM}
    spreadsheets = [entry for entry in stored if entry.is_spreadsheet]
    if facts.formula.file is not None:
        named = [entry for entry in stored if entry.file.name == facts.formula.file]
    else:
        named = [entry for entry in spreadsheets if entry.file.name in tied]
    candidates: list[_Candidate] = []
    refused: list[RefusedFile] = []
    for entry in named or spreadsheets:
        try:
            draft = await _preview(context, product_id, entry, facts.formula)
        except (InvalidError, TooLargeError) as exc:
            # A detail begins with its file, which `RefusedFile` names already.
            reason = exc.detail.removeprefix(f"{entry.file.path.name}: ")
            refused.append(RefusedFile(entry.file.name, reason))
        else:
            candidates.append(_Candidate(entry.file.name, draft))
    if not candidates:
        return ChosenFormula(refused=tuple(refused))
    best = max(candidates, key=lambda each: each.rank)
    draft = _decided(best, [each for each in candidates if each is not best])
    if facts.formula.sheet is not None or facts.formula.column is not None:
        entry = next(entry for entry in stored if entry.file.name == best.name)
        left_open = await _preview(context, product_id, entry, FormulaChoice())
        draft = _with_note(draft, _stated_choice(facts.formula, left_open))
    async with context.transaction() as session:
        await context.formulas(session).store(product_id, draft)
    if not named:
        refused = []
    if not draft.parsed.lines:
        reason = draft.findings[0].message.en
        refused += [
            RefusedFile(each.name, reason)
            for each in candidates
            if each is best or best.rivals(each)
        ]
    return ChosenFormula(
        document_id=draft.document_id,
        name=best.name,
        notes=tuple(asdict(note) for note in draft.parsed.notes),
        refused=tuple(refused),
    )


async def _preview(
    context: BuildContext, product_id: UUID, entry: StoredFile, choice: FormulaChoice
) -> FormulaDraft:
    return await context.importer().preview(
        product_id,
        entry.document_id,
        sheet=choice.sheet,
        column=choice.column,
        tolerance=choice.tolerance,
    )


def _decided(best: _Candidate, others: Sequence[_Candidate]) -> FormulaDraft:
    """Return the best draft with the files that were not read, or one without lines."""
    draft = best.draft
    rivals = [each.name for each in others if best.rivals(each)]
    if rivals:
        source = FormulaSource(
            filename=draft.filename,
            sha256=draft.sha256,
            document_id=str(draft.document_id),
        )
        words = {"names": ", ".join((best.name, *rivals))}
        finding = file_finding("ambiguous-file", source, words)
        parsed = replace(
            draft.parsed, sheet="", lines=(), tables=(), findings=(finding,), notes=()
        )
        return replace(draft, parsed=parsed)
    names = ", ".join(each.name for each in others)
    if not names:
        return draft
    note = ReadingNote(
        code="other-files",
        kind="left_out",
        zh=f"其他檔案看似配方，未讀取：{names}。",
        en=f"Other files look like formulas and were not read: {names}.",
    )
    return _with_note(draft, note)


def _stated_choice(choice: FormulaChoice, left_open: FormulaDraft) -> ReadingNote:
    """Return what the owner chose, and what the file would leave open without it."""
    zh, en = [], []
    if choice.sheet is not None:
        zh.append(f"工作表「{choice.sheet}」")
        en.append(f'the sheet "{choice.sheet}"')
    if choice.column is not None:
        zh.append(f"含量欄「{choice.column}」")
        en.append(f'the column "{choice.column}"')
    chosen_zh = f"product.yaml 指定{'、'.join(zh)}。"
    chosen_en = f"product.yaml names {' and '.join(en)}."
    if not left_open.parsed.lines:
        for finding in left_open.findings:
            chosen_zh += f"未指定時：{finding.message.zh}"
            chosen_en += f" Without that: {finding.message.en}"
    return ReadingNote(code="choice-stated", kind="chosen", zh=chosen_zh, en=chosen_en)


def _with_note(draft: FormulaDraft, note: ReadingNote) -> FormulaDraft:
    # The stated choice says which sheet was read, and why.
    kept = (
        each
        for each in draft.parsed.notes
        if (note.code, each.code) != ("choice-stated", "sheet-chosen")
    )
    notes = (note, *kept)
    return replace(draft, parsed=replace(draft.parsed, notes=notes))
