"""Reads papers in the sandbox: what the rest of the system calls."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from dossier.core.settings import LimitSettings
from dossier.integrations.parsing.paper import PaperText
from dossier.integrations.parsing.sandbox import Limits, run

_READ_TEXT: Final = "dossier.integrations.parsing.papers:read_text"


def limits_of(settings: LimitSettings) -> Limits:
    """Return what one reading may cost, as the operator set it."""
    return Limits(
        wall_s=settings.parse_timeout_s,
        cpu_s=settings.parse_timeout_s,
        memory_mib=settings.parse_memory_mib,
        answer_mib=settings.max_text_mib,
    )


@dataclass(frozen=True, slots=True)
class SandboxedReader:
    """Gives the text of papers; a file that harms its reader harms nobody else."""

    limits: Limits

    async def read_text(self, path: Path, filename: str) -> PaperText:
        """Return the text layer, or raise `UnreadableFileError` with the reason."""
        options = {"filename": filename}
        return await run(
            _READ_TEXT, path, PaperText, limits=self.limits, options=options
        )
