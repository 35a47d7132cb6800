"""Text of a PDF, page by page, by PDFium. Runs inside the sandbox only."""

from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache, partial
from typing import BinaryIO, Final

import pypdfium2
from pypdfium2 import raw

from dossier.core.findings import Message
from dossier.integrations.parsing.exceptions import (
    PASSWORD_DETAIL,
    UnreadableFileError,
    UnreadableReason,
)
from dossier.integrations.parsing.messages import warning
from dossier.integrations.parsing.pdf_annotations import (
    Annotations,
    annotations_of,
    attachment_names,
    keep_stamps,
)
from dossier.integrations.parsing.pdf_fonts import (
    hidden_layers,
    is_gibberish,
    is_plausible,
    unmapped_fonts,
)
from dossier.integrations.parsing.pdf_geometry import turned_box
from dossier.integrations.parsing.pdf_layout import Word, text_of
from dossier.integrations.parsing.pdf_page import PageInk, ink_of
from dossier.integrations.parsing.types import (
    PageState,
    ReaderContent,
    ReadWarning,
    TextPage,
    storable,
)

MAX_PAGES: Final = 5_000
_TAIL_BYTES: Final = 2048
_END_MARK: Final = b"%%EOF"
_LARGE_SHARE: Final = 0.5
"""A picture of this share of the page is a scan, or the ground of a design."""
_NOTABLE_SHARE: Final = 0.2
_PICTURE_SHARE: Final = 0.05
_FEW_CHARACTERS: Final = 200
_FEW_LINES: Final = 4
_PAGE_NUMBER: Final = 12
"""Fewer characters than these are a page number beside a picture."""
_RECOGNISED_CHARACTERS: Final = 20
_DRAWN_SEGMENTS: Final = 200
"""Letters that are drawn as outlines have 10 to 60 each, a frame has 4."""
_OUTLINED_SEGMENTS: Final = 4_000
_OUTLINED_PER_CHARACTER: Final = 40
"""More than a logo beside text."""
_RENDERED_POINTS: Final = 200
"""Width and height in pixels at which a page without text is looked at."""
_INK_SHARE: Final = 0.01
_INK_SHARE_BESIDE_LINES: Final = 0.1
_SAME_GREY: Final = 8
_MOSTLY: Final = 0.5
_NOTABLY: Final = 0.03
_SAMPLE_CHARACTERS: Final = 4_000


def read(file: BinaryIO) -> ReaderContent:
    """Return one page of text per page, or raise `UnreadableFileError`."""
    file.seek(0)
    content = file.read()
    document = _opened(content)
    if len(document) > MAX_PAGES:
        detail = f"it has {len(document)} pages; at most {MAX_PAGES} are read; split it"
        raise UnreadableFileError(UnreadableReason.TOO_LARGE, detail)
    reader = _PdfReader(document, cache(partial(hidden_layers, file)))
    pages = [reader.page(index) for index in range(len(document))]
    suspects = {
        font for font, sample in reader.samples.items() if not is_plausible(sample)
    }
    unmapped = unmapped_fonts(file, suspects) if suspects else frozenset()
    # A mapping may also be wrong, by a fault or so that nobody copies the text.
    unmapped |= {font for font in suspects if is_gibberish(reader.samples[font])}
    if unmapped:
        # Rare, so that these pages are read twice.
        reader.unmapped_fonts = unmapped
        for index, page_fonts in enumerate(reader.fonts):
            if page_fonts & unmapped:
                reader.warnings[index] = []
                pages[index] = reader.page(index)
    warnings = [*_about_file(content, document), *reader.all_warnings()]
    if any(page.state is PageState.UNREADABLE for page in pages):
        unread = _why_unread(reader.all_warnings())
        reason = UnreadableReason.NO_TEXT_LAYER
        return ReaderContent(pages, warnings, unread_reason=reason, unread=unread)
    blank = Message(zh="每一頁都是空白", en="all of its pages are blank")
    return ReaderContent(pages, warnings, unread=blank)


def _opened(content: bytes) -> pypdfium2.PdfDocument:
    try:
        document = pypdfium2.PdfDocument(content)
        document.init_forms()
    except pypdfium2.PdfiumError as error:
        if getattr(error, "err_code", None) == raw.FPDF_ERR_PASSWORD:
            raise UnreadableFileError(
                UnreadableReason.ENCRYPTED, PASSWORD_DETAIL
            ) from error
        detail = "the PDF is damaged and cannot be opened; save it again"
        raise UnreadableFileError(UnreadableReason.CORRUPT, detail) from error
    return document


def _about_file(content: bytes, document: pypdfium2.PdfDocument) -> list[ReadWarning]:
    """Return what is to be said of the whole file."""
    found = []
    names = list(attachment_names(document))
    is_cover = document.get_pagemode() == raw.PAGEMODE_USEATTACHMENTS
    if names and (is_cover or b"/Collection" in content):
        # The files inside are the document.
        found.append(warning("portfolio-not-read"))
    found += [warning("attachment-not-read", name=name) for name in names]
    if document.get_formtype() == raw.FORMTYPE_XFA_FULL:
        found.append(warning("form-not-read"))
    if _END_MARK not in content[-_TAIL_BYTES:]:
        found.append(warning("file-ends-early"))
    return found


def _why_unread(warnings: list[ReadWarning]) -> Message:
    codes = {each.code for each in warnings}
    if "page-is-a-picture" in codes:
        return Message(
            zh="每一頁都是圖片，沒有文字，且未安裝 OCR，無法讀取",
            en="its pages are pictures without text, and no OCR is installed",
        )
    if "page-without-usable-text" in codes:
        return Message(
            zh="字形沒有可用的文字對照（no usable text），無法讀取；"
            "請嵌入字形重新列印，或提供原始檔",
            en="it has no usable text: its fonts do not say which letters they show;"
            " print it anew with fonts embedded, or hand in the original",
        )
    if "page-is-drawn" in codes:
        return Message(
            zh="文字以線條繪成，無法讀取；請提供含文字的 PDF",
            en="its words are drawn as shapes; hand in a PDF with text",
        )
    return Message(
        zh="沒有一頁可以讀取；請重新儲存",
        en="none of its pages can be read; save it again",
    )


@dataclass(slots=True)
class _PdfReader:
    """Reads the pages of one document."""

    document: pypdfium2.PdfDocument
    hidden_layers: Callable[[], frozenset[str]]
    unmapped_fonts: frozenset[str] = frozenset()
    samples: dict[str, str] = field(default_factory=lambda: defaultdict(str))
    """Some text by the name of its font."""
    fonts: list[frozenset[str]] = field(default_factory=list)
    warnings: dict[int, list[ReadWarning]] = field(
        default_factory=lambda: defaultdict(list)
    )

    def all_warnings(self) -> list[ReadWarning]:
        """Return the warnings of all pages."""
        return [
            each for index in sorted(self.warnings) for each in self.warnings[index]
        ]

    def page(self, index: int) -> TextPage:
        """Read one page and judge how much of it was read."""
        label = f"page {index + 1}"
        try:
            page = self.document[index]
        except pypdfium2.PdfiumError:
            self._warn(index, "page-damaged")
            self.fonts.append(frozenset())
            return TextPage(index + 1, index + 1, label, "", PageState.UNREADABLE)
        try:
            hanging = annotations_of(page, self.document.formenv)
            if hanging.has_appearances:
                keep_stamps(page, self.document.formenv)
                page.close()
                page = self.document[index]
            layer = page.get_textpage()
            try:
                ink = ink_of(page, layer, self.unmapped_fonts, self.hidden_layers)
            finally:
                layer.close()
            shows_ink = _shows_uncounted_ink(page, ink)
        finally:
            page.close()
        ink.strike(hanging.struck)
        is_recognised = _take_recognised(ink)
        text = self._text(ink, hanging)
        words = [word for words in ink.words.values() for word in words]
        if index == len(self.fonts):
            self.fonts.append(frozenset(word.font for word in words))
        for word in words:
            if len(self.samples[word.font]) < _SAMPLE_CHARACTERS:
                self.samples[word.font] += word.text + " "
        if shows_ink:
            ink.drawn += _DRAWN_SEGMENTS
        state = self._state(index, ink, hanging, text, is_recognised=is_recognised)
        return TextPage(index + 1, index + 1, label, text, state)

    def _text(self, ink: PageInk, hanging: Annotations) -> str:
        """Return the text: the lines of the commonest angle first."""
        count = Counter({angle: len(words) for angle, words in ink.words.items()})
        angles = [angle for angle, _ in count.most_common()] or [0]
        texts = []
        for angle in angles:
            words = list(ink.words[angle])
            if angle == angles[0]:  # annotations stand along the lines of the page
                for word in hanging.words:
                    box = (word.left, word.v, word.right, word.v + word.size)
                    left, low, right, _ = turned_box(angle, box)
                    words.append(
                        Word(word.text, left, right, low, word.size, after_space=True)
                    )
            is_level = angle == 0
            lines = (ink.rules, ink.borders) if is_level else ((), ())
            texts.append(text_of(words, *lines))
        return storable("\n".join(filter(None, [*texts, *hanging.remarks])))

    def _state(
        self,
        index: int,
        ink: PageInk,
        hanging: Annotations,
        text: str,
        *,
        is_recognised: bool,
    ) -> PageState:
        letters = len("".join(text.split()))
        for name in hanging.files:
            self._warn(index, "attachment-not-read", name=name)
        if hanging.fields:
            self._warn(
                index,
                "form-fields",
                count=hanging.fields,
                empty=hanging.empty_fields,
            )
        if hidden := ink.hidden + hanging.hidden:
            self._warn(index, "hidden-text-left-out", count=hidden)
        if ink.struck:
            self._warn(index, "struck-text-left-out", count=ink.struck)
        total = letters + ink.unmapped
        if ink.unmapped > _MOSTLY * total:
            self._warn(index, "page-without-usable-text")
            return PageState.UNREADABLE
        if is_recognised:
            self._warn(index, "text-recognised-elsewhere")
            return PageState.READ_PARTLY
        if letters == 0:
            return self._without_text(index, ink)
        if ink.unmapped > _NOTABLY * total:
            self._warn(index, "page-without-usable-text")
            return PageState.READ_PARTLY
        if ink.outlined > max(_OUTLINED_SEGMENTS, _OUTLINED_PER_CHARACTER * letters):
            self._warn(index, "shapes-not-read")
            return PageState.READ_PARTLY
        return self._beside_pictures(index, ink, text, letters)

    def _without_text(self, index: int, ink: PageInk) -> PageState:
        if ink.picture_share >= _PICTURE_SHARE:
            self._warn(index, "page-is-a-picture")
            return PageState.UNREADABLE
        if ink.drawn >= _DRAWN_SEGMENTS:
            self._warn(index, "page-is-drawn")
            return PageState.UNREADABLE
        return PageState.BLANK

    def _beside_pictures(
        self, index: int, ink: PageInk, text: str, letters: int
    ) -> PageState:
        share = ink.picture_share
        is_little = letters < _FEW_CHARACTERS or text.count("\n") + 1 < _FEW_LINES
        is_scan = share >= (_NOTABLE_SHARE if letters < _PAGE_NUMBER else _LARGE_SHARE)
        if is_scan and is_little:
            self._warn(index, "page-is-a-picture")
            return PageState.UNREADABLE
        if share < _NOTABLE_SHARE:
            return PageState.READ
        percent = round(100 * share)
        if is_little or share >= _LARGE_SHARE:
            self._warn(index, "picture-not-read", share=percent)
            return PageState.READ_PARTLY
        self._warn(index, "small-picture-not-read", share=percent)
        return PageState.READ

    def _warn(self, index: int, code: str, **values: object) -> None:
        self.warnings[index].append(warning(code, f"page {index + 1}", **values))


def _shows_uncounted_ink(page: pypdfium2.PdfPage, ink: PageInk) -> bool:
    """Return whether a page, blank by its objects, shows more than lines on a ground.

    Patterns and shadings are no objects that can be counted, but may hold a scan.
    """
    has_words = any((*ink.words.values(), *ink.over_pictures.values()))
    has_pictures = ink.picture_share >= _PICTURE_SHARE or ink.drawn >= _DRAWN_SEGMENTS
    if has_words or has_pictures:
        return False
    scale = _RENDERED_POINTS / max(*page.get_size(), 1.0)
    picture = page.render(scale=min(scale, 1.0), grayscale=True, may_draw_forms=False)
    pixels = bytes(picture.buffer)
    (ground, _), *_ = Counter(pixels).most_common(1)
    inked = sum(abs(pixel - ground) > _SAME_GREY for pixel in pixels)
    has_lines = bool(ink.rules or ink.borders or ink.shapes)
    return inked > len(pixels) * (_INK_SHARE_BESIDE_LINES if has_lines else _INK_SHARE)


def _take_recognised(ink: PageInk) -> bool:
    """Take the invisible text of a scan into its words; elsewhere it is left out."""
    count = sum(len(w.text) for words in ink.over_pictures.values() for w in words)
    shown = sum(len(w.text) for words in ink.words.values() for w in words)
    # Beside a page number or a fax line; on a page with words of its own it is hidden.
    is_scan = ink.picture_share >= _LARGE_SHARE and shown < min(count, _FEW_CHARACTERS)
    if not is_scan or count < _RECOGNISED_CHARACTERS:
        ink.hidden += count
        return False
    for angle, words in ink.over_pictures.items():
        ink.words[angle].extend(words)
    return True
