"""DOCX papers from a short list of blocks: text, heading, table."""

from collections.abc import Callable, Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import yaml
from docx import Document
from docx.document import Document as DocumentObject

from dossier.testing.papers.office import SAVED_AT, without_clock


def write_document(source: Path) -> bytes:
    """Return the DOCX that a YAML recipe describes."""
    recipe = yaml.safe_load(source.read_text(encoding="utf-8"))
    document = Document()
    document.core_properties.title = recipe["title"]
    document.core_properties.created = SAVED_AT
    document.add_heading(recipe["title"], level=1)
    for block in recipe["blocks"]:
        _add_block(document, block)
    content = BytesIO()
    document.save(content)
    return without_clock(content.getvalue())


def _add_block(document: DocumentObject, block: Mapping[str, Any]) -> None:
    for kind, value in block.items():
        _BLOCKS[kind](document, value)


def _add_text(document: DocumentObject, text: str) -> None:
    document.add_paragraph(text)


def _add_heading(document: DocumentObject, text: str) -> None:
    document.add_heading(text, level=2)


def _add_table(document: DocumentObject, rows: list[list[str]]) -> None:
    table = document.add_table(rows=len(rows), cols=len(rows[0]), style="Table Grid")
    for cells, texts in zip(table.rows, rows, strict=True):
        for cell, text in zip(cells.cells, texts, strict=True):
            cell.text = text


_BLOCKS: Mapping[str, Callable[[DocumentObject, Any], None]] = {
    "text": _add_text,
    "heading": _add_heading,
    "table": _add_table,
}
