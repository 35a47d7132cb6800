"""The typesetter as a domain sees it: plain values in, a file out."""

import asyncio
from datetime import datetime
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any

from dossier.integrations.pdf.finish import Stamp
from dossier.integrations.pdf.fonts import FontChoice, find_font
from dossier.integrations.pdf.typeset import Order, typeset


class Typesetter:
    """Sets templates in the font of this installation."""

    def __init__(
        self, font_dir: Path | None, creator_tool: str, *, timeout_s: float = 120
    ) -> None:
        self._font_dir = font_dir
        self._creator_tool = creator_tool
        self._timeout_s = timeout_s

    @cached_property
    def font(self) -> FontChoice:
        """The font in use; looked for once.

        Raises:
            NoCjkFontError: There is none.
        """
        return find_font(self._font_dir)

    async def describe(self) -> dict[str, str]:
        """Return what, beside the data, decides the bytes of a PDF."""
        font = await asyncio.to_thread(lambda: self.font)
        return {
            "typesetter": f"typst {version('typst')}",
            "finisher": f"pikepdf {version('pikepdf')}",
            "font_family": font.family,
            "font_file": font.file.name,
            "font_sha256": await asyncio.to_thread(font.sha256),
        }

    async def typeset(
        self,
        template: Path,
        target: Path,
        *,
        inputs: dict[str, Any],
        timestamp: datetime,
        identifier: str,
    ) -> int:
        """Write the PDF and return its number of pages."""
        font = await asyncio.to_thread(lambda: self.font)
        order = Order(
            root=template.parent,
            template=template.name,
            inputs=inputs,
            font=font,
            timestamp=timestamp,
            stamp=Stamp(identifier, self._creator_tool),
        )
        return await typeset(order, target, timeout_s=self._timeout_s)
