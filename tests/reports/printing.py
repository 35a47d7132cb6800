"""Prints a snapshot in this process, and reads what was printed."""

from functools import cache
from pathlib import Path
from typing import Any

import pypdfium2

from dossier.integrations.pdf.child import compile_order
from dossier.integrations.pdf.fonts import FontChoice, find_font
from dossier.reports.tasks.manuscript import TEMPLATE, Manuscript

SHA256 = "5f" * 32


@cache
def font() -> FontChoice:
    """Return the font that `make install` unpacks; the same on every machine."""
    return find_font(None, with_system=False)


def print_snapshot(snapshot: dict[str, Any], target: Path) -> int:
    """Write the PDF of a snapshot and return its number of pages."""
    manuscript = Manuscript(snapshot, SHA256)
    return compile_order(
        {
            "root": str(TEMPLATE.parent),
            "template": TEMPLATE.name,
            "inputs": manuscript.typesetter_inputs(manuscript.findings_json().decode()),
            "font": {
                "file": str(font().file),
                "index": font().index,
                "family": font().family,
            },
            "timestamp_s": int(manuscript.timestamp.timestamp()),
            "stamp": {"identifier": "urn:sha256:" + SHA256, "creator_tool": "Dossier"},
            "target": str(target),
        }
    )


def read_pages(path: Path) -> list[str]:
    """Return the text of every page, without line breaks."""
    with pypdfium2.PdfDocument(path) as document:
        return [
            document[index].get_textpage().get_text_range().replace("\r\n", " ")
            for index in range(len(document))
        ]
