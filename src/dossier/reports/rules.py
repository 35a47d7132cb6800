"""Order of findings, titles and file names of a report."""

import re
import unicodedata
from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import Any

from dossier.core.findings import Severity

_RANKS = {severity.value: rank for rank, severity in enumerate(Severity)}
_AFTER_ALL_ITEMS = 99
_NAME_BYTES = 200
_SUFFIX_BYTES = 20


def ordered_findings(findings: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return findings, blocking first, then by item; equals keep their order."""
    return sorted(
        findings,
        key=lambda finding: (
            _RANKS[finding["severity"]],
            finding["item"] or _AFTER_ALL_ITEMS,
        ),
    )


def title_of(name_zh: str | None, name_en: str | None) -> str:
    """Return both names on one line; the Chinese one leads."""
    return " ".join(name for name in (name_zh, name_en) if name)


def original_path(position: int, filename: str) -> str:
    """Return the path of an original in the archive: numbered as it is cited.

    The number makes equal names distinct. Folders and control characters are removed,
    so that no archive writes outside the folder it is unpacked to.
    """
    name = re.split(r"[\\/]", filename)[-1]
    return f"originals/{position:02d}_{_shortened(_plain(name)) or 'document'}"


def download_name(title: str, version_number: int, file: str) -> str:
    """Return the name that a browser stores a file under."""
    stem = _shortened(_plain(re.sub(r"[\\/:*?\"<>|]", "-", title)))
    return f"{stem or 'PIF'} v{version_number} {file}"


def _plain(name: str) -> str:
    composed = unicodedata.normalize("NFC", name)
    spaced = "".join(" " if letter.isspace() else letter for letter in composed)
    visible = "".join(filter(str.isprintable, spaced))
    return visible.strip(" .")


def _shortened(name: str) -> str:
    path = PurePosixPath(name)
    if len(name.encode()) <= _NAME_BYTES:
        return name
    suffix = path.suffix if len(path.suffix.encode()) <= _SUFFIX_BYTES else ""
    stem = name.removesuffix(suffix).encode()[:_NAME_BYTES]
    return stem.decode(errors="ignore") + suffix
