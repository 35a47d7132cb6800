"""Reads xlsx from its own XML, by local names: transitional and strict files alike.

The libraries at hand give a part each: calamine no formats, errors, crossed-out text or
hidden columns; openpyxl refuses workbooks with pivots, strict ones and attributes that
are empty, all of which spreadsheet programs open. Parts that only add formats may be
missing or damaged; the cells are read all the same.
"""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from pathlib import PurePosixPath
from typing import BinaryIO, Final
from xml.etree.ElementTree import Element, ParseError
from zipfile import ZipFile

from defusedxml.ElementTree import iterparse, parse

from dossier.core.spreadsheets import Cell, Sheet, Workbook
from dossier.integrations.parsing.cells import (
    MAX_COLUMNS,
    PACKAGE_DAMAGES,
    Position,
    check_sheet_count,
    check_size,
    corrupt_on,
    covered_cells,
    crossed_out,
    day_text,
    exact_decimal,
    is_date_format,
    number_cell,
    superscript,
)

_NO: Final = frozenset({"0", "false", "off", "none"})
_SHEET_RELATION: Final = "/worksheet"
# The formats that a file refers to by number only; all others are written out.
_PERCENTS: Final = {9: "0%", 10: "0.00%"}
_DATES: Final = frozenset({*range(14, 23), *range(27, 37), *range(45, 48)}) | frozenset(
    range(50, 59)
)
_EPOCH: Final = datetime(1899, 12, 30)  # noqa: DTZ001 - cells have no time zone
_EPOCH_1904: Final = datetime(1904, 1, 1)  # noqa: DTZ001

FontRun = tuple[str, bool | None]
"""A piece of a text and whether it is crossed out; `None`: as its cell is."""


@dataclass(frozen=True, slots=True)
class _Style:
    number_format: str | None = None
    is_date: bool = False
    is_struck: bool = False


@dataclass(slots=True)
class _Package:
    """The parts of the file, and what the sheets share."""

    archive: ZipFile
    names: dict[str, str]
    texts: list[list[FontRun]] = field(default_factory=list)
    styles: list[_Style] = field(default_factory=list)
    epoch: datetime = _EPOCH
    computes_on_load: bool = False

    def root(self, name: str) -> Element:
        """Return the root element of a part."""
        with self.archive.open(self.names[name.lower()]) as part:
            root = parse(part, forbid_dtd=True).getroot()
        if root is None:
            raise ParseError
        return root


@dataclass(frozen=True, slots=True, kw_only=True)
class _SheetEntry:
    name: str
    part: str
    is_hidden: bool
    is_active: bool


def read(file: BinaryIO) -> Workbook:
    """Read every worksheet of an xlsx file."""
    with corrupt_on(*PACKAGE_DAMAGES), ZipFile(file) as archive:
        # Some programs write backslashes, a leading slash or capitals.
        names = {
            name.replace("\\", "/").lstrip("/").lower(): name
            for name in archive.namelist()
        }
        package = _Package(archive, names)
        main = _workbook_part(package)
        book = package.root(main)
        relations = _relations(package, main)
        entries = _sheet_entries(package, book, main, relations)
        check_sheet_count(len(entries))
        for part in _parts_of_type(package, relations, "sharedstrings"):
            package.texts = [_runs(each) for each in package.root(part)]
        has_formats = _read_styles(package, relations)
        for element in _named(book, "workbookpr"):
            if _is_on(element, "date1904"):
                package.epoch = _EPOCH_1904
        package.computes_on_load = any(
            _is_on(each, "fullcalconload") for each in _named(book, "calcpr")
        )
        sheets = [_sheet(package, entry) for entry in entries]
    return Workbook(kind="xlsx", sheets=sheets, has_formats=has_formats)


def _local(tag: object) -> str:
    """Return a tag or attribute name without its namespace, in lower case."""
    return str(tag).rpartition("}")[2].lower()


def _named(element: Element, name: str) -> Iterator[Element]:
    return (each for each in element.iter() if _local(each.tag) == name)


def _attribute(element: Element, name: str) -> str:
    """Return an attribute of any namespace, `""` where it is missing."""
    return next((v for key, v in element.items() if _local(key) == name), "")


def _is_on(element: Element, name: str) -> bool:
    value = _attribute(element, name).lower()
    return bool(value) and value not in _NO


def _workbook_part(package: _Package) -> str:
    if "_rels/.rels" in package.names:
        with suppress(*PACKAGE_DAMAGES):
            for relation in package.root("_rels/.rels"):
                target = _attribute(relation, "target").lstrip("/")
                is_main = _attribute(relation, "type").endswith("/officeDocument")
                if is_main and target.lower() in package.names:
                    return target
    usual = [name for name in package.names if name.endswith("workbook.xml")]
    if not usual:
        raise KeyError
    return usual[0]


def _relations(package: _Package, main: str) -> dict[str, tuple[str, str]]:
    """Return the type and the part of each relation of the workbook, by its id."""
    folder, name = PurePosixPath(main).parent, PurePosixPath(main).name
    part = str(folder / "_rels" / f"{name}.rels")
    found: dict[str, tuple[str, str]] = {}
    if part.lower() not in package.names:
        return found
    with suppress(*PACKAGE_DAMAGES):
        for relation in package.root(part):
            target = _attribute(relation, "target").replace("\\", "/")
            whole = target.lstrip("/") if target[:1] == "/" else str(folder / target)
            key = _attribute(relation, "id")
            found[key] = (_attribute(relation, "type").lower(), whole)
    return found


def _parts_of_type(
    package: _Package, relations: dict[str, tuple[str, str]], name: str
) -> list[str]:
    """Return the existing part of a type: the related one, else by its usual name."""
    related = [part for kind, part in relations.values() if kind.endswith(f"/{name}")]
    usual = f"xl/{name}.xml"
    return [part for part in (*related, usual) if part.lower() in package.names][:1]


def _sheet_entries(
    package: _Package,
    book: Element,
    main: str,
    relations: dict[str, tuple[str, str]],
) -> list[_SheetEntry]:
    active = next(
        (_attribute(each, "activetab") or "0" for each in _named(book, "workbookview")),
        "0",
    )
    folder = PurePosixPath(main).parent
    entries: list[_SheetEntry] = []
    for position, element in enumerate(_named(book, "sheet")):
        usual = str(folder / f"worksheets/sheet{position + 1}.xml")
        kind, part = relations.get(_attribute(element, "id"), (_SHEET_RELATION, usual))
        if not kind.endswith(_SHEET_RELATION) or part.lower() not in package.names:
            continue
        entries.append(
            _SheetEntry(
                name=_attribute(element, "name"),
                part=part,
                is_hidden=_attribute(element, "state").lower()
                in {"hidden", "veryhidden"},
                is_active=str(position) == active,
            )
        )
    return entries


def _read_styles(package: _Package, relations: dict[str, tuple[str, str]]) -> bool:
    """Read the formats of cells; return whether they could be read."""
    parts = _parts_of_type(package, relations, "styles")
    try:
        for part in parts:
            package.styles = list(_styles(package.root(part)))
    except PACKAGE_DAMAGES:
        return False
    return bool(parts)


def _styles(root: Element) -> Iterator[_Style]:
    formats = {
        _attribute(each, "numfmtid"): _attribute(each, "formatcode")
        for each in _named(root, "numfmt")
    }
    fonts = [
        _is_struck(font)
        for block in root
        if _local(block.tag) == "fonts"
        for font in block
    ]
    for block in root:
        for style in block if _local(block.tag) == "cellxfs" else ():
            key = _attribute(style, "numfmtid")
            number = int(key) if key.isdigit() else 0
            shown = formats.get(key) or _PERCENTS.get(number)
            font = _attribute(style, "fontid")
            position = int(font) if font.isdigit() else 0
            yield _Style(
                number_format=shown,
                is_date=is_date_format(shown) if shown else number in _DATES,
                is_struck=fonts[position] if position < len(fonts) else False,
            )


def _is_struck(font: Element) -> bool:
    return any(
        _local(each.tag) in {"strike", "dstrike"}
        and _attribute(each, "val").lower() not in _NO
        for each in font
    )


def _runs(item: Element) -> list[FontRun]:
    """Return the pieces of a shared or inline text; readings beside it are left out."""
    runs: list[FontRun] = []
    for child in item:
        tag = _local(child.tag)
        if tag == "t":
            runs.append((child.text or "", None))
        elif tag == "r":
            text = "".join(each.text or "" for each in child if _local(each.tag) == "t")
            style = next((each for each in child if _local(each.tag) == "rpr"), None)
            if style is None:
                runs.append((text, None))
                continue
            is_raised = any(
                _local(each.tag) == "vertalign"
                and _attribute(each, "val").lower() == "superscript"
                for each in style
            )
            runs.append((superscript(text) if is_raised else text, _is_struck(style)))
    return runs


def _sheet(package: _Package, entry: _SheetEntry) -> Sheet:
    cells: dict[Position, Cell] = {}
    merged: list[tuple[Position, Position]] = []
    hidden_rows: list[int] = []
    hidden_columns: set[int] = set()
    last_row = 0
    with package.archive.open(package.names[entry.part.lower()]) as part:
        for _, element in iterparse(part, events=("end",), forbid_dtd=True):
            tag = _local(element.tag)
            if tag == "row":
                stated = _attribute(element, "r")
                last_row = int(stated) if stated.isdigit() else last_row + 1
                if _is_on(element, "hidden") or _attribute(element, "ht") == "0":
                    hidden_rows.append(last_row)
                for cell in _cells_of_row(package, element, last_row):
                    check_size(entry.name, cell.row, cell.column)
                    cells[cell.row, cell.column] = cell
                element.clear()
            elif tag == "col" and (
                _is_on(element, "hidden") or _attribute(element, "width") == "0"
            ):
                first = int(_attribute(element, "min") or 1)
                last = int(_attribute(element, "max") or first)
                hidden_columns |= set(range(first, min(last, MAX_COLUMNS) + 1))
            elif tag == "mergecell":
                merged.extend(_range(_attribute(element, "ref")))
    cells |= covered_cells(merged, set(cells))
    return Sheet(
        name=entry.name,
        is_hidden=entry.is_hidden,
        is_active=entry.is_active,
        cells=[cells[position] for position in sorted(cells)],
        hidden_rows=sorted(hidden_rows),
        hidden_columns=sorted(hidden_columns),
    )


def _cells_of_row(package: _Package, element: Element, row: int) -> Iterator[Cell]:
    column = 0
    for child in element:
        if _local(child.tag) != "c":
            continue
        stated = _position(_attribute(child, "r"))
        column = stated[1] if stated is not None else column + 1
        cell = _cell(package, child, (row, column))
        if cell is not None:
            yield cell


def _cell(package: _Package, element: Element, position: Position) -> Cell | None:
    row, column = position
    parts = {_local(child.tag): child for child in element}
    formula = None
    if "f" in parts:
        formula = "=" + (parts["f"].text or "")
    value = parts["v"].text or "" if "v" in parts else ""
    key = _attribute(element, "s")
    index = int(key) if key.isdigit() else 0
    style = package.styles[index] if index < len(package.styles) else _Style()
    kind = _attribute(element, "t") or "n"
    if kind in {"n", "d"} and value:
        cell = _valued_cell(package, position, value, style, formula)
        if formula and package.computes_on_load and not cell.number:
            # Programs that write a formula without computing it store 0 for its result.
            cell = Cell(row=row, column=column, formula=formula)
        return crossed_out(cell) if style.is_struck else cell
    if kind == "s":
        is_known = value.isdigit() and int(value) < len(package.texts)
        runs = package.texts[int(value)] if is_known else []
    elif kind == "inlineStr":
        runs = _runs(parts["is"]) if "is" in parts else []
    elif kind == "b" and value:
        runs = [("FALSE" if value in _NO else "TRUE", None)]
    else:
        runs = [(value, None)]
    # A computed text may be empty; nothing is stored for a formula never computed.
    if formula and kind == "str" and not value and "v" in parts:
        return None
    struck = [text for text, is_struck in runs if _or(is_struck, style)]
    kept = [text for text, is_struck in runs if not _or(is_struck, style)]
    cell = Cell(
        row=row,
        column=column,
        text=_unescaped("".join(kept)).strip(),
        struck_text=_unescaped("".join(struck)).strip(),
        formula=formula,
    )
    return cell if cell.text or cell.struck_text or cell.formula else None


def _or(is_struck: bool | None, style: _Style) -> bool:  # noqa: FBT001 - of a run
    return style.is_struck if is_struck is None else is_struck


def _valued_cell(
    package: _Package,
    position: Position,
    value: str,
    style: _Style,
    formula: str | None,
) -> Cell:
    row, column = position
    try:
        number = exact_decimal(Decimal(value))
    except InvalidOperation:
        day = value.removesuffix("T00:00:00")
        return Cell(row=row, column=column, text=day, formula=formula)
    if style.is_date:
        with suppress(OverflowError):
            day = day_text(package.epoch + timedelta(days=float(number)))
            return Cell(row=row, column=column, text=day, formula=formula)
    return number_cell(position, number, style.number_format, formula)


def _unescaped(text: str) -> str:
    return text.replace("_x000D_", "").replace("\r", "")


def _position(reference: str) -> Position | None:
    letters = reference.rstrip("0123456789")
    digits = reference[len(letters) :]
    if not (letters.isascii() and letters.isalpha() and digits):
        return None
    column = 0
    for letter in letters.upper():
        column = column * 26 + ord(letter) - ord("A") + 1
    return (int(digits), column)


def _range(reference: str) -> Iterator[tuple[Position, Position]]:
    """Yield the corners of a merged range, counted from 0."""
    first, _, last = reference.replace("$", "").partition(":")
    start, end = _position(first), _position(last or first)
    if start is not None and end is not None:
        yield (start[0] - 1, start[1] - 1), (end[0] - 1, end[1] - 1)
