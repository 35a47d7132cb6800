"""Text of a Word document in reading order: paragraphs and tables as they follow."""

from collections.abc import Iterator
from typing import Final

import docx
from docx.document import Document
from docx.opc.exceptions import OpcError
from docx.table import Table, _Cell, _Row
from docx.text.paragraph import Paragraph

from dossier.integrations.parsing.archive import check_archive
from dossier.integrations.parsing.exceptions import (
    UnreadableFileError,
    UnreadableReason,
)
from dossier.integrations.parsing.paper import PaperText, split_parts, storable

_CONTINUED: Final = "continue"
# What lxml raises is a `SyntaxError`.
_DAMAGES: Final = (OpcError, SyntaxError, KeyError, ValueError)


def read_text(path: str) -> PaperText:
    """Return the body; a row of a table is one line, cells by tabs."""
    check_archive(path)
    try:
        document = docx.Document(path)
    except _DAMAGES as error:
        detail = "the Word document is damaged and cannot be opened"
        raise UnreadableFileError(UnreadableReason.CORRUPT, detail) from error
    text = storable("\n".join(_lines(document)))
    return PaperText(split_parts(text, "body"))


def _lines(body: Document | _Cell) -> Iterator[str]:
    for block in body.iter_inner_content():
        if isinstance(block, Paragraph):
            yield from filter(None, [block.text.strip()])
        else:
            yield from _rows(block)


def _rows(table: Table) -> Iterator[str]:
    return filter(None, ("\t".join(_cells(row, table)).rstrip() for row in table.rows))


def _cells(row: _Row, table: Table) -> Iterator[str]:
    """Yield each cell once: the lower halves of a vertical merge are empty."""
    for cell in row._tr.tc_lst:  # noqa: SLF001 - `row.cells` repeats merged text
        if cell.vMerge == _CONTINUED:
            yield ""
        else:
            yield " ".join(_lines(_Cell(cell, table)))
