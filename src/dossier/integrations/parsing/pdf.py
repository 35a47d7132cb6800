"""Text of a PDF, page by page, by PDFium. Runs inside the sandbox only."""

import re
from typing import Final

import pypdfium2
from pypdfium2 import raw

from dossier.integrations.parsing.exceptions import (
    UnreadableFileError,
    UnreadableReason,
)
from dossier.integrations.parsing.paper import PaperText, TextPart, storable

MAX_PAGES: Final = 5_000
_USABLE_CHARACTERS: Final = 40
_UNMAPPED_SHARE_PERCENT: Final = 1
_UNMAPPED: Final = "\ufffd"
# PDFium marks a hyphen that ends a line so; a wrapped CAS number would lose it.
_LINE_END_HYPHEN: Final = re.compile("[\x02\ufffe]")
_IMAGES: Final = (raw.FPDF_PAGEOBJ_IMAGE,)


def read_text(path: str) -> PaperText:
    """Return one part per page, or say why there is none."""
    document = _opened(path)
    if len(document) > MAX_PAGES:
        detail = f"it has {len(document)} pages; at most {MAX_PAGES} are read"
        raise UnreadableFileError(UnreadableReason.TOO_LARGE, detail)
    parts = [_part(document, index) for index in range(len(document))]
    if not any(part.text and part.has_text_layer for part in parts):
        detail = "its pages are pictures without text, and no OCR is installed"
        raise UnreadableFileError(UnreadableReason.NO_TEXT_LAYER, detail)
    return PaperText(parts, page_count=len(parts))


def has_usable_text(text: str, *, has_images: bool) -> bool:
    """Tell text that can be relied on from a scan's stray characters.

    At most one character in a hundred may have no Unicode value, and a page with a
    picture says at least 40 characters.
    """
    if text.count(_UNMAPPED) * 100 > len(text) * _UNMAPPED_SHARE_PERCENT:
        return False
    return len(text.strip()) >= _USABLE_CHARACTERS or not has_images


def _opened(path: str) -> pypdfium2.PdfDocument:
    try:
        return pypdfium2.PdfDocument(path)
    except pypdfium2.PdfiumError as error:
        if error.err_code == raw.FPDF_ERR_PASSWORD:
            detail = "it is protected by a password; save it without one"
            raise UnreadableFileError(UnreadableReason.ENCRYPTED, detail) from error
        detail = "the PDF is damaged and cannot be opened"
        raise UnreadableFileError(UnreadableReason.CORRUPT, detail) from error


def _part(document: pypdfium2.PdfDocument, index: int) -> TextPart:
    page = document[index]
    try:
        text = _text(page)
        is_short = len(text) < _USABLE_CHARACTERS
        usable = has_usable_text(text, has_images=is_short and _has_images(page))
    finally:
        page.close()
    return TextPart(index + 1, f"page {index + 1}", text, usable)


def _text(page: pypdfium2.PdfPage) -> str:
    layer = page.get_textpage()
    try:
        found: str = layer.get_text_range(errors="replace")
    finally:
        layer.close()
    hyphenated = _LINE_END_HYPHEN.sub("-", found).replace("\r\n", "\n")
    return storable(hyphenated).strip()


def _has_images(page: pypdfium2.PdfPage) -> bool:
    return any(True for _ in page.get_objects(filter=_IMAGES, max_depth=3))
