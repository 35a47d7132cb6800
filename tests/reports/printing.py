"""Prints a snapshot in this process, and reads what was printed."""

from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import pypdfium2
from typing_extensions import override

from dossier.integrations.pdf.child import render_request
from dossier.integrations.pdf.client import PdfRenderer
from dossier.integrations.pdf.fonts import FontChoice, find_font
from dossier.reports.content import TEMPLATE, ReportContent

SHA256 = "5f" * 32


@cache
def font() -> FontChoice:
    """Return the font that `make install` unpacks; the same on every machine."""
    return find_font(None, with_system=False)


def print_snapshot(snapshot: dict[str, Any], target: Path) -> int:
    """Write the PDF of a snapshot and return its number of pages."""
    content = ReportContent(snapshot, SHA256)
    return _print(
        TEMPLATE,
        target,
        inputs=content.template_inputs(content.findings_json().decode()),
        timestamp=content.timestamp,
        identifier="urn:sha256:" + SHA256,
    )


class InProcessRenderer(PdfRenderer):
    """Renders in this process: most tests are not about the separate one."""

    @override
    async def render(self, template: Path, target: Path, **options: Any) -> int:
        return _print(template, target, **options)


def _print(
    template: Path,
    target: Path,
    *,
    inputs: dict[str, Any],
    timestamp: datetime,
    identifier: str,
) -> int:
    return render_request(
        {
            "template": str(template),
            "inputs": inputs,
            "font": {"file": str(font().file), "index": font().index},
            "family": font().family,
            "timestamp_s": int(timestamp.timestamp()),
            "identifier": identifier,
            "creator_tool": "Dossier",
            "target": str(target),
        }
    )


def read_pages(path: Path) -> list[str]:
    """Return the text of every page, with single blanks for line breaks."""
    with pypdfium2.PdfDocument(path) as document:
        return [
            " ".join(document[index].get_textpage().get_text_range().split())
            for index in range(len(document))
        ]
