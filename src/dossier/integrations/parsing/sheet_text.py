"""Text of a spreadsheet, sheet by sheet: a row is one line, cells parted by tabs."""

from dossier.core.spreadsheets import Sheet
from dossier.integrations.parsing.paper import PaperText, TextPart, storable
from dossier.integrations.parsing.spreadsheet import read_workbook


def read_text(path: str) -> PaperText:
    """Return one part per sheet, hidden ones too: they are evidence as well."""
    book = read_workbook(path)
    parts = [
        TextPart(position, sheet.name or "table", storable(_text(sheet)))
        for position, sheet in enumerate(book.sheets, start=1)
    ]
    return PaperText(parts, book.encoding)


def _text(sheet: Sheet) -> str:
    rows: dict[int, list[str]] = {}
    for cell in sheet.cells:
        if cell.text and cell.merged_from is None:
            rows.setdefault(cell.row, []).append(" ".join(cell.text.split()))
    return "\n".join("\t".join(cells) for cells in rows.values())
