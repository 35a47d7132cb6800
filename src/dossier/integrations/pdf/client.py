"""Renders a template and data to a PDF file, in a process that can be killed."""

import asyncio
import json
import sys
from asyncio.subprocess import PIPE
from datetime import datetime
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any

from dossier.integrations.pdf.exceptions import (
    TypesettingError,
    TypesettingTimeoutError,
)
from dossier.integrations.pdf.fonts import FontChoice, find_font

# Isolated, so that no variable and no folder of the caller changes the result.
_COMMAND = ("-I", "-X", "utf8", "-m", "dossier.integrations.pdf.child")
_MAX_REASON_LENGTH = 2000


class PdfRenderer:
    """Typesets templates in the font of this installation."""

    def __init__(
        self, font_dir: Path | None, creator_tool: str, *, timeout_s: float = 120
    ) -> None:
        self._font_dir = font_dir
        self._creator_tool = creator_tool
        self._timeout_s = timeout_s

    @cached_property
    def font(self) -> FontChoice:
        """The font in use; searched for once.

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

    async def render(
        self,
        template: Path,
        target: Path,
        *,
        inputs: dict[str, Any],
        timestamp: datetime,
        identifier: str,
    ) -> int:
        """Write the PDF to the target and return its number of pages.

        `inputs` reach the template as `sys.inputs`: texts as they are, all else as
        JSON that the font can show; never as source text.

        Raises:
            NoCjkFontError: There is no font with Chinese glyphs.
            TypesettingError: The document was refused; the detail says where.
            TypesettingTimeoutError: It took longer than the timeout and was killed.
        """
        font = await asyncio.to_thread(lambda: self.font)
        request = {
            "template": str(template),
            "inputs": inputs,
            "font": {"file": str(font.file), "index": font.index},
            "family": font.family,
            "timestamp_s": int(timestamp.timestamp()),
            "identifier": identifier,
            "creator_tool": self._creator_tool,
            "target": str(target),
        }
        content = json.dumps(request, ensure_ascii=False).encode()
        process = await asyncio.create_subprocess_exec(
            sys.executable, *_COMMAND, stdin=PIPE, stdout=PIPE, stderr=PIPE, env={}
        )
        try:
            async with asyncio.timeout(self._timeout_s):
                output, errors = await process.communicate(content)
        except TimeoutError as error:
            reason = f"Ended after {self._timeout_s:g} s."
            raise TypesettingTimeoutError(reason) from error
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if process.returncode:
            # A process that was killed, for its memory perhaps, writes no reason.
            reason = errors.decode("utf-8", "replace")[:_MAX_REASON_LENGTH]
            raise TypesettingError(reason or f"Ended with code {process.returncode}.")
        pages: int = json.loads(output)["pages"]
        return pages
