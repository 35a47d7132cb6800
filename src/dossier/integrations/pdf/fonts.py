"""Finds the one font family that a file is set in; no other is used."""

import hashlib
import importlib.util
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from dossier.integrations.pdf.coverage import covered_characters
from dossier.integrations.pdf.exceptions import NoCjkFontError

FontSource = Literal["setting", "system", "project", "package"]

PROJECT_FONTS = Path(__file__).resolve().parents[4] / ".fonts"
"""Where `make install` unpacks the font of last resort."""

_REGULAR_WEIGHT = 400
_SYSTEM_FAMILIES = ("Noto Sans CJK TC", "Noto Sans TC", "Noto Sans CJK HK")
_PACKAGE = "zhplot"
# One character of each of: numerals, Traditional, Bopomofo-era and trade words.
_PROBE = frozenset(map(ord, "產品資訊檔案化粧衛生聲明書簽署"))
_MEND = (
    "Install the Debian package fonts-noto-cjk, or run `make install`, or point "
    "DOSSIER_REPORTS__FONT_DIR at a folder with a Chinese font."
)


@dataclass(frozen=True, slots=True)
class FontChoice:
    """One face of one font file, and how it was found."""

    file: Path
    index: int
    family: str
    source: FontSource

    def sha256(self) -> str:
        """Return the digest of the file: its version, exactly."""
        with self.file.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()


def find_font(
    settings_folder: Path | None,
    project_fonts: Path = PROJECT_FONTS,
    *,
    with_system: bool = True,
) -> FontChoice:
    """Return the font to use: by setting, of the system, of the project, of a package.

    Raises:
        NoCjkFontError: None was found, or the folder by setting holds none; a
            setting is never passed over in silence.
    """
    if settings_folder is not None:
        return _first(_in_folder(settings_folder, "setting"), str(settings_folder))
    return _first(_fallbacks(project_fonts, with_system=with_system), "this machine")


def taiwanese_first(family: str) -> tuple[int, str]:
    """Return a sort key: a collection holds the shapes of several regions."""
    known = family in _SYSTEM_FAMILIES
    return _SYSTEM_FAMILIES.index(family) if known else len(_SYSTEM_FAMILIES), family


def _first(choices: Iterator[FontChoice], where: str) -> FontChoice:
    for choice in choices:
        if covered_characters(choice.file, choice.index) >= _PROBE:
            return choice
    reason = f"No font with Traditional Chinese glyphs on {where}. {_MEND}"
    raise NoCjkFontError(reason)


def _fallbacks(project_fonts: Path, *, with_system: bool) -> Iterator[FontChoice]:
    if with_system:
        yield from _on_system()
    yield from _in_folder(project_fonts, "project")
    yield from _in_package()


def _on_system() -> Iterator[FontChoice]:
    known = list(_scan(None, "system"))
    for family in _SYSTEM_FAMILIES:
        yield from (choice for choice in known if choice.family == family)


def _in_package() -> Iterator[FontChoice]:
    # The package itself is not imported: it wants plotting libraries.
    spec = importlib.util.find_spec(_PACKAGE)
    for folder in (spec and spec.submodule_search_locations) or ():
        yield from _in_folder(Path(folder), "package")


def _in_folder(folder: Path, source: FontSource) -> Iterator[FontChoice]:
    if folder.is_dir():
        yield from _scan(folder, source)


def _scan(folder: Path | None, source: FontSource) -> Iterator[FontChoice]:
    """List upright regular faces, of a folder or else of the system, by name."""
    import typst  # noqa: PLC0415 - 20 MB that the web process never needs

    faces = typst.Fonts(
        include_system_fonts=folder is None,
        include_embedded_fonts=False,
        font_paths=[str(folder)] if folder else [],
    ).fonts()
    regular = [
        face
        for face in faces
        if face.path and face.weight == _REGULAR_WEIGHT and face.style == "normal"
    ]
    for face in sorted(
        regular, key=lambda face: (taiwanese_first(face.family), str(face.path))
    ):
        yield FontChoice(Path(str(face.path)), face.index, face.family, source)
