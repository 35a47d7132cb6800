"""Plain text: the encoding is told by the bytes."""

from pathlib import Path
from typing import Final

from dossier.integrations.parsing.encodings import decoded
from dossier.integrations.parsing.exceptions import (
    UnreadableFileError,
    UnreadableReason,
)
from dossier.integrations.parsing.paper import PaperText, split_parts, storable

MAX_BYTES: Final = 32 * 1024 * 1024


def read_text(path: str) -> PaperText:
    """Return the whole text in parts, with the name of its encoding."""
    file = Path(path)
    if file.stat().st_size > MAX_BYTES:
        detail = f"a text above {MAX_BYTES // 1024**2} MiB is not read"
        raise UnreadableFileError(UnreadableReason.TOO_LARGE, detail)
    text, encoding = decoded(file.read_bytes())
    return PaperText(split_parts(storable(text), "text"), encoding)
