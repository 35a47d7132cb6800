"""Form fields, comments and files that hang on the pages of a PDF."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import pypdfium2
from pypdfium2 import raw

from dossier.integrations.parsing.pdf_geometry import Box
from dossier.integrations.parsing.pdf_layout import Word

_UNSEEN_FLAGS: Final = 0x02 | 0x20
"""Hidden, and not shown on screens."""
_PASSWORD_FLAG: Final = 1 << 13
_MAX_SIZE: Final = 12.0
_MAX_ANNOTATIONS: Final = 5_000


@dataclass(slots=True)
class Annotations:
    """What hangs on a page."""

    words: list[Word] = field(default_factory=list)
    """Values of fields and notes written onto the page, with their places."""
    remarks: list[str] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    struck: list[Box] = field(default_factory=list)
    """Where somebody struck the text of the page through."""
    hidden: int = 0
    has_appearances: bool = False
    """Whether it has stamps or signatures that draw their words themselves."""
    fields: int = 0
    empty_fields: int = 0


def annotations_of(
    page: pypdfium2.PdfPage, form: pypdfium2.PdfFormEnv | None
) -> Annotations:
    """Return the fields, remarks and files of a page."""
    found = Annotations()
    for at in range(min(raw.FPDFPage_GetAnnotCount(page.raw), _MAX_ANNOTATIONS)):
        annotation = raw.FPDFPage_GetAnnot(page.raw, at)
        if not annotation:
            continue
        try:
            _read_annotation(annotation, form, found)
        finally:
            raw.FPDFPage_CloseAnnot(annotation)
    return found


def attachment_names(document: pypdfium2.PdfDocument) -> Iterator[str]:
    """Yield the names of the files inside a PDF."""
    for at in range(max(raw.FPDFDoc_GetAttachmentCount(document.raw), 0)):
        attachment = raw.FPDFDoc_GetAttachment(document.raw, at)
        if attachment:
            yield _wide(raw.FPDFAttachment_GetName, attachment) or f"file {at + 1}"


def _read_annotation(
    annotation: object, form: pypdfium2.PdfFormEnv | None, found: Annotations
) -> None:
    kind = raw.FPDFAnnot_GetSubtype(annotation)
    is_unseen = bool(raw.FPDFAnnot_GetFlags(annotation) & _UNSEEN_FLAGS)
    if kind == raw.FPDF_ANNOT_WIDGET:
        text = _field_text(annotation, form)
        found.fields += 1
        found.empty_fields += not text
        if is_unseen:
            found.hidden += len(text)
        elif _draws_words(annotation, form):
            found.has_appearances = True
        elif text:
            found.words += _words_in(_rectangle_of(annotation), text)
    elif kind == raw.FPDF_ANNOT_FILEATTACHMENT:
        attachment = raw.FPDFAnnot_GetFileAttachment(annotation)
        name = _wide(raw.FPDFAttachment_GetName, attachment) if attachment else ""
        found.files.append(name or "file")
    elif kind not in {raw.FPDF_ANNOT_LINK, raw.FPDF_ANNOT_POPUP}:
        _read_mark(annotation, kind, found, is_unseen=is_unseen)


def _read_mark(
    annotation: object, kind: int, found: Annotations, *, is_unseen: bool
) -> None:
    """Read what somebody wrote, stamped or struck on the page."""
    contents = _wide(raw.FPDFAnnot_GetStringValue, annotation, b"Contents").strip()
    if is_unseen:
        found.hidden += len(contents)
        return
    if kind == raw.FPDF_ANNOT_STAMP and _draws_words(annotation, None):
        found.has_appearances = True
    elif kind == raw.FPDF_ANNOT_STAMP:
        name = _wide(raw.FPDFAnnot_GetStringValue, annotation, b"Name").strip("/#")
        found.remarks.append(f"[Stamp: {name or 'without words'}]")
    elif kind == raw.FPDF_ANNOT_STRIKEOUT:
        found.struck += _marked_boxes(annotation)
    if contents and kind == raw.FPDF_ANNOT_FREETEXT:
        found.words += _words_in(_rectangle_of(annotation), contents)
    elif contents:
        author = _wide(raw.FPDFAnnot_GetStringValue, annotation, b"T").strip()
        by = f" by {author}" if author else ""
        found.remarks.append(f"[Comment{by}: {' '.join(contents.split())}]")


def keep_stamps(page: pypdfium2.PdfPage, form: pypdfium2.PdfFormEnv | None) -> None:
    """Draw the stamps and signatures of a page into it, and nothing else.

    PDFium has the words of an appearance only once they are part of the page.
    """
    for at in range(min(raw.FPDFPage_GetAnnotCount(page.raw), _MAX_ANNOTATIONS)):
        annotation = raw.FPDFPage_GetAnnot(page.raw, at)
        if annotation and not _draws_words(annotation, form):
            raw.FPDFAnnot_SetFlags(annotation, _UNSEEN_FLAGS)
        if annotation:
            raw.FPDFPage_CloseAnnot(annotation)
    raw.FPDFPage_Flatten(page.raw, raw.FLAT_NORMALDISPLAY)


def _draws_words(annotation: object, form: pypdfium2.PdfFormEnv | None) -> bool:
    """Return whether an annotation is a stamp or signature with an appearance."""
    kind = raw.FPDFAnnot_GetSubtype(annotation)
    is_signature = (
        kind == raw.FPDF_ANNOT_WIDGET
        and form is not None
        and raw.FPDFAnnot_GetFormFieldType(form.raw, annotation)
        == raw.FPDF_FORMFIELD_SIGNATURE
    )
    normal = raw.FPDF_ANNOT_APPEARANCEMODE_NORMAL
    length: int = raw.FPDFAnnot_GetAP(annotation, normal, None, 0)
    return (kind == raw.FPDF_ANNOT_STAMP or is_signature) and length > 2  # noqa: PLR2004 - the closing zero alone


def _marked_boxes(annotation: object) -> list[Box]:
    """Return the boxes around the lines of text that an annotation marks."""
    boxes = []
    points = raw.FS_QUADPOINTSF()
    for at in range(raw.FPDFAnnot_CountAttachmentPoints(annotation)):
        if raw.FPDFAnnot_GetAttachmentPoints(annotation, at, points):
            xs = (points.x1, points.x2, points.x3, points.x4)
            ys = (points.y1, points.y2, points.y3, points.y4)
            boxes.append((min(xs), min(ys), max(xs), max(ys)))
    return boxes


def _field_text(annotation: object, form: pypdfium2.PdfFormEnv | None) -> str:
    """Return what a field shows."""
    if form is None:
        return ""
    kind = raw.FPDFAnnot_GetFormFieldType(form.raw, annotation)
    if kind in {raw.FPDF_FORMFIELD_CHECKBOX, raw.FPDF_FORMFIELD_RADIOBUTTON}:
        return "☒" if raw.FPDFAnnot_IsChecked(form.raw, annotation) else "☐"
    if kind in {raw.FPDF_FORMFIELD_PUSHBUTTON, raw.FPDF_FORMFIELD_SIGNATURE}:
        return ""
    flags = raw.FPDFAnnot_GetFormFieldFlags(form.raw, annotation)
    if kind == raw.FPDF_FORMFIELD_TEXTFIELD and flags & _PASSWORD_FLAG:
        return ""
    if kind in {raw.FPDF_FORMFIELD_LISTBOX, raw.FPDF_FORMFIELD_COMBOBOX}:
        chosen = [
            _wide(raw.FPDFAnnot_GetOptionLabel, form.raw, annotation, at)
            for at in range(max(raw.FPDFAnnot_GetOptionCount(form.raw, annotation), 0))
            if raw.FPDFAnnot_IsOptionSelected(form.raw, annotation, at)
        ]
        if chosen:
            return ", ".join(chosen)
    return _wide(raw.FPDFAnnot_GetFormFieldValue, form.raw, annotation).strip()


def _rectangle_of(annotation: object) -> Box:
    rect = raw.FS_RECTF()
    raw.FPDFAnnot_GetRect(annotation, rect)
    left, right = sorted((rect.left, rect.right))
    bottom, top = sorted((rect.bottom, rect.top))
    return left, bottom, right, top


def _words_in(box: Box, text: str) -> list[Word]:
    """Return the lines of a text as words that stand in a box, from its top."""
    left, bottom, right, top = box
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if not lines:
        return []
    step = (top - bottom) / len(lines)
    size = max(min(_MAX_SIZE, 0.7 * step), 1.0)
    return [
        Word(
            line,
            left,
            min(right, left + 0.5 * size * len(line)),
            top - (at + 0.5) * step - 0.35 * size,
            size,
            after_space=True,
        )
        for at, line in enumerate(lines)
    ]


def _wide(getter: Any, *arguments: object) -> str:
    """Return the UTF-16 text that one of PDFium's functions writes into a buffer."""
    needed: int = getter(*arguments, None, 0)
    if needed <= 2:  # noqa: PLR2004 - the closing zero alone
        return ""
    buffer = (raw.FPDF_WCHAR * (needed // 2 + 1))()
    getter(*arguments, buffer, needed)
    return bytes(buffer).decode("utf-16-le", "replace").split("\0")[0]
