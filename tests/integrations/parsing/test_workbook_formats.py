"""What formats add to cells, and workbooks that other programs open."""

import re
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import xlwt
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.cell.text import InlineFont
from openpyxl.styles import Font
from tests.factories.spreadsheets import ods_bytes, xlsx_bytes

from dossier.core.spreadsheets import Cell, Workbook
from dossier.integrations.parsing.cells import number_text
from dossier.integrations.parsing.exceptions import UnreadableFileError
from dossier.integrations.parsing.spreadsheet import read_workbook

RAISED = InlineFont(vertAlign="superscript")
STRUCK = InlineFont(strike=True)
STRICT = "http://purl.oclc.org/ooxml"
OPEN = "http://schemas.openxmlformats.org"


def read(folder: Path, content: bytes) -> Workbook:
    path = folder / "formula.bin"
    path.write_bytes(content)
    with path.open("rb") as file:
        return read_workbook(file)


def cells(book: Workbook) -> dict[str, Cell]:
    return {cell.address: cell for cell in book.sheets[0].cells}


def xlsx_with(change: Callable[[Any, Any], None]) -> bytes:
    book = openpyxl.Workbook()
    change(book, book.worksheets[0])
    out = BytesIO()
    book.save(out)
    return out.getvalue()


def repacked(content: bytes, change: Callable[[str, str], tuple[str, str]]) -> bytes:
    """Return the archive with its parts renamed or rewritten; no name drops a part."""
    out = BytesIO()
    with (
        zipfile.ZipFile(BytesIO(content)) as old,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for part in old.infolist():
            name, text = change(part.filename, old.read(part).decode())
            if name:
                new.writestr(name, text)
    return out.getvalue()


def fill_rich(_: Any, sheet: Any) -> None:
    sheet["A1"] = CellRichText("5", TextBlock(RAISED, "1"))
    sheet["A2"] = CellRichText(TextBlock(STRUCK, "0.5"), "0.3")
    sheet["A3"] = 7
    sheet["A3"].font = Font(strike=True)


def xls_rich() -> bytes:
    book = xlwt.Workbook()
    sheet = book.add_sheet("Formula")
    raised, struck = xlwt.Font(), xlwt.Font()
    raised.escapement = xlwt.Font.ESCAPEMENT_SUPERSCRIPT
    struck.struck_out = True
    sheet.write_rich_text(0, 0, ["5", ("1", raised)])
    sheet.write_rich_text(1, 0, [("0.5", struck), "0.3"])
    sheet.write(2, 0, 7, xlwt.easyxf("font: struck_out on"))
    out = BytesIO()
    book.save(out)
    return out.getvalue()


_NAMES = "urn:oasis:names:tc:opendocument:xmlns"


def ods_of(body: str, styles: str = "") -> bytes:
    text = (
        f'<office:document-content xmlns:office="{_NAMES}:office:1.0"'
        f' xmlns:table="{_NAMES}:table:1.0" xmlns:text="{_NAMES}:text:1.0"'
        f' xmlns:style="{_NAMES}:style:1.0"><office:automatic-styles>{styles}'
        "</office:automatic-styles><office:body><office:spreadsheet>"
        f'<table:table table:name="F">{body}</table:table>'
        "</office:spreadsheet></office:body></office:document-content>"
    )
    return repacked(
        ods_bytes(), lambda name, old: (name, text if name == "content.xml" else old)
    )


def ods_row(cell: str) -> str:
    return f"<table:table-row>{cell}</table:table-row>"


ODS_RICH = ods_of(
    ods_row(
        '<table:table-cell office:value-type="string"><text:p>5<text:span'
        ' text:style-name="up">1</text:span></text:p></table:table-cell>'
    )
    + ods_row(
        '<table:table-cell office:value-type="string"><text:p><text:span'
        ' text:style-name="out">0.5</text:span>0.3</text:p></table:table-cell>'
    )
    + ods_row(
        '<table:table-cell table:style-name="out" office:value-type="float"'
        ' office:value="7"><text:p>7</text:p></table:table-cell>'
    ),
    '<style:style style:name="up"><style:text-properties'
    ' style:text-position="super 58%"/></style:style>'
    '<style:style style:name="out"><style:text-properties'
    ' style:text-line-through-style="solid"/></style:style>',
)


@pytest.mark.parametrize(
    "content", [xlsx_with(fill_rich), xls_rich(), ODS_RICH], ids=["xlsx", "xls", "ods"]
)
def test_raised_digits_stay_raised_and_crossed_out_text_is_apart(
    content: bytes, tmp_path: Path
) -> None:
    found = cells(read(tmp_path, content))

    assert found["A1"].text == "5\u00b9"
    assert (found["A2"].text, found["A2"].struck_text) == ("0.3", "0.5")
    assert (found["A3"].text, found["A3"].struck_text) == ("", "7")
    assert found["A3"].number is None


def test_hidden_columns_and_the_active_sheet_are_reported(tmp_path: Path) -> None:
    def change(book: Any, sheet: Any) -> None:
        sheet.append(["a", "b", "c"])
        sheet.column_dimensions.group("B", "C", hidden=True)
        book.create_sheet("Second").append(["d"])
        book.active = 1

    book = read(tmp_path, xlsx_with(change))

    assert book.sheets[0].hidden_columns == [2, 3]
    assert [sheet.is_active for sheet in book.sheets] == [False, True]


def test_hidden_columns_of_an_ods_are_reported(tmp_path: Path) -> None:
    row = ods_row(
        '<table:table-cell office:value-type="string" office:string-value="a"/>'
    )
    column = '<table:table-column/><table:table-column table:visibility="collapse"/>'

    book = read(tmp_path, ods_of(column + row))

    assert book.sheets[0].hidden_columns == [2]
    assert cells(book)["A1"].text == "a"


WORKBOOK = xlsx_bytes([["INCI", "%"], ["Aqua", 0.95]], formats={"B2": "0%"})
SHEET = "xl/worksheets/sheet1.xml"
ODD: dict[str, Callable[[str, str], tuple[str, str]]] = {
    "backslashes": lambda name, text: (name.replace("/", "\\"), text),
    "capitals": lambda name, text: (
        name.upper() if name.startswith("xl/") else name,
        text,
    ),
    "no content types": lambda name, text: (
        "" if name == "[Content_Types].xml" else name,
        text,
    ),
    "no relations of the workbook": lambda name, text: (
        "" if name == "xl/_rels/workbook.xml.rels" else name,
        text,
    ),
    "no relations of the package": lambda name, text: (
        "" if name == "_rels/.rels" else name,
        text,
    ),
    "main part of another name": lambda name, text: (
        name.replace("workbook.xml", "main.xml"),
        text.replace("xl/workbook.xml", "xl/main.xml"),
    ),
    "strict": lambda name, text: (
        name,
        text.replace(f"{OPEN}/spreadsheetml/2006", f"{STRICT}/spreadsheetml").replace(
            f"{OPEN}/officeDocument/2006", f"{STRICT}/officeDocument"
        ),
    ),
    "empty attributes": lambda name, text: (
        name,
        text.replace("<row ", '<row ht="" hidden="" ') if name == SHEET else text,
    ),
    "cells without references": lambda name, text: (
        name,
        re.sub(r' r="[A-Z]*\d+"', "", text) if name == SHEET else text,
    ),
    "a pivot that nobody can read": lambda name, text: (
        name,
        text.replace(
            "</Relationships>",
            '<Relationship Id="rId99" Target="pivotCacheDefinition1.xml" Type="x/'
            'pivotCacheDefinition"/></Relationships>',
        ),
    ),
}


@pytest.mark.parametrize("name", ODD)
def test_an_odd_workbook_is_read_with_its_formats(name: str, tmp_path: Path) -> None:
    book = read(tmp_path, repacked(WORKBOOK, ODD[name]))

    assert {a: c.text for a, c in cells(book).items()} == {
        "A1": "INCI",
        "B1": "%",
        "A2": "Aqua",
        "B2": "95%",
    }


@pytest.mark.parametrize("text", [None, "<broken"])
def test_a_workbook_without_readable_formats_says_so(
    text: str | None, tmp_path: Path
) -> None:
    def change(name: str, old: str) -> tuple[str, str]:
        if name == "xl/styles.xml":
            return (name, text) if text else ("", old)
        return name, old

    book = read(tmp_path, repacked(WORKBOOK, change))

    assert not book.has_formats
    assert cells(book)["B2"].text == "0.95"


def computed(cell: str, *, on_load: bool = True) -> bytes:
    def change(name: str, text: str) -> tuple[str, str]:
        if name == SHEET:
            text = re.sub(r'<c r="A1".*?</c>', cell, text)
        if not on_load:
            text = re.sub(r' fullCalcOnLoad="1"', "", text)
        return name, text

    return repacked(xlsx_bytes([["=2+3"]]), change)


def test_a_stored_zero_of_a_formula_that_was_never_computed_is_no_value(
    tmp_path: Path,
) -> None:
    zero = '<c r="A1"><f>2+3</f><v>0</v></c>'

    never = cells(read(tmp_path, computed(zero)))["A1"]
    once = cells(read(tmp_path, computed(zero, on_load=False)))["A1"]

    assert (never.text, never.number, never.formula) == ("", None, "=2+3")
    assert once.text == "0"


def test_errors_of_formulas_and_computed_empty_texts(tmp_path: Path) -> None:
    error = computed('<c r="A1" t="e"><f>1/0</f><v>#DIV/0!</v></c>')
    empty = computed('<c r="A1" t="str"><f>""</f><v></v></c>')

    assert cells(read(tmp_path, error))["A1"].text == "#DIV/0!"
    assert cells(read(tmp_path, empty)) == {}


def test_a_date_is_a_day_and_no_number(tmp_path: Path) -> None:
    def change(_: Any, sheet: Any) -> None:
        sheet["A1"] = datetime(9003, 1, 4, tzinfo=UTC).replace(tzinfo=None)

    found = cells(read(tmp_path, xlsx_with(change)))["A1"]

    assert (found.text, found.number) == ("9003-01-04", None)


def test_a_document_type_is_refused(tmp_path: Path) -> None:
    def change(name: str, text: str) -> tuple[str, str]:
        return name, f"<!DOCTYPE x>{text}" if name == SHEET else text

    with pytest.raises(UnreadableFileError) as caught:
        read(tmp_path, repacked(WORKBOOK, change))

    assert caught.value.reason == "corrupt"
    assert "document type definition" in caught.value.detail


@pytest.mark.parametrize(
    ("value", "number_format", "shown"),
    [
        (123, "00000", "00123"),
        (7732185, "0000000-00-0", "7732-18-5"),
        (12345, '00"-"000', "12-345"),
        (5, "0.00", "5"),
        (5, None, "5"),
    ],
)
def test_a_code_is_shown_in_its_digit_places(
    value: int, number_format: str | None, shown: str
) -> None:
    assert number_text(Decimal(value), 1, number_format) == shown


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"<html><table></table></html>", "a web page"),
        (b'\xef\xbb\xbf<?xml version="1.0"?><Workbook/>', "an XML file"),
        (b"MIME-Version: 1.0\r\n", "e-mail"),
        (b"{\\rtf1 }", "rich text"),
    ],
)
def test_a_file_disguised_as_a_spreadsheet_is_refused_by_name(
    content: bytes, what: str, tmp_path: Path
) -> None:
    with pytest.raises(UnreadableFileError, match=what):
        read(tmp_path, content)


@pytest.mark.parametrize(
    "text",
    [
        'INCI,CAS,%\nAqua,7732-18-5,94\n"Glycerin,56-81-5,5\nParfum,,1\n',
        'INCI,CAS,%\n"Glycerin,56-81-5,5\nParfum,,0.5\nTalc",,0.5\n',
        'INCI,CAS,%\n"Rose" oil,,1\n',
    ],
    ids=["never closed", "closed rows later", "closed within its cell"],
)
def test_a_quotation_mark_that_is_not_closed_is_refused_with_its_line(
    text: str, tmp_path: Path
) -> None:
    with pytest.raises(UnreadableFileError, match=r"quotation mark in line \d"):
        read(tmp_path, text.encode())


def test_widths_of_rows_count_empty_cells_and_addresses_are_numbers(
    tmp_path: Path,
) -> None:
    book = read(tmp_path, b'INCI|%\nAqua|95|\n"a\nb"\n')

    assert book.delimiter == "|"
    assert book.sheets[0].row_widths == [2, 3, 1]
    assert cells(book)["R2C2"].text == "95"
