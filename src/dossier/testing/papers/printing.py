"""PDFs of the example papers, set by Typst with one given font."""

from datetime import UTC, datetime
from pathlib import Path

import typst

PRINTED_AT = datetime(2026, 3, 2, tzinfo=UTC)


class Printer:
    """Sets papers with one font, one clock reading and nothing of the machine."""

    def __init__(self, root: Path, font: Path) -> None:
        if not font.is_file():
            message = f"{font}: no such font; `make install` unpacks it"
            raise FileNotFoundError(message)
        self._root = root
        self._fonts = typst.Fonts(
            include_system_fonts=False,
            include_embedded_fonts=False,
            font_paths=[str(font.parent)],
        )

    def print_pdf(self, source: Path) -> bytes:
        """Return one paper as PDF."""
        return typst.compile(
            str(source),
            root=str(self._root),
            font_paths=self._fonts,
            sys_inputs={"family": self._fonts.families()[0]},
            format="pdf",
            timestamp=PRINTED_AT,
        )
