"""Text of a PDF, page by page, by PDFium. Runs inside the sandbox only."""

import re
from typing import Final

import pypdfium2
from pypdfium2 import raw

from dossier.integrations.parsing.exceptions import (
    PASSWORD_DETAIL,
    UnreadableFileError,
    UnreadableReason,
)
from dossier.integrations.parsing.types import DocumentText, TextPart, storable

MAX_PAGES: Final = 5_000
_USABLE_CHARACTERS: Final = 40
_UNMAPPED_SHARE_PERCENT: Final = 1
_UNMAPPED: Final = "\ufffd"
# PDFium writes these for a hyphen that ends a line; a wrapped CAS number needs it.
_LINE_END_HYPHEN: Final = re.compile("[\x02\ufffe]")
_IMAGES: Final = (raw.FPDF_PAGEOBJ_IMAGE,)


def read_text(path: str) -> DocumentText:
    """Return one part per page, or raise `UnreadableFileError` with the reason."""
    document = _opened(path)
    if len(document) > MAX_PAGES:
        detail = f"it has {len(document)} pages; at most {MAX_PAGES} are read"
        raise UnreadableFileError(UnreadableReason.TOO_LARGE, detail)
    parts = [_part(document, index) for index in range(len(document))]
    if not any(part.text and part.has_text_layer for part in parts):
        detail = "its pages are pictures without text, and no OCR is installed"
        raise UnreadableFileError(UnreadableReason.NO_TEXT_LAYER, detail)
    return DocumentText(parts, page_count=len(parts))


def has_usable_text(text: str, *, has_images: bool) -> bool:
    """Return whether a text layer is more than the stray characters of a scan.

    At most one character in a hundred may have no Unicode value, and a page with a
    picture needs at least 40 characters.
    """
    if text.count(_UNMAPPED) * 100 > len(text) * _UNMAPPED_SHARE_PERCENT:
        return False
    return len(text.strip()) >= _USABLE_CHARACTERS or not has_images


def _opened(path: str) -> pypdfium2.PdfDocument:
    try:
        return pypdfium2.PdfDocument(path)
    except pypdfium2.PdfiumError as error:
        if error.err_code == raw.FPDF_ERR_PASSWORD:
            raise UnreadableFileError(
                UnreadableReason.ENCRYPTED, PASSWORD_DETAIL
            ) from error
        detail = "the PDF is damaged and cannot be opened"
        raise UnreadableFileError(UnreadableReason.CORRUPT, detail) from error


def _part(document: pypdfium2.PdfDocument, index: int) -> TextPart:
    page = document[index]
    try:
        layer = page.get_textpage()
        try:
            found: str = layer.get_text_range(errors="replace")
        finally:
            layer.close()
        hyphenated = _LINE_END_HYPHEN.sub("-", found).replace("\r\n", "\n")
        text = storable(hyphenated).strip()
        # Pictures are looked for only where they decide.
        has_images = len(text) < _USABLE_CHARACTERS and any(
            True for _ in page.get_objects(filter=_IMAGES, max_depth=3)
        )
    finally:
        page.close()
    is_usable = has_usable_text(text, has_images=has_images)
    return TextPart(index + 1, f"page {index + 1}", text, is_usable)
