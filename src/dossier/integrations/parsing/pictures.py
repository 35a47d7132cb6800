"""Pictures in office documents: their words are not read, so their size is counted."""

import re
from typing import Final
from xml.etree.ElementTree import Element

from dossier.core.findings import Message
from dossier.integrations.parsing.exceptions import UnreadableReason
from dossier.integrations.parsing.messages import warning
from dossier.integrations.parsing.package import attribute_of, local_name
from dossier.integrations.parsing.types import ReaderContent, ReadWarning, TextPage

EMU_PER_MM: Final = 36_000
_MM_PER_UNIT: Final = {
    "mm": 1.0,
    "cm": 10.0,
    "in": 25.4,
    "pt": 25.4 / 72,
    "px": 25.4 / 96,
}
_LENGTH: Final = re.compile(r"(width|height)\s*:\s*([0-9.]+)(pt|in|cm|mm|px)")
_SIZE: Final = re.compile(r"([0-9.]+)(pt|in|cm|mm|px)")
LARGE_MM2: Final = 30_000
"""About half of an A4 page: more than a logo or a photograph beside text."""
_SMALL_MM2: Final = 6_000
_MANY_CHARACTERS: Final = 300


class Pictures:
    """Counts the pictures of a document by their size on the page."""

    def __init__(self) -> None:
        self.large = 0
        self.small = 0

    def see(self, name: str, element: Element) -> None:
        """Count an element of a Word document, if it is a picture."""
        if name in {"inline", "anchor"} and _has(element, "pic"):
            for each in element:
                if local_name(each) == "extent":
                    width = float(attribute_of(each, "cx", "0") or 0)
                    height = float(attribute_of(each, "cy", "0") or 0)
                    self.add(width / EMU_PER_MM, height / EMU_PER_MM)
        elif name == "shape" and _has(element, "imagedata"):
            sizes = {
                side: float(value) * _MM_PER_UNIT[unit]
                for side, value, unit in _LENGTH.findall(attribute_of(element, "style"))
            }
            self.add(sizes.get("width", 0.0), sizes.get("height", 0.0))

    def add(self, width_mm: float, height_mm: float) -> None:
        """Count a picture of a size."""
        area = width_mm * height_mm
        self.large += area >= LARGE_MM2
        self.small += _SMALL_MM2 <= area < LARGE_MM2

    def warnings(self, characters: int) -> list[ReadWarning]:
        """Return what is to be said of the pictures beside a number of characters."""
        if self.large or (self.small and characters < _MANY_CHARACTERS * self.small):
            return [warning("pictures-not-read", count=self.large + self.small)]
        return [warning("small-pictures", count=self.small)] if self.small else []

    def beside_cells(self) -> list[ReadWarning]:
        """Return what is to be said of the pictures in a workbook."""
        if self.large:
            return [warning("pictures-not-read", count=self.large + self.small)]
        return [warning("small-pictures", count=self.small)] if self.small else []

    def content(
        self, pages: list[TextPage], warnings: list[ReadWarning]
    ) -> ReaderContent:
        """Return the content of a document with these pictures."""
        if not self.large and not self.small:
            return ReaderContent(pages, warnings)
        unread = Message(
            zh="文件只有圖片，沒有文字，且未安裝 OCR，無法讀取",
            en="it holds pictures without text, and no OCR is installed",
        )
        reason = UnreadableReason.NO_TEXT_LAYER
        return ReaderContent(pages, warnings, unread_reason=reason, unread=unread)


def millimetres(size: str) -> float:
    """Return a length with its unit (`12.5cm`) in millimetres; 0 for none."""
    found = _SIZE.fullmatch(size.strip())
    return float(found[1]) * _MM_PER_UNIT[found[2]] if found else 0.0


def _has(element: Element, name: str) -> bool:
    return any(local_name(each) == name for each in element.iter())
