"""What a PDF page shows: words with their places, pictures, rules, form fields.

Text that nobody sees (invisible, in the colour of its ground, covered, clipped away,
off the page) is kept apart. PDFium's functions are called by addresses and plain
numbers, and without releasing the interpreter's lock, which costs as much as the call:
five calls a character are most of the time that a page takes.
"""

import ctypes
import math
import unicodedata
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any, Final

import pypdfium2
from pypdfium2 import raw

from dossier.integrations.parsing.pdf_geometry import (
    WHOLE_PLANE,
    Box,
    Matrix,
    along_lines,
    box_around,
    covered_share,
    holds,
    intersection,
    matrix_product,
    off_lines,
)
from dossier.integrations.parsing.pdf_layout import Border, RuledLine, Word
from dossier.integrations.parsing.symbols import UNKNOWN, shown

_POINTER, _INT = ctypes.c_void_p, ctypes.c_int
_unicode_of = ctypes.cast(
    raw.FPDFText_GetUnicode, ctypes.PYFUNCTYPE(ctypes.c_uint, _POINTER, _INT)
)
_object_of = ctypes.cast(
    raw.FPDFText_GetTextObject, ctypes.PYFUNCTYPE(_POINTER, _POINTER, _INT)
)
_origin_of = ctypes.cast(
    raw.FPDFText_GetCharOrigin,
    ctypes.PYFUNCTYPE(_INT, _POINTER, _INT, _POINTER, _POINTER),
)
_box_of = ctypes.cast(
    raw.FPDFText_GetLooseCharBox, ctypes.PYFUNCTYPE(_INT, _POINTER, _INT, _POINTER)
)
_is_generated = ctypes.cast(
    raw.FPDFText_IsGenerated, ctypes.PYFUNCTYPE(_INT, _POINTER, _INT)
)
_has_map_error = ctypes.cast(
    raw.FPDFText_HasUnicodeMapError, ctypes.PYFUNCTYPE(_INT, _POINTER, _INT)
)

MAX_CHARACTERS: Final = 400_000
"""Of a page; a dense one has 10,000."""
_MAX_OBJECTS: Final = 50_000
_MAX_DEPTH: Final = 6
_SPACES: Final = frozenset({0, 9, 10, 13, 32, 0xA0, 0x2002, 0x2003, 0x2009, 0x3000})
_HYPHENS: Final = frozenset({0x02, 0xFFFE})
"""What PDFium gives for a hyphen that ends a line."""
_PRIVATE_USE: Final = range(0xE000, 0xF900)
_BULLETS: Final = {0xF0B7: "•", 0xF0A7: "▪", 0xF06E: "■", 0xF0D8: "➢"}
_SYMBOL_FONTS: Final = {
    "wingdings2": "wingdings 2",
    "wingdings": "wingdings",
    "symbol": "symbol",
}
_INVISIBLE_MODES: Final = frozenset({3, 7})
_STROKED_MODE: Final = 1
_TINY_POINTS: Final = 1.2
_SAME_COLOR: Final = 20
_OPAQUE: Final = 250
_WHITE: Final = (255, 255, 255)
_THICK: Final = 3.0
"""Points; thinner fills are lines, which cover nothing."""
_MAX_RECTANGLE_SEGMENTS: Final = 6
_MAPPED_SAMPLE: Final = 12
_STRIKE: Final = (0.15, 0.55)
"""Where a line through a word runs above its base line, in font sizes."""
_STRIKE_ENDS: Final = 0.3
_STACKED: Final = (0.7, 1.6)
"""Steps down from character to character of vertical writing, in font sizes."""
_DOWNWARDS: Final = 270
_ROW: Final = 0.35
_ASCENT: Final = 0.88
_SPACE, _FROM_CJK = 0x20, 0x2E80
# Radicals, compatible forms and ligatures stand for what people type.
_FOLDED: Final = (range(0x2E80, 0x2FE0), range(0xF900, 0xFB07))

Color = tuple[int, int, int]


@dataclass(slots=True)
class Shape:
    """A filled rectangle or picture; without a colour nobody knows what it shows."""

    order: int
    box: Box
    color: Color | None
    is_opaque: bool
    is_picture: bool


@dataclass(slots=True)
class _TextObject:
    """What is the same for all characters of one text object."""

    angle: int
    size: float
    order: int
    color: Color | None
    clip: Box
    font: str
    is_invisible: bool
    is_mapped: bool


@dataclass(slots=True)
class PageInk:
    """The contents of one page, before they are put in order."""

    words: dict[int, list[Word]] = field(default_factory=lambda: defaultdict(list))
    """By the angle of their lines, in degrees."""
    hidden: int = 0
    struck: int = 0
    unmapped: int = 0
    over_pictures: dict[int, list[Word]] = field(
        default_factory=lambda: defaultdict(list)
    )
    """Invisible words on a picture: what a scanner's program recognised."""
    shapes: list[Shape] = field(default_factory=list)
    rules: list[RuledLine] = field(default_factory=list)
    borders: list[Border] = field(default_factory=list)
    picture_share: float = 0.0
    drawn: int = 0
    """How many lines and curves the shapes consist of that are no rectangles."""
    outlined: int = 0
    """How many of them belong to filled shapes, as letters drawn as outlines do."""

    def strike(self, marks: Iterable[Box]) -> None:
        """Take out the words that marks or lines strike through, and count them."""
        level = sorted(self.words[0], key=lambda word: word.v)
        bases = [word.v for word in level]
        largest = max((word.size for word in level), default=0.0)

        def struck_by(line: RuledLine) -> list[Word]:
            first = bisect_left(bases, line.v - _STRIKE[1] * largest)
            return [
                word
                for word in level[first : bisect_right(bases, line.v)]
                if _STRIKE[0] < (line.v - word.v) / word.size < _STRIKE[1]
                and line.left < word.left + _STRIKE_ENDS * word.size
                and line.right > word.right - _STRIKE_ENDS * word.size
            ]

        struck = {
            id(word)
            for left, bottom, right, top in marks
            for word in struck_by(RuledLine(left, right, (bottom + top) / 2))
        }
        for rule in self.rules:
            words = struck_by(rule)
            size = max((word.size for word in words), default=0.0)
            # The lines of tables run on beyond the words.
            if words and rule.right - rule.left < 2 * size + (
                max(word.right for word in words) - min(word.left for word in words)
            ):
                struck.update(map(id, words))
        self.struck = sum(len(each.text) for each in level if id(each) in struck)
        self.words[0] = [each for each in self.words[0] if id(each) not in struck]


def ink_of(
    page: pypdfium2.PdfPage,
    layer: pypdfium2.PdfTextPage,
    unmapped_fonts: frozenset[str],
    hidden_layers: Callable[[], frozenset[str]] = frozenset,
) -> PageInk:
    """Return what a page shows.

    Text in the named fonts counts as unmapped. The names of layers that are switched
    off are asked for only on pages with layers.
    """
    box: Box = page.get_bbox()
    ink = PageInk()
    objects = _Objects(page, ink)
    _Characters(layer, objects, ink, box, unmapped_fonts, hidden_layers).collect()
    ink.picture_share = covered_share(
        (shape.box for shape in ink.shapes if shape.is_picture), box
    )
    return ink


class _Objects:
    """The page's objects in the order in which they are painted."""

    def __init__(self, page: pypdfium2.PdfPage, ink: PageInk) -> None:
        self._ink = ink
        self._count = 0
        self.text_orders: dict[int, tuple[int, Box]] = {}
        """By the address of a text object: its order and its clip."""
        root = page.raw
        self._walk(
            raw.FPDFPage_CountObjects(root),
            lambda at: raw.FPDFPage_GetObject(root, at),
            (1.0, 0.0, 0.0, 1.0, 0.0, 0.0),
            0,
        )

    def _walk(self, count: int, get: object, matrix: Matrix, depth: int) -> None:
        for at in range(count):
            each = get(at)  # type: ignore[operator]
            if not each or self._count >= _MAX_OBJECTS:
                return
            self._count += 1
            kind = raw.FPDFPageObj_GetType(each)
            if kind == raw.FPDF_PAGEOBJ_TEXT:
                address = ctypes.cast(each, _POINTER).value or 0
                self.text_orders[address] = (self._count, _clip_of(each, matrix))
            elif kind == raw.FPDF_PAGEOBJ_FORM:
                if depth < _MAX_DEPTH:
                    own = raw.FS_MATRIX()
                    raw.FPDFPageObj_GetMatrix(each, own)
                    cells = (own.a, own.b, own.c, own.d, own.e, own.f)
                    self._walk(
                        raw.FPDFFormObj_CountObjects(each),
                        lambda place, form=each: raw.FPDFFormObj_GetObject(form, place),
                        matrix_product(cells, matrix),
                        depth + 1,
                    )
            else:
                self._add_shape(each, kind, matrix)

    def _add_shape(self, each: object, kind: int, matrix: Matrix) -> None:
        box = _bounds_of(each, matrix)
        if box is None:
            return
        if kind == raw.FPDF_PAGEOBJ_PATH:
            self._add_path(each, box, matrix)
            return
        is_picture = kind == raw.FPDF_PAGEOBJ_IMAGE
        is_opaque = is_picture and not raw.FPDFPageObj_HasTransparency(each)
        clipped = intersection(box, _clip_of(each, matrix))
        self._ink.shapes.append(
            Shape(self._count, clipped, None, is_opaque, is_picture)
        )

    def _add_path(self, path: object, box: Box, matrix: Matrix) -> None:
        left, bottom, right, top = box
        if top - bottom < _THICK:
            if right - left > 10 * _THICK:
                self._ink.rules.append(RuledLine(left, right, (top + bottom) / 2))
            return
        if right - left < _THICK:
            self._ink.borders.append(Border((left + right) / 2, bottom, top))
            return
        segments = raw.FPDFPath_CountSegments(path)
        if segments > _MAX_RECTANGLE_SEGMENTS:
            self._ink.drawn += segments
        fill, stroke = ctypes.c_int(), ctypes.c_int()
        raw.FPDFPath_GetDrawMode(path, fill, stroke)
        if fill.value and segments > _MAX_RECTANGLE_SEGMENTS:
            self._ink.outlined += segments
        if stroke.value and segments <= _MAX_RECTANGLE_SEGMENTS:
            self._ink.rules += [
                RuledLine(left, right, top),
                RuledLine(left, right, bottom),
            ]
            self._ink.borders += [Border(left, bottom, top), Border(right, bottom, top)]
        if fill.value and right - left >= _THICK:
            color, alpha = _color_of(path, raw.FPDFPageObj_GetFillColor)
            is_plain = segments <= _MAX_RECTANGLE_SEGMENTS
            is_opaque = (
                is_plain
                and alpha >= _OPAQUE
                and not raw.FPDFPageObj_HasTransparency(path)
            )
            clipped = intersection(box, _clip_of(path, matrix))
            known = color if is_plain else None
            self._ink.shapes.append(
                Shape(self._count, clipped, known, is_opaque, is_picture=False)
            )


class _Characters:
    """Groups the characters of a text layer into words."""

    def __init__(
        self,
        layer: pypdfium2.PdfTextPage,
        objects: _Objects,
        ink: PageInk,
        page_box: Box,
        unmapped_fonts: frozenset[str],
        hidden_layers: Callable[[], frozenset[str]],
    ) -> None:
        self._layer = layer
        self._hidden_layers = hidden_layers
        self._orders = objects.text_orders
        self._ink = ink
        self._page_box = page_box
        self._unmapped_fonts = unmapped_fonts
        self._by_address: dict[int, _TextObject] = {}
        self._has_near: dict[Color, bool] = {}
        """Whether any shape has nearly that colour."""
        self._covers = sorted(
            (shape for shape in ink.shapes if shape.is_opaque),
            key=lambda shape: shape.order,
        )

    def collect(self) -> None:
        """Fill the ink with the words of the layer."""
        handle = ctypes.cast(self._layer.raw, _POINTER).value or 0
        count = min(self._layer.count_chars(), MAX_CHARACTERS)
        x, y, box = ctypes.c_double(), ctypes.c_double(), raw.FS_RECTF()
        at_x, at_y = ctypes.addressof(x), ctypes.addressof(y)
        at_box = ctypes.addressof(box)
        word: Word | None = None
        about: _TextObject | None = None
        address, after_space, foot = 0, True, math.nan
        for index in range(count):
            code = _unicode_of(handle, index)
            if code in _SPACES:
                # PDFium adds spaces where it sees gaps; gaps are judged by the layout.
                after_space = after_space or _is_generated(handle, index) != 1
                continue
            owner = _object_of(handle, index) or 0
            if owner != address or about is None:
                self._finish(word, about)
                word, address = None, owner
                about = self._by_address.get(owner)
                if about is None:
                    about = self._text_object(handle, index, owner)
                    self._by_address[owner] = about
            _box_of(handle, index, at_box)
            # Boxes of one text object have one height: one foot means one base line.
            if word is None or about.angle or code >= _FROM_CJK or box.bottom != foot:
                _origin_of(handle, index, at_x, at_y)
                foot = box.bottom
            size = about.size
            if word is not None and code >= _FROM_CJK and about.angle == 0:
                step = (word.v - y.value) / size
                is_below = abs(x.value - word.left) < _ROW * size
                if (
                    len(word.text) == 1
                    and is_below
                    and _STACKED[0] < step < _STACKED[1]
                ):
                    about = replace(about, angle=_DOWNWARDS)
                    end = -word.v + (1 - _ASCENT) * size
                    word.left, word.right, word.v = end - size, end, word.left
            left, right, v = along_lines(about.angle, x.value, y.value, box)
            text = _character(code, about)
            if (
                word is None
                or after_space
                or abs(v - word.v) > 0.1 * size
                or not -0.5 * size < left - word.right < 0.2 * size
            ):
                self._finish(word, about)
                word = Word(text, left, right, v, size, after_space, font=about.font)
                after_space = False
            else:
                word.text += text
                word.right = max(word.right, right)
        self._finish(word, about)

    def _text_object(self, handle: int, index: int, owner: int) -> _TextObject:
        layer = self._layer.raw
        matrix = raw.FS_MATRIX()
        raw.FPDFText_GetMatrix(layer, index, matrix)
        stated = raw.FPDFText_GetFontSize(layer, index)
        size = abs(stated) * math.hypot(matrix.c, matrix.d)
        angle = round(math.degrees(math.atan2(matrix.b, matrix.a))) % 360
        text_object = raw.FPDFText_GetTextObject(layer, index)
        mode = raw.FPDFTextObj_GetTextRenderMode(text_object) if text_object else 0
        getter = (
            raw.FPDFPageObj_GetStrokeColor
            if mode == _STROKED_MODE
            else raw.FPDFPageObj_GetFillColor
        )
        color, alpha = _color_of(text_object, getter) if text_object else (None, 255)
        name = ctypes.create_string_buffer(128)
        font_object = raw.FPDFTextObj_GetFont(text_object) if text_object else None
        if font_object:
            raw.FPDFFont_GetBaseFontName(font_object, name, 128)
        font = name.value.decode("utf-8", "replace")
        order, clip = self._orders.get(owner, (0, WHOLE_PLANE))
        has_errors = any(
            _has_map_error(handle, at) == 1 and _object_of(handle, at) == owner
            for at in range(index, index + _MAPPED_SAMPLE)
        )
        is_mapped = not has_errors and font not in self._unmapped_fonts
        is_invisible = mode in _INVISIBLE_MODES or alpha == 0 or size < _TINY_POINTS
        if text_object and (names := _layers_of(text_object)):
            is_invisible = is_invisible or bool(names & self._hidden_layers())
        return _TextObject(
            angle, size or 1.0, order, color, clip, font, is_invisible, is_mapped
        )

    def _finish(self, word: Word | None, about: _TextObject | None) -> None:
        """Count a word to the text, or to what is left out."""
        if word is None or about is None:
            return
        middle = off_lines(
            about.angle, (word.left + word.right) / 2, word.v + word.size / 3
        )
        if not holds(self._page_box, middle) or not holds(about.clip, middle):
            self._ink.hidden += len(word.text)
            return
        if about.is_invisible or self._is_covered(about, middle):
            is_on_picture = any(
                shape.is_picture and holds(shape.box, middle)
                for shape in self._ink.shapes
            )
            if is_on_picture and about.size >= _TINY_POINTS and about.is_mapped:
                self._ink.over_pictures[about.angle].append(word)
            else:
                self._ink.hidden += len(word.text)
            return
        if self._is_camouflaged(about, middle):
            self._ink.hidden += len(word.text)
        elif not about.is_mapped or UNKNOWN in word.text:
            self._ink.unmapped += len(word.text)
        else:
            self._ink.words[about.angle].append(word)

    def _is_covered(self, about: _TextObject, point: tuple[float, float]) -> bool:
        if about.order == 0:
            return False
        # Most text is painted last, so that few shapes remain to be looked at.
        first = bisect_right(self._covers, about.order, key=lambda shape: shape.order)
        return any(holds(shape.box, point) for shape in self._covers[first:])

    def _is_camouflaged(self, about: _TextObject, point: tuple[float, float]) -> bool:
        """Return whether a word has the colour of what it is painted on."""
        color = about.color
        if color is None:
            return False
        is_white = _is_near(color, _WHITE)
        if color not in self._has_near:
            self._has_near[color] = any(
                shape.color is not None and _is_near(shape.color, color)
                for shape in self._ink.shapes
            )
        if not is_white and not self._has_near[color]:
            return False
        below = [
            shape
            for shape in self._ink.shapes
            if shape.order < about.order and holds(shape.box, point)
        ]
        if not below:
            return is_white
        ground = max(below, key=lambda shape: shape.order).color
        return ground is not None and _is_near(ground, color)


def _character(code: int, about: _TextObject) -> str:
    if _SPACE < code < _FROM_CJK:  # nearly all: the rest is looked at one by one
        return chr(code)
    if code in _HYPHENS:
        return "-"
    if any(code in each for each in _FOLDED):
        return unicodedata.normalize("NFKC", chr(code))
    if code in _PRIVATE_USE:
        plain = about.font.rpartition("+")[2].lower().replace("-", "")
        families = (each for each in _SYMBOL_FONTS if plain.startswith(each))
        family = _SYMBOL_FONTS.get(next(families, ""), plain)
        return _BULLETS.get(code) or shown(chr(code), family)
    return chr(code) if code not in range(0xD800, 0xE000) else UNKNOWN


def _is_near(one: Color, other: Color) -> bool:
    (r, g, b), (red, green, blue) = one, other
    return max(abs(r - red), abs(g - green), abs(b - blue)) <= _SAME_COLOR


def _color_of(each: object, getter: object) -> tuple[Color | None, int]:
    red, green, blue, alpha = (ctypes.c_uint() for _ in range(4))
    if not getter(each, red, green, blue, alpha):  # type: ignore[operator]
        return None, 255
    return (red.value, green.value, blue.value), alpha.value


def _layers_of(each: object) -> frozenset[str]:
    """Return the names of the layers (optional content) that an object lies on."""
    names = set()
    for at in range(max(raw.FPDFPageObj_CountMarks(each), 0)):
        mark = raw.FPDFPageObj_GetMark(each, at)
        if mark and _mark_text(raw.FPDFPageObjMark_GetName, mark) == "OC":
            names.add(
                _mark_text(raw.FPDFPageObjMark_GetParamStringValue, mark, b"Name")
            )
    return frozenset(names)


def _mark_text(getter: Any, *arguments: object) -> str:
    buffer, length = (raw.FPDF_WCHAR * 256)(), ctypes.c_ulong()
    if not getter(*arguments, buffer, ctypes.sizeof(buffer), length):
        return ""
    written = memoryview(buffer).cast("B")[: length.value]
    return bytes(written).decode("utf-16-le", "replace").split("\0")[0]


def _bounds_of(each: object, matrix: Matrix) -> Box | None:
    left, bottom, right, top = (ctypes.c_float() for _ in range(4))
    if not raw.FPDFPageObj_GetBounds(each, left, bottom, right, top):
        return None
    corners = [(left.value, bottom.value), (right.value, top.value)]
    corners += [(left.value, top.value), (right.value, bottom.value)]
    return box_around(corners, matrix)


def _clip_of(each: object, matrix: Matrix) -> Box:
    """Return the box outside of which an object is not painted."""
    clip = raw.FPDFPageObj_GetClipPath(each)
    box = WHOLE_PLANE
    if not clip:
        return box
    x, y = ctypes.c_float(), ctypes.c_float()
    for path in range(max(raw.FPDFClipPath_CountPaths(clip), 0)):
        points = []
        for at in range(max(raw.FPDFClipPath_CountPathSegments(clip, path), 0)):
            segment = raw.FPDFClipPath_GetPathSegment(clip, path, at)
            if segment and raw.FPDFPathSegment_GetPoint(segment, x, y):
                points.append((x.value, y.value))
        if points:
            box = intersection(box, box_around(points, matrix))
    return box
